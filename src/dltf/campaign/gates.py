"""Gates: bounds on the figures of a summary, or of each slice of it. What could not be evaluated fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dltf.errors import nearest

if TYPE_CHECKING:
    from dltf.profile import Gate


def figures(summary: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the figures that gates can be set on, by the names that a profile uses."""
    screened, queries, severity = summary["screened"], summary["queries"], summary["severity"]
    distances = {
        f"{name}_{kind}": summary[name][kind]
        for name in summary
        if name.startswith("distance_")
        for kind in ("mean", "median")
    }
    return distances | {
        **_accuracy(summary["accuracy"]),
        **_refined(summary),
        "crashes": summary["crashes"],
        "duplicates": summary["duplicates"],
        "findings": summary["findings"],
        "natural_rate": screened["natural_rate"],
        "near_ties": severity["near_ties"],
        "nonfinite": summary["nonfinite"],
        "queries_max": queries["max"],
        "queries_mean": queries["mean"],
        "queries_median": queries["median"],
        "regressions": severity["grades"].get("regression", 0),
        "seconds": summary["seconds"]["total"],
        "severity_median": _none_found(summary, severity["median"]),
        "severity_p95": _none_found(summary, severity["p95"]),
        "severity_worst": _none_found(summary, severity["worst"]),
        "skipped": summary["skipped"],
        "success_rate": summary["success_rate"],
        "ties": summary["ties"]["screened"] + summary["ties"]["findings"],
        "unconfirmed": summary["unconfirmed"],
    }


def evaluate(gates: Sequence[Gate], summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Judge every gate; an unfinished run has nothing final to judge, so its gates fail."""
    return [_judged(gate, summary) if gate.slice is None else _judged_by_slice(gate, summary) for gate in gates]


def _judged(gate: Gate, summary: Mapping[str, Any]) -> dict[str, Any]:
    value = figures(summary)[gate.figure]
    record = _record(gate) | {"value": value}
    if value is None or not summary["finished"]:
        return record | _failed("there is nothing to compute it from" if value is None else "the run is not finished")
    return record | {"holds": _within(gate, value)}


def _judged_by_slice(gate: Gate, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Judge each slice that has seeds enough; the record tells the worst of them."""
    record = _record(gate) | {"value": None, "slice": gate.slice, "fewest": gate.fewest}
    if gate.slice not in summary["slices"]:
        return record | _failed(f'the seeds have no column "{gate.slice}"{nearest(str(gate.slice), summary["slices"])}')
    parts = [part for part in summary["slices"][gate.slice] if part["seeds"] >= gate.fewest]
    if not parts:
        return record | _failed(f'no value of "{gate.slice}" has {gate.fewest} seeds or more')
    if not summary["finished"]:
        return record | _failed("the run is not finished")
    figured = [(str(part["value"]), _of_slice(part)[gate.figure]) for part in parts]
    empty = [value for value, figure in figured if figure is None]
    if empty:
        return record | _failed(f"there is nothing to compute it from for {gate.slice} = {empty[0]}")
    valued = [(value, figure) for value, figure in figured if figure is not None]
    worst, figure = max(valued, key=lambda item: _beyond(gate, item[1]))
    beyond = sum(not _within(gate, figure) for _, figure in valued)
    return record | {"value": figure, "worst": worst, "slices": len(parts), "beyond": beyond, "holds": not beyond}


def _of_slice(part: Mapping[str, Any]) -> dict[str, float | None]:
    severity = ("severity_median", "severity_p95", "severity_worst")
    return {**part, **_accuracy(part["accuracy"]), **{name: _none_found(part, part[name]) for name in severity}}


def _accuracy(accuracy: Mapping[str, float] | None) -> dict[str, float | None]:
    if accuracy is None:
        return {"accuracy_reference": None, "accuracy_candidate": None, "accuracy_drop": None}
    reference, candidate = accuracy["reference"], accuracy["candidate"]
    return {
        "accuracy_reference": reference,
        "accuracy_candidate": candidate,
        "accuracy_drop": reference - candidate,
    }


def _refined(summary: Mapping[str, Any]) -> dict[str, float | None]:
    shrunk, amplified = summary["shrink"], summary["amplify"]
    figured: dict[str, float | None] = {
        "shrunk_distance_median": None if shrunk is None else shrunk["distance"]["after"]
    }
    for name in ("median", "p95", "worst"):
        worst = None if amplified is None else _none_found(summary, amplified["severity"]["after"][name])
        figured[f"amplified_severity_{name}"] = worst
    return figured


def _none_found(told: Mapping[str, Any], severity: float | None) -> float | None:
    """Where nothing was found, nothing is severe."""
    return 0.0 if severity is None and not told["findings"] else severity


def _record(gate: Gate) -> dict[str, Any]:
    bounds = {"at_least": gate.at_least, "at_most": gate.at_most}
    return {"figure": gate.figure} | {name: bound for name, bound in bounds.items() if bound is not None}


def _failed(why: str) -> dict[str, Any]:
    return {"holds": False, "why": f"could not be evaluated: {why}"}


def _within(gate: Gate, value: float) -> bool:
    return _beyond(gate, value) <= 0


def _beyond(gate: Gate, value: float) -> float:
    """Return how far a value is beyond the nearest bound: above 0 where it breaks one."""
    gaps = [gate.at_least - value] if gate.at_least is not None else []
    gaps += [value - gate.at_most] if gate.at_most is not None else []
    return max(gaps)
