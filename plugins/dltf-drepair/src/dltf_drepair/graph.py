"""A head in the making: nodes and tensors of an ONNX graph.

Operators are used in forms that mean the same in every opset from 13 on, so that a head goes into a candidate's file
whatever its opset.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf_drepair.runtime import onnx_package

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

OLDEST_OPSET = 13
OPSET, TREES_OPSET, IR_VERSION = 17, 3, 8
TREES = "ai.onnx.ml"
PROPERTY = "dltf_repair_head"
"""The key of a head's facts in the properties of its file."""


class Graph:
    """Nodes in order; methods return the name of what they made."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def constant(self, values: ArrayLike, dtype: Any = np.float32) -> str:
        """Keep an array in the file."""
        name = f"constant_{len(self.tensors)}"
        array = np.ascontiguousarray(np.asarray(values, dtype=dtype))
        self.tensors.append(onnx_package().numpy_helper.from_array(array, name))
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output."""
        return self.add_many(operator, *inputs, outputs=1, domain=domain, **attributes)[0]

    def add_many(self, operator: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any) -> list[str]:
        """Add a node with several outputs."""
        helper, number = onnx_package().helper, len(self.nodes)
        names = [f"{operator.lower()}_{number}" + (f"_{index}" if index else "") for index in range(outputs)]
        self.nodes.append(
            helper.make_node(operator, list(inputs), names, name=f"{operator}_{number}", domain=domain, **attributes)
        )
        return names

    def model(self, result: str, widths: tuple[int, int], facts: Mapping[str, Any], output: str = "scores") -> bytes:
        """Return the file: from "states" [n, d] to `output` [n, width], which is the tensor `result`."""
        onnx = onnx_package()
        helper, kind = onnx.helper, onnx.TensorProto.FLOAT
        given = helper.make_tensor_value_info("states", kind, ["n", widths[0]])
        made = helper.make_tensor_value_info(output, kind, ["n", widths[1]])
        last = helper.make_node("Identity", [result], [output], name="result")
        graph = helper.make_graph([*self.nodes, last], "repair_head", [given], [made], self.tensors)
        opsets = [helper.make_opsetid("", OPSET)]
        if any(node.domain == TREES for node in self.nodes):
            opsets.append(helper.make_opsetid(TREES, TREES_OPSET))
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="dltf-drepair")
        helper.set_model_props(model, {PROPERTY: json.dumps(facts, sort_keys=True, allow_nan=False)})
        data: bytes = model.SerializeToString(deterministic=True)
        return data
