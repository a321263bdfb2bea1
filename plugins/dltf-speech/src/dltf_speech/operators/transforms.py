"""The door to audiomentations."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from threading import Lock
from typing import Any

_LOCK = Lock()


def transform(module: str, name: str, parameters: dict[str, Any], **settings: Any) -> Any:
    """Return a transform of one's own whose `apply(samples, rate_hz)` draws nothing: it has these parameters.

    The transforms of audiomentations keep what they draw in themselves: threads cannot share one.
    """
    with _LOCK:
        if "audiomentations" not in sys.modules:
            with warnings.catch_warnings():
                # a docstring of its source, where that is compiled for the first time: "\s"
                warnings.filterwarnings("ignore", message=".*invalid escape sequence")
                import_module("audiomentations")
    made = getattr(import_module(f"audiomentations.augmentations.{module}"), name)(**settings)
    made.parameters = parameters
    return made
