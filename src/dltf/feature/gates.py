"""Gates on the figures of each method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dltf.profile.model import Gate


def evaluate(gates: Sequence[Gate], methods: Mapping[Any, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Judge every gate, named METHOD.FIGURE; what could not be evaluated fails."""
    return [_judged(gate, methods) for gate in gates]


def _judged(gate: Gate, methods: Mapping[Any, Mapping[str, Any]]) -> dict[str, Any]:
    method, _, figure = gate.figure.partition(".")
    value = methods.get(method, {}).get(figure)
    bounds = {"at_least": gate.at_least, "at_most": gate.at_most}
    record = {"method": method, "figure": gate.figure, "value": value}
    record |= {name: bound for name, bound in bounds.items() if bound is not None}
    if value is None:
        return record | {"holds": False, "reason": "there is nothing to judge"}
    if gate.at_least is not None and value < gate.at_least:
        return record | {"holds": False, "reason": f"{value:g} is below {gate.at_least:g}"}
    if gate.at_most is not None and value > gate.at_most:
        return record | {"holds": False, "reason": f"{value:g} is above {gate.at_most:g}"}
    return record | {"holds": True, "reason": ""}
