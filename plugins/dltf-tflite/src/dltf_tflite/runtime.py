"""Which of the two packages runs the models: `ai_edge_litert`, else its predecessor `tflite_runtime`."""

from __future__ import annotations

from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

import numpy as np
from attrs import frozen

from dltf.plugin import MissingPackageError

_PACKAGES = {"ai_edge_litert": "ai-edge-litert", "tflite_runtime": "tflite-runtime"}
_CURE = "pip install ai-edge-litert"


@frozen
class Runtime:
    """The interpreter module of the package that was found."""

    module: Any
    distribution: str
    version: str


def find_runtime() -> Runtime:
    """Import the runtime; raise `MissingPackageError` with what to install."""
    package = next((name for name in _PACKAGES if find_spec(name) is not None), None)
    if package is None:
        raise MissingPackageError('the backend "tflite" has neither ai_edge_litert nor tflite_runtime', hint=_CURE)
    if package == "tflite_runtime" and int(np.__version__.partition(".")[0]) > 1:
        raise MissingPackageError(
            f"tflite_runtime is built for numpy 1 and breaks with numpy {np.__version__}",
            hint=f"{_CURE}, or pip install 'numpy<2'",
        )
    try:
        module = import_module(f"{package}.interpreter")
    except ImportError as error:
        raise MissingPackageError(f'the backend "tflite" cannot import {package}: {error}', hint=_CURE) from error
    return Runtime(module, _PACKAGES[package], _version(package))


def _version(package: str) -> str:
    try:
        return metadata.version(_PACKAGES[package])
    except metadata.PackageNotFoundError:  # built from source, say
        return str(getattr(import_module(package), "__version__", "unknown"))
