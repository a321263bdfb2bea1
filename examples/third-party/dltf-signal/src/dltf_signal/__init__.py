"""Signals of any length: a domain for dltf."""
