"""The lockstep engine: many cases advance together, one query each a turn."""
