"""The demo's network, altered so that it gives or takes what it should not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper


def alter(
    source: Path,
    target: Path,
    nodes: Sequence[NodeProto],
    *,
    constants: dict[str, np.ndarray] | None = None,
    inputs: Sequence[ValueInfoProto] = (),
    classes: int = 10,
) -> Path:
    """Write the model with these nodes at its end; they turn "scores" into "altered"."""
    model = onnx.load(source)
    graph = model.graph
    graph.node.extend(nodes)
    graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in (constants or {}).items())
    graph.input.extend(inputs)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("altered", TensorProto.FLOAT, ["n", classes]))
    onnx.checker.check_model(model)
    onnx.save(model, target)
    return target


def with_nan_below(mean: float, source: Path, target: Path) -> Path:
    """Give NaN for pictures whose mean is below this: the logarithm of what is left of it."""
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "last"], ["column"]),
        helper.make_node("Sub", ["column", "limit"], ["above"]),
        helper.make_node("Log", ["above"], ["log"]),
        helper.make_node("Mul", ["log", "zero"], ["nothing"]),
        helper.make_node("Add", ["scores", "nothing"], ["altered"]),
    ]
    values = {"limit": np.float32([[mean]]), "zero": np.float32([[0]]), "last": np.int64([1])}
    return alter(source, target, nodes, constants=values)


def with_nine_classes(source: Path, target: Path) -> Path:
    node = helper.make_node("Slice", ["scores", "from", "to", "axis"], ["altered"])
    values = {"from": np.int64([0]), "to": np.int64([9]), "axis": np.int64([1])}
    return alter(source, target, [node], constants=values, classes=9)


def with_two_inputs(source: Path, target: Path) -> Path:
    temperature = helper.make_tensor_value_info("temperature", TensorProto.FLOAT, ["n", 10])
    return alter(
        source, target, [helper.make_node("Mul", ["scores", "temperature"], ["altered"])], inputs=[temperature]
    )
