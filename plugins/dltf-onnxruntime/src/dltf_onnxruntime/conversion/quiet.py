"""What ONNX Runtime's tools say while they work, kept from the terminal."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from dltf_onnxruntime.providers import runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

_FATAL, _WARNING = 4, 2


class _Listener(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__()
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append(record.getMessage())


@contextlib.contextmanager
def quiet() -> Iterator[list[str]]:
    """Keep prints, warnings and log lines within the block, and give the log lines; import ONNX Runtime's tools in it.

    They import each other by bare names, from a folder that they add to `sys.path` when they are first imported. Left
    there it would hide other people's `metrics` and `models`.
    """
    said: list[str] = []
    root, path = logging.getLogger(), list(sys.path)
    handlers = root.handlers
    root.handlers = [_Listener(said)]  # with none, logging.warning() would install one that prints, for good
    sys.path.append(str(Path(runtime().__file__).parent / "transformers"))
    runtime().set_default_logger_severity(_FATAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield said
    finally:
        runtime().set_default_logger_severity(_WARNING)
        root.handlers = handlers
        sys.path[:] = path
