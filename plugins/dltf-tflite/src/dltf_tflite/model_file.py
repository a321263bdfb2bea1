"""Reading a model file, and refusing what is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dltf.plugin import ModelFileError
from dltf_tflite import flatbuffer

if TYPE_CHECKING:
    from pathlib import Path

_IDENTIFIER = b"TFL3"  # at byte 4


def read_model(file: Path) -> bytes:
    """Return the bytes of a file that is a TFLite model by its structure; raise `ModelFileError` for any other."""
    if not file.exists():
        raise ModelFileError(f"there is no model file {file}")
    if not file.is_file():
        raise ModelFileError(f"{file} is not a file", hint="give the .tflite file itself")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{file} cannot be read: {error.strerror}") from error
    if not content:
        raise ModelFileError(f"{file} is empty (0 bytes)", hint="convert or download it again")
    if content[4:8] != _IDENTIFIER:
        raise ModelFileError(
            f"{file} is not a TFLite model: bytes 4 to 8 are {content[4:8]!r}, not {_IDENTIFIER!r}",
            hint='give a .tflite file; for an .onnx file set backend = "onnxruntime"',
        )
    try:
        flatbuffer.check(content)
    except flatbuffer.DamagedError as error:
        raise ModelFileError(
            f"{file} is damaged: {error} ({len(content)} bytes)", hint="convert or download it again"
        ) from error
    return content
