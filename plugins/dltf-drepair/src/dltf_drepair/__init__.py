"""Heads that repair the answers of a compressed model."""
