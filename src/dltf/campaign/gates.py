"""Gates: bounds on the figures of a summary. What could not be evaluated fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dltf.profile import Gate


def figures(summary: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the figures that gates can be set on, by the names that a profile uses."""
    screened, queries = summary["screened"], summary["queries"]
    return {
        "crashes": summary["crashes"],
        "duplicates": summary["duplicates"],
        "findings": summary["findings"],
        "natural_rate": screened["natural_rate"],
        "nonfinite": summary["nonfinite"],
        "queries_mean": queries["mean"],
        "queries_median": queries["median"],
        "skipped": summary["skipped"],
        "success_rate": summary["success_rate"],
        "unconfirmed": summary["unconfirmed"],
    }


def evaluate(gates: Sequence[Gate], summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Judge every gate; an unfinished run has nothing final to judge, so its gates fail."""
    return [_judged(gate, figures(summary)[gate.figure], finished=summary["finished"]) for gate in gates]


def _judged(gate: Gate, value: float | None, *, finished: bool) -> dict[str, Any]:
    bounds = {"at_least": gate.at_least, "at_most": gate.at_most}
    record: dict[str, Any] = {"figure": gate.figure, "value": value}
    record |= {name: bound for name, bound in bounds.items() if bound is not None}
    if value is None or not finished:
        why = "there is nothing to compute it from" if value is None else "the run is not finished"
        return record | {"holds": False, "why": f"could not be evaluated: {why}"}
    holds = (gate.at_least is None or value >= gate.at_least) and (gate.at_most is None or value <= gate.at_most)
    return record | {"holds": holds}
