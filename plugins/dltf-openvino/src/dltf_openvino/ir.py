"""Loading what is to be converted, and writing IR so that equal models give equal files."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from dltf.plugin import ConversionError, ModelFileError
from dltf_openvino.model_file import TFLITE, read_model
from dltf_openvino.quantised import quantisations
from dltf_openvino.reason import reason
from dltf_openvino.runtime import openvino

_COUNTED = re.compile(r"_\d+$")
_SOURCE = "conversion_parameters"  # among other things, the name of the source


def load(source: Path) -> Any:
    """Return the model, simplified as OpenVINO's own converter does it; raise `ConversionError` where it cannot."""
    try:
        model = read_model(source)
    except ModelFileError as error:
        raise ConversionError(error.message, hint=error.hint) from error
    if source.suffix.lower() == ".xml":
        return model
    if source.suffix.lower() in TFLITE and quantisations(source.read_bytes()):
        raise ConversionError(
            f"{source} takes or gives 8 bits already: IR has no place for their scale",
            hint='run the file itself, with backend = "openvino"; or convert the float model',
        )
    try:
        simplified = openvino().convert_model(source)
    except Exception as error:  # its exceptions have no common base
        raise ConversionError(f"OpenVINO cannot convert {source}: {reason(error)}") from error
    told = simplified.get_rt_info()
    if _SOURCE in told.keys():  # noqa: SIM118  # it is no dict
        del told[_SOURCE]
    return simplified


def save(model: Any, out: Path, *, float16: bool = False) -> None:
    """Write `out` and its weights; raise `ConversionError` where that fails."""
    _name_by_place(model)
    try:
        openvino().save_model(model, out, compress_to_fp16=float16)
    except Exception as error:  # its exceptions have no common base
        for written in (out, out.with_suffix(".bin")):
            with suppress(OSError):
                written.unlink()
        raise ConversionError(f"OpenVINO cannot write {out}: {reason(error)}") from error


def _name_by_place(model: Any) -> None:
    """Rename the nodes that no source named: OpenVINO numbers them by what else the process has done."""
    for place, node in enumerate(model.get_ordered_ops()):
        named = any(port.get_names() for port in node.outputs())
        if not named and _COUNTED.search(node.get_friendly_name()):
            node.set_friendly_name(f"{node.get_type_name()}.{place}")
