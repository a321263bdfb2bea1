"""A variational autoencoder as a generator of tests, and its training."""
