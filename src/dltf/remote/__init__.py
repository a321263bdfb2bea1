"""Runners that live in a process of their own."""

from dltf.remote.isolated import Isolated

__all__ = ["Isolated"]
