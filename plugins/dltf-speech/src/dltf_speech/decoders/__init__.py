"""From a model's outputs to sentences."""
