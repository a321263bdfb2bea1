"""For a candidate that no head goes into (TFLite): the head in a file of its own, with a script that runs both."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf_drepair.fitted import load, read
from dltf_drepair.runtime import onnx_package

if TYPE_CHECKING:
    from pathlib import Path

    from dltf_drepair.compose import Joint

SCRIPT = "run_repaired.py"
HEAD = "head.npz"


def written_beside(candidate: Path, head: Path, threshold: float, joint: Joint, folder: Path) -> None:
    """Write the candidate, head.npz and run_repaired.py into a folder: they need numpy and LiteRT alone.

    Raise `ModelFileError` where `head` is none.
    """
    load(head)
    model = read(head)
    onnx = onnx_package()
    told = {
        "model": candidate.name,
        "threshold": threshold,
        "output": joint.output,
        "scores": joint.scores,
        "label_offset": joint.label_offset,
        "tensors": [tensor.name for tensor in model.graph.initializer],
        "nodes": [_node(node) for node in model.graph.node],
    }
    arrays = [onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer]
    folder.mkdir(parents=True, exist_ok=True)
    kept = {f"tensor_{number}": array for number, array in enumerate(arrays)}
    np.savez_compressed(folder / HEAD, told=np.array(json.dumps(told)), **kept)
    if candidate.resolve().parent != folder.resolve():
        shutil.copyfile(candidate, folder / candidate.name)
    script = resources.files("dltf_drepair").joinpath(SCRIPT).read_text(encoding="utf-8")
    (folder / SCRIPT).write_text(script, encoding="utf-8")


def _node(node: Any) -> dict[str, Any]:
    """Return a node as JSON can hold it."""
    return {
        "operator": node.op_type,
        "inputs": list(node.input),
        "outputs": list(node.output),
        "attributes": {attribute.name: _value(attribute) for attribute in node.attribute},
    }


def _value(attribute: Any) -> Any:
    value = onnx_package().helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list) and value and isinstance(value[0], bytes):
        return [entry.decode() for entry in value]
    return list(value) if isinstance(value, (list, tuple)) else value
