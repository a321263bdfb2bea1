"""A head with weights of 8 bits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.plugin import ConversionError
from dltf_drepair.fitted import OnnxHead
from dltf_drepair.graph import PROPERTY
from dltf_drepair.runtime import onnx_package

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_WORTHWHILE = 0.9  # what is left of the bytes at most
_FEWEST = 64  # smaller matrices are not worth a node


def eight_bits(head: OnnxHead) -> OnnxHead:
    """Return the head with its matrices in int8, symmetric, a scale for each row and each column.

    Raise `ConversionError` where the file would hardly be smaller. Activations stay float32: ONNX Runtime's dynamic
    quantisation has one scale for a whole batch, so that an answer would depend on its neighbours.
    """
    onnx = onnx_package()
    model = onnx.load_from_string(head.model)
    wanted = {node.input[1] for node in model.graph.node if node.op_type == "Gemm"}
    nodes = []
    for tensor in list(model.graph.initializer):
        values = onnx.numpy_helper.to_array(tensor)
        if tensor.name in wanted and values.size >= _FEWEST:
            nodes += _pack(model.graph, tensor, values)
    for number, node in enumerate(nodes):
        model.graph.node.insert(number, node)
    facts = {**head.facts, "weights": "int8"}
    for entry in model.metadata_props:
        if entry.key == PROPERTY:
            entry.value = json.dumps(facts, sort_keys=True, allow_nan=False)
    data = model.SerializeToString(deterministic=True)
    if len(data) > _WORTHWHILE * len(head.model):
        raise ConversionError(
            f'weights of 8 bits do not make the head "{head.facts["head"]}" smaller: {len(data)} bytes, not '
            f"{len(head.model)}",
            hint="keep it in float",
        )
    return OnnxHead(data, facts)


def agreement(one: OnnxHead, other: OnnxHead, states: NDArray[Any]) -> Mapping[str, float]:
    """Return the share of rows with one label, and the greatest difference of a score."""
    ours, theirs = one.scores(states), other.scores(states)
    return {
        "same_labels": float((ours.argmax(axis=1) == theirs.argmax(axis=1)).mean()),
        "largest_difference": float(np.abs(ours - theirs).max()),
    }


def _pack(graph: Any, tensor: Any, values: NDArray[Any]) -> list[Any]:
    """Exchange the matrix for integers and scales; return the nodes that make it again, under its name.

    They are a Cast and products: ONNX Runtime takes a DequantizeLinear as leave to round activations as well.
    """
    onnx = onnx_package()
    by_row = _filled(np.abs(values).max(axis=1, keepdims=True))  # features differ in size, and so do their weights
    by_column = _filled(np.abs(values / by_row).max(axis=0, keepdims=True) / 127)
    packed = np.clip(np.rint(values / by_row / by_column), -127, 127).astype(np.int8)
    graph.initializer.remove(tensor)
    names = [f"{tensor.name}_{name}" for name in ("int8", "rows", "columns", "cast", "scaled")]
    for name, array in zip(names[:3], (packed, by_row, by_column), strict=True):
        graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    node, (whole, rows, columns, floats, scaled) = onnx.helper.make_node, names
    return [
        node("Cast", [whole], [floats], name=floats, to=onnx.TensorProto.FLOAT),
        node("Mul", [floats, columns], [scaled], name=scaled),
        node("Mul", [scaled, rows], [tensor.name], name=f"{tensor.name}_back"),
    ]


def _filled(scale: NDArray[Any]) -> NDArray[np.float32]:
    return np.where(scale == 0, 1, scale).astype(np.float32)
