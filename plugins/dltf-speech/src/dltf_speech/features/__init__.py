"""Clips → model tensors: the settings of `[models.*.input]`, what the file says, and the work itself."""
