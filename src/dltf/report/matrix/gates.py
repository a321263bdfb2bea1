"""The gates of a matrix as they are told: one row for each variant that a gate is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from dltf.report.matrix.reading import part, tables, words
from dltf.report.wording import number


@frozen
class Gate:
    """A bound on a figure of one variant, and whether it holds."""

    variant: str
    figure: str
    value: str
    bound: str
    holds: bool
    why: str


def gates_of(written: Mapping[str, Any]) -> list[Gate]:
    """Return all gates, those that do not hold first."""
    return sorted((_gate(told) for told in tables(written, "gates")), key=lambda gate: gate.holds)


def _gate(told: Mapping[str, Any]) -> Gate:
    value = part(told, "value")
    bounds = [
        f"{name} {_written(told[key])}"
        for key, name in (("at_least", "at least"), ("at_most", "at most"))
        if told.get(key) is not None
    ]
    if told.get("no_worse") is not None:
        before = part(told, "before")
        bounds.append(f"no worse than {'before' if before is None else _written(before)} by {_share(told['no_worse'])}")
    return Gate(
        words(told, "variant") or "–",
        words(told, "figure") or "–",
        "no value" if value is None else _written(value),
        ", ".join(bounds) or "–",
        bool(told.get("holds")),
        words(told, "reason") or words(told, "why"),
    )


def _written(value: Any) -> str:
    return number(value, 4) if isinstance(value, (int, float)) else str(value)


def _share(value: Any) -> str:
    return f"{100 * value:g}%" if isinstance(value, (int, float)) else str(value)
