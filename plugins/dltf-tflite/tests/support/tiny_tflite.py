"""Small TFLite models, made on the spot with the runtime's own schema."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = {
    np.dtype(name): getattr(schema.TensorType, name.upper()) for name in ("float32", "int8", "uint8", "int32", "int64")
}


class Graph:
    """A TFLite graph, tensor by tensor and operator by operator; `save` writes the file."""

    def __init__(self) -> None:
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.codes: list[Any] = []
        self.buffers: list[Any] = [schema.BufferT()]  # buffer 0 is the empty one

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        dtype: str = "float32",
        *,
        quantisation: tuple[float, int] | None = None,
        signature: Sequence[int] | None = None,
        values: np.ndarray | None = None,
    ) -> int:
        """Add a tensor, a constant one where there are values; return its index."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name, list(shape), TYPES[np.dtype(dtype)]
        tensor.shapeSignature = None if signature is None else list(signature)
        if quantisation is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [quantisation[0]], [quantisation[1]]
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(values, dtype=dtype).tobytes(), np.uint8)
            tensor.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, name: str, values: Any, dtype: str = "float32", **more: Any) -> int:
        values = np.asarray(values, dtype=dtype)
        return self.tensor(name, values.shape, dtype, values=values, **more)

    def operator(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], *, version: int = 1, **fields: Any
    ) -> None:
        """Add an operator by its name in the schema ("FULLY_CONNECTED"), or "custom:Name"; fields are its options."""
        code = schema.OperatorCodeT()
        custom = name.partition("custom:")[2]
        code.builtinCode = schema.BuiltinOperator.CUSTOM if custom else getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.customCode, code.version = custom or None, version
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = len(self.codes), list(inputs), list(outputs)
        if fields:
            kind = fields.pop("options")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = getattr(schema, f"{kind}T")()
            for key, value in fields.items():
                setattr(operator.builtinOptions, key, value)
        self.codes.append(code)
        self.operators.append(operator)

    def save(self, file: Path, inputs: Sequence[int], outputs: Sequence[int]) -> Path:
        subgraph = schema.SubGraphT()
        subgraph.tensors, subgraph.operators = self.tensors, self.operators
        subgraph.inputs, subgraph.outputs, subgraph.name = list(inputs), list(outputs), "main"
        model = schema.ModelT()
        model.version, model.subgraphs, model.operatorCodes, model.buffers = 3, [subgraph], self.codes, self.buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        file.write_bytes(bytes(builder.Output()))
        return file


WEIGHTS = np.array([[2, 0, 0], [0, 2, 0], [0, 0, 2], [1, 1, 1]], dtype=np.float32)
BIAS = np.array([0, 1, 2, 3], dtype=np.float32)


class TinyModels:
    """Writes models to a folder; each method returns the file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def dense(self, batch: int = 1) -> Path:
        """Write y = x Wᵀ + b, of 3 and 4 columns."""
        graph = Graph()
        x, y = graph.tensor("x", [batch, 3]), graph.tensor("y", [batch, 4])
        w, b = graph.constant("w", WEIGHTS), graph.constant("b", BIAS)
        graph.operator("FULLY_CONNECTED", [x, w, b], [y], options="FullyConnectedOptions")
        return graph.save(self.folder / f"dense{batch}.tflite", [x], [y])

    def requantised(self) -> Path:
        """Write y = x, from int8 in steps of 0.5 around 3 to uint8 in steps of 0.25 around 131."""
        graph = Graph()
        x = graph.tensor("x", [1, 3], "int8", quantisation=(0.5, 3), signature=[-1, 3])
        y = graph.tensor("y", [1, 3], "uint8", quantisation=(0.25, 131), signature=[-1, 3])
        graph.operator("QUANTIZE", [x], [y], options="QuantizeOptions")
        return graph.save(self.folder / "requantised.tflite", [x], [y])

    def reshaped(self, shape: Sequence[int], to: Sequence[int]) -> Path:
        """Write y = x, reshaped to a constant shape."""
        graph = Graph()
        x, y = graph.tensor("x", shape), graph.tensor("y", np.zeros(shape).reshape(to).shape)
        graph.operator(
            "RESHAPE", [x, graph.constant("to", to, "int32")], [y], options="ReshapeOptions", newShape=list(to)
        )
        return graph.save(self.folder / "reshaped.tflite", [x], [y])

    def mixing(self) -> Path:
        """Write a softmax over the whole batch: it accepts batches, and mixes up their rows."""
        graph = Graph()
        x, flat, p, y = (graph.tensor(name, [1, 4]) for name in ("x", "flat", "p", "y"))
        to, back = graph.constant("to", [1, -1], "int32"), graph.constant("back", [-1, 4], "int32")
        graph.operator("RESHAPE", [x, to], [flat], options="ReshapeOptions", newShape=[1, -1])
        graph.operator("SOFTMAX", [flat], [p], options="SoftmaxOptions", beta=1.0)
        graph.operator("RESHAPE", [p, back], [y], options="ReshapeOptions", newShape=[-1, 4])
        return graph.save(self.folder / "mixing.tflite", [x], [y])

    def of(self, build: Callable[[Graph], tuple[Sequence[int], Sequence[int]]], name: str = "model") -> Path:
        """Write whatever `build` puts into a graph; it returns the inputs and the outputs."""
        graph = Graph()
        return graph.save(self.folder / f"{name}.tflite", *build(graph))
