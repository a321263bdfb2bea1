"""The environment matrix: one model, every way it may be deployed, what differs and how fast each is."""
