"""The tensors and operators of a graph: what there is, and what became of it."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import TYPE_CHECKING, Any

from dltf.plugin import ConversionError, nearest
from dltf_onnxruntime.backend import OnnxRuntime
from dltf_onnxruntime.conversion.files import onnx_package

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def operators(model: Any) -> dict[str, int]:
    """Count the operators of the main graph, by name; those of other domains with theirs."""
    names = Counter(f"{node.domain}:{node.op_type}" if node.domain else node.op_type for node in model.graph.node)
    return dict(sorted(names.items()))


def floats(model: Any) -> dict[str, Any]:
    """Return the tensors of real numbers by name: initialisers, then constants."""
    types = onnx_package().TensorProto
    real = {types.FLOAT, types.FLOAT16, types.DOUBLE}
    named = [*((tensor.name, tensor) for tensor in model.graph.initializer), *_constants(model)]
    return {name: tensor for name, tensor in named if tensor.data_type in real}


def weights(model: Any, source: Path, excepted: Iterable[str]) -> list[Any]:
    """Return those that have two axes or more, without per-channel scales and biases; raise where there is none."""
    found = {name: tensor for name, tensor in floats(model).items() if sum(size > 1 for size in tensor.dims) > 1}
    for name in excepted:
        if found.pop(name, None) is None:
            raise ConversionError(f'{source} has no weights "{name}"{nearest(name, found)}')
    if not found:
        raise ConversionError(f"{source} has no weights to change: no tensor of real numbers with two axes or more")
    return list(found.values())


def size_of(tensors: Iterable[Any]) -> int:
    """Count the numbers in them."""
    return sum(prod(tensor.dims) for tensor in tensors)


def sizes(source: Path, out: Path) -> dict[str, int]:
    """Return what both models take on disk, weights outside the file included."""
    files = OnnxRuntime().files
    return {
        f"bytes_{when}": sum(part.stat().st_size for part in files(file))
        for when, file in (("before", source), ("after", out))
    }


def conversion_of(before: Any, after: Any) -> dict[str, Any]:
    """Return how many tensors of real numbers are float32 no more, and how large a share of all weights they are."""
    single = onnx_package().TensorProto.FLOAT
    kept = {name for name, tensor in floats(after).items() if tensor.data_type == single}
    tensors = floats(before)
    changed = [tensor for name, tensor in tensors.items() if name not in kept]
    total = size_of(tensors.values())
    return {
        "tensors": len(tensors),
        "tensors_changed": len(changed),
        "weights": total,
        "weights_changed": size_of(changed) / total if total else 0.0,
        "operators_before": operators(before),
        "operators_after": operators(after),
    }


def _constants(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield the tensors of constant nodes, named as other nodes know them."""
    for node in model.graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.name == "value":
                yield node.output[0], attribute.t
