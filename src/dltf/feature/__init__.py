"""Tests at the level of features: what separates labels in a latent space, and tests made within it."""
