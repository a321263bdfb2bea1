"""ONNX and ONNX Runtime, where they are needed."""

from __future__ import annotations

from functools import lru_cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.plugin import MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CHUNK = 64
"""So many rows are computed at a time, always: matrix products of other sizes may add up in another order."""

_DISTRIBUTIONS = ("onnx", "onnxruntime", "scikit-learn", "scipy", "numpy")
_FATAL = 4  # every failure reaches us as an exception as well


def versions() -> Mapping[str, str]:
    """Return the versions of what fits and runs heads."""
    return {name: metadata.version(name) for name in _DISTRIBUTIONS}


def onnx_package() -> Any:
    """Import onnx, or say how to install it."""
    try:
        import onnx
        import onnx.compose
        import onnx.numpy_helper
    except ImportError as error:
        raise _missing(error) from error
    return onnx


def runtime() -> Any:
    """Import ONNX Runtime, or say how to install it."""
    try:
        import onnxruntime
    except ImportError as error:
        raise _missing(error) from error
    return onnxruntime


@lru_cache(maxsize=64)
def session_of(model: bytes) -> Any:
    """Return a session with one thread."""
    onnxruntime = runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(model: bytes, states: NDArray[Any]) -> NDArray[np.float32]:
    """Return the model's output for states [n, d], n at least 1, in chunks of one size, the last one filled up."""
    session = session_of(model)
    rows = np.ascontiguousarray(states, dtype=np.float32)
    full = np.concatenate([rows, np.repeat(rows[-1:], -len(rows) % CHUNK, axis=0)])
    parts = [session.run(None, {"states": full[at : at + CHUNK]})[0] for at in range(0, len(full), CHUNK)]
    made: NDArray[np.float32] = np.concatenate(parts)[: len(rows)]
    return made


def one_line(error: Exception) -> str:
    """Return what an exception says, in one line of bearable length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:299] + "…"


def _missing(error: ImportError) -> MissingPackageError:
    return MissingPackageError(f"repair heads need a package: {error}", hint="pip install dltf-drepair")
