"""Reading a model file, and refusing what is none."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dltf.plugin import ModelFileError
from dltf_openvino.reason import reason
from dltf_openvino.runtime import openvino

TFLITE = (".tflite", ".lite")
READS = (".xml", ".onnx", *TFLITE)


def read_model(file: Path) -> Any:
    """Return an `openvino.Model`; raise `ModelFileError` for a file that is none."""
    _check_file(file)
    core = openvino().Core()
    try:
        if file.suffix.lower() != ".lite":
            return core.read_model(file)
        with TemporaryDirectory() as folder:  # it goes by the suffix, and knows one for TFLite
            return core.read_model(shutil.copyfile(file, Path(folder) / "model.tflite"))
    except Exception as error:  # its exceptions have no common base
        raise ModelFileError(f"OpenVINO cannot read {file}: {reason(error)}", hint=_cure(file, error)) from error


def beside(file: Path) -> list[Path]:
    """Return the files that a model is made of, this one first."""
    if file.suffix.lower() == ".xml":
        weights = file.with_suffix(".bin")
        return [file, weights] if weights.is_file() else [file]
    if file.suffix.lower() != ".onnx":
        return [file]
    try:
        graph = file.read_bytes()
        others = sorted(other for other in file.parent.iterdir() if other.is_file() and other != file)
    except OSError:
        return [file]
    return [file, *(other for other in others if len(other.name) > 3 and other.name.encode() in graph)]


def _check_file(file: Path) -> None:
    if not file.exists():
        raise ModelFileError(f"there is no model file {file}")
    if not file.is_file():
        raise ModelFileError(f"{file} is not a file", hint=f"give the model itself: {', '.join(READS)}")
    if file.suffix.lower() not in READS:
        raise ModelFileError(f"OpenVINO does not read {file.name}", hint=f"it reads {', '.join(READS)}")
    if file.stat().st_size == 0:
        raise ModelFileError(f"{file} is empty (0 bytes)", hint="convert or download it again")


def _cure(file: Path, error: Exception) -> str:
    if "OpenVINO does not support" in str(error) or "not supported" in str(error).lower():
        return "it uses operators that OpenVINO lacks: export it without them"
    if file.suffix.lower() == ".xml" and not file.with_suffix(".bin").is_file():
        return f"its weights are missing: put {file.with_suffix('.bin').name} beside it"
    return f"is it a whole {file.suffix} file? Export or download it again"
