"""A head that has learnt: bytes of an ONNX file, and what runs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.plugin import MisfitError, ModelFileError
from dltf_drepair.graph import PROPERTY
from dltf_drepair.runtime import one_line, onnx_package, run, session_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from dltf.plugin import FloatArray


@frozen(eq=False)
class OnnxHead:
    """Scores are computed by ONNX Runtime from the very bytes that are saved."""

    model: bytes
    facts: Mapping[str, Any]

    def scores(self, states: NDArray[Any]) -> FloatArray:
        width = self.facts["states"]
        if states.ndim != 2 or states.shape[1] != width:
            raise MisfitError(
                f"the head takes states of {width} values, not {list(states.shape)}",
                hint="was it fitted to another candidate?",
            )
        if not len(states):
            return np.zeros((0, self.facts["classes"]))
        return run(self.model, states).astype(np.float64)

    def save(self, file: Path) -> None:
        file.write_bytes(self.model)


def load(file: Path) -> OnnxHead:
    """Read a head; raise `ModelFileError` where it is none."""
    model = read(file)
    properties = {entry.key: entry.value for entry in model.metadata_props}
    names = [tensor.name for tensor in (*model.graph.input, *model.graph.output)]
    if PROPERTY not in properties or names != ["states", "scores"]:
        raise ModelFileError(
            f"{file} is no repair head: it leads from and to {', '.join(names) or 'nothing'}",
            hint='give a file that "save" of a repair head wrote',
        )
    data = file.read_bytes()
    try:
        facts = json.loads(properties[PROPERTY])
        session_of(data)
    except Exception as error:  # those of ONNX Runtime have no common base
        raise ModelFileError(f"ONNX Runtime cannot open {file}: {one_line(error)}") from error
    return OnnxHead(data, facts)


def read(file: Path) -> Any:
    """Return the `ModelProto` of a file; raise `ModelFileError` where it is none."""
    onnx = onnx_package()
    if not file.is_file():
        raise ModelFileError(f"there is no file {file}")
    try:
        model = onnx.load(str(file))
    except Exception as error:  # those of protobuf, onnx and the file system have no common base
        raise ModelFileError(f"{file} cannot be read as ONNX: {one_line(error)}") from error
    if not model.graph.node:
        raise ModelFileError(f"{file} holds no operators ({file.stat().st_size} bytes): is it an ONNX file?")
    return model
