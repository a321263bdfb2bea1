"""Importing OpenVINO and NNCF: with what to install where they are missing, and without their telemetry."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module, metadata
from typing import Any

from dltf.plugin import MissingPackageError

_TELEMETRY = "openvino_telemetry"


def openvino() -> Any:
    """Import OpenVINO; raise `MissingPackageError` with what to install."""
    return _imported("openvino", "openvino", "pip install openvino")


def nncf() -> Any:
    """Import NNCF; raise `MissingPackageError` with what to install."""
    openvino()
    return _imported("nncf", "nncf", "pip install nncf")


def versions(*distributions: str) -> Mapping[str, str]:
    """Return the versions of those that are installed."""
    found = {}
    for name in distributions:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _imported(module: str, distribution: str, cure: str) -> Any:
    try:
        with _without_telemetry():
            return import_module(module)
    except ImportError as error:
        raise MissingPackageError(f"{distribution} cannot be imported: {error}", hint=cure) from error


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Hide the package by which both report to their makers that they were imported and used; they do without it."""
    if _TELEMETRY in sys.modules:
        yield
        return
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # how Python marks what must not be imported
    try:
        yield
    finally:
        del sys.modules[_TELEMETRY]
