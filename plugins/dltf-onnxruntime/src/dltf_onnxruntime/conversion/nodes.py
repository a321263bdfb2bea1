"""Operators chosen by type and by name, and what became of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from dltf.plugin import ConversionError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

OF_GEMM = "_MatMul"
"""What ONNX Runtime appends to the name of a Gemm where it makes a MatMul of it."""

_STEPS = {"QuantizeLinear", "DequantizeLinear"}


def name_nodes(model: Any) -> None:
    """Give each node that has none, or that of another one, a name of its own."""
    taken: set[str] = set()
    for number, node in enumerate(model.graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.op_type}_{number}"
            while node.name in taken:
                node.name += "_"
        taken.add(node.name)


def check_nodes(model: Any, source: Path, names: Iterable[str]) -> None:
    """Raise where there is no node of such a name: a misspelt one would choose nothing."""
    known = [node.name for node in model.graph.node]
    for name in names:
        if name not in known:
            raise ConversionError(f'{source} has no node "{name}"{nearest(name, known)}')


def check_operators(model: Any, source: Path, names: Iterable[str], taken: Iterable[str]) -> None:
    """Raise where this quantisation does not take an operator, or the model has none of them."""
    present, possible = {node.op_type for node in model.graph.node}, list(taken)
    for name in names:
        if name not in possible:
            raise ConversionError(f'ONNX Runtime does not quantise the operator "{name}" so{nearest(name, possible)}')
        if name not in present:
            raise ConversionError(f'{source} has no operator "{name}"{nearest(name, present)}')


def not_quantised(before: Any, after: Any) -> dict[str, int]:
    """Count the operators, by type, that compute on real numbers as before, by the names of their nodes."""
    left = {node.name: node for node in after.graph.node if node.op_type not in _STEPS}
    made_by = {output: node.op_type for node in after.graph.node for output in node.output}
    coded = {name for node in after.graph.node if node.op_type == "QuantizeLinear" for name in node.input[:1]}
    found: Counter[str] = Counter()
    for node in before.graph.node:
        now = left.get(node.name) or left.get(node.name + OF_GEMM)
        if now and node.op_type not in {"Constant", *_STEPS} and not _is_quantised(now, made_by, coded):
            found[node.op_type] += 1
    return dict(sorted(found.items()))


def _is_quantised(node: Any, made_by: dict[str, str], coded: set[str]) -> bool:
    """Tell whether it stands between steps (QDQ), or takes the integers themselves (QOperator)."""
    framed = made_by.get(node.input[0]) == "DequantizeLinear" if node.input else False
    return (framed and any(name in coded for name in node.output)) or any(
        name.endswith("_quantized") for name in node.input[:1]
    )
