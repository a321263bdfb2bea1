"""The gates of a profile: bounds on figures, and on figures of slices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from dltf.errors import nearest
from dltf.profile import model
from dltf.profile.structure import show

KeyPath: TypeAlias = tuple[str, ...]
Complain: TypeAlias = Callable[[KeyPath, str], None]
Settle: TypeAlias = Callable[[type[model.Gate], KeyPath, dict[str, Any]], model.Gate | None]


def read_gates(
    table: Mapping[str, Any], distances: Iterable[str], complain: Complain, settle: Settle
) -> list[model.Gate]:
    """Return the gates of the table `[gate]`; `distances` names those of the domain, `settle` builds and complains."""
    figures = [*model.FIGURES, *(f"distance_{name}_{kind}" for name in distances for kind in ("mean", "median"))]
    gates = []
    for figure, given in table.items():
        at = ("gate", figure)
        if figure not in figures:
            complain(at, f"there is no such figure{nearest(figure, figures)}")
            continue
        for bounds in given if isinstance(given, list) and given else [given]:
            wrong = _wrong(figure, bounds)
            if wrong is not None:
                complain((*at, *wrong[0]), wrong[1])
                continue
            gate = settle(model.Gate, at, {"figure": figure} | bounds)
            gates += [gate] if gate is not None else []
    return gates


def _wrong(figure: str, bounds: Any) -> tuple[KeyPath, str] | None:
    """Return the key below this gate and what is wrong with it, or None."""
    if not isinstance(bounds, dict) or not {"at_least", "at_most"} & set(bounds):
        return (), f" = {show(bounds)}: expected a bound, for example {{ at_most = 0.01 }}"
    if "figure" in bounds:
        return ("figure",), 'there is no such key; there is "at_least", "at_most", "slice", "fewest"'
    if "slice" in bounds and figure not in model.SLICED:
        return ("slice",), f"this figure is not there for each slice{nearest('', model.SLICED)}"
    if "fewest" in bounds and "slice" not in bounds:
        return ("fewest",), "is for slices alone: add slice, or leave it out"
    return None
