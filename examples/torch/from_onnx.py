"""Rebuild an ONNX network as a PyTorch module, and export it with an open batch: from_onnx.py MODEL.onnx OUT.pt2.

Each node of the graph becomes a submodule of its name with its own weights, so that what is exported still tells which
layer is which. The operators that are known stand in `onnx_operators.py`.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnx_operators import LISTS, OPERATORS, WEIGHTS

STAND_IN = 64  # the size of an axis that the file leaves open, while the module is traced


class UnsupportedError(Exception):
    """Something in the file that is not rebuilt; the message says what, and what would be."""


class Node(torch.nn.Module):
    """One node: its operator and attributes, and those of its inputs that are constant."""

    def __init__(self, node: Any, constants: dict[str, np.ndarray], opset: int) -> None:
        super().__init__()
        if node.domain not in {"", "ai.onnx"} or node.op_type not in OPERATORS:
            raise UnsupportedError(
                f'there is no "{node.op_type}" here (node "{node.name}"); what is there: {", ".join(sorted(OPERATORS))}'
            )
        self.operator = OPERATORS[node.op_type]
        self.attributes = {item.name: plain(onnx.helper.get_attribute_value(item)) for item in node.attribute}
        self.attributes["opset"] = opset
        self.inputs = list(node.input)
        self.output = node.output[0]
        if any(name for name in node.output[1:]):
            raise UnsupportedError(f'"{node.name}" has {len(node.output)} outputs, and nodes of one are rebuilt')
        self.lists: dict[int, Any] = {}
        self.weights: dict[int, str] = {}
        for place, name in enumerate(self.inputs):
            if name in constants:
                self.keep(place, constants[name], node.op_type)

    def keep(self, place: int, value: np.ndarray, kind: str) -> None:
        """Keep a constant input: shapes and axes as numbers, real weights as parameters."""
        if place in LISTS.get(kind, ()):
            self.lists[place] = value.tolist()
            return
        names = WEIGHTS.get(kind, ())
        self.weights[place] = names[place] if place < len(names) else f"constant_{place}"
        tensor = torch.from_numpy(np.array(value))
        if tensor.is_floating_point():
            self.register_parameter(self.weights[place], torch.nn.Parameter(tensor, requires_grad=False))
        else:
            self.register_buffer(self.weights[place], tensor)

    def forward(self, *moving: torch.Tensor) -> torch.Tensor:
        left = list(moving)
        arguments = [self.argument(place, name, left) for place, name in enumerate(self.inputs)]
        return self.operator(self.attributes, *arguments)

    def argument(self, place: int, name: str, left: list[torch.Tensor]) -> Any:
        if not name:
            return None  # an optional input that is left out
        if place in self.lists:
            return self.lists[place]
        return getattr(self, self.weights[place]) if place in self.weights else left.pop(0)

    def moving(self) -> list[str]:
        """Return the names of the inputs that are computed."""
        return [name for i, name in enumerate(self.inputs) if name and i not in self.lists and i not in self.weights]


class Network(torch.nn.Module):
    """A graph: its nodes run in the file's order, which ONNX promises to be a possible one."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        graph = model.graph
        opset = max(item.version for item in model.opset_import if item.domain in {"", "ai.onnx"})
        constants = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant":
                constants[node.output[0]] = constant(node)
        self.fed = [item.name for item in graph.input if item.name not in constants]
        self.given = [item.name for item in graph.output]
        self.order: list[str] = []
        for node in graph.node:
            if node.op_type != "Constant":
                name = self.free(node.name or f"{node.op_type}_{len(self.order)}")
                self.add_module(name, Node(node, constants, opset))
                self.order.append(name)

    def free(self, wanted: str) -> str:
        """Return the name as a Python name that nothing here has yet."""
        name, count = identifier(wanted), 1
        while hasattr(self, name):
            name, count = f"{identifier(wanted)}_{count}", count + 1
        return name

    def forward(self, *tensors: torch.Tensor) -> dict[str, torch.Tensor]:
        values = dict(zip(self.fed, tensors, strict=True))
        for name in self.order:
            node = self.get_submodule(name)
            values[node.output] = node(*(values[key] for key in node.moving()))
        return {name: values[name] for name in self.given}


def identifier(name: str) -> str:
    """Return the name of a tensor or node as Python takes it: "conv2d_1/BiasAdd:0" is conv2d_1_BiasAdd_0."""
    plain_name = re.sub(r"\W+", "_", name).strip("_")
    return plain_name if plain_name.isidentifier() else f"_{plain_name}"


def constant(node: Any) -> np.ndarray:
    values = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    if "value" in values:
        return numpy_helper.to_array(values["value"])
    return np.array(next(iter(values.values())))


def plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else list(value) if hasattr(value, "extend") else value


def example(item: Any) -> tuple[torch.Tensor, dict[int, Any]]:
    """Return an input to trace with, and its open axes: the first by the name "batch"."""
    tensor = item.type.tensor_type
    sizes = [size.dim_value for size in tensor.shape.dim]
    dtype = torch.from_numpy(np.zeros(1, onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type))).dtype
    opened: dict[int, Any] = {axis: torch.export.Dim.AUTO for axis, size in enumerate(sizes) if not size}
    if sizes and not sizes[0]:
        opened[0] = torch.export.Dim("batch", min=1)
    shape = [size or (2 if axis == 0 else STAND_IN) for axis, size in enumerate(sizes)]
    return torch.zeros(shape, dtype=dtype), opened


def rebuild(file: Path) -> Network:
    """Return the network of an ONNX file as a module in evaluation mode."""
    network = Network(onnx.load(file))
    network.eval()
    return network


def export(file: Path, network: Network) -> torch.export.ExportedProgram:
    """Export it with every axis open that is open in the file, and with the file's names for inputs."""
    forward = network.forward

    def named(*tensors: torch.Tensor) -> dict[str, torch.Tensor]:
        return forward(*tensors)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    named.__signature__ = inspect.Signature([inspect.Parameter(identifier(name), kind) for name in network.fed])
    network.forward = named
    items = {item.name: item for item in onnx.load(file).graph.input}
    tensors, opened = zip(*(example(items[name]) for name in network.fed), strict=True)
    return torch.export.export(network, tensors, dynamic_shapes=opened)


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("usage: from_onnx.py MODEL.onnx OUT.pt2", file=sys.stderr)
        return 2
    source, target = map(Path, arguments)
    try:
        network = rebuild(source)
    except UnsupportedError as error:
        print(f"{source}: {error}", file=sys.stderr)
        return 2
    program = export(source, network)
    torch.export.save(program, target)
    weights = sum(tensor.numel() for tensor in network.state_dict().values())
    print(f"{target}: {len(network.order)} nodes, {weights:,} weights")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
