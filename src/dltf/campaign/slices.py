"""The figures of a run for each part of its seeds: by label, or by a column of their manifest."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field

from dltf.campaign.spread import percentile, spread

if TYPE_CHECKING:
    from dltf.store import Store

MOST = 50  # values of a column that are told apart unasked: a timestamp is no slice
LABEL = "label"


@define
class _Slice:
    """What was seen of the seeds that share one value."""

    seeds: int = 0
    natural: int = 0
    searched: int = 0
    queries: list[int] = field(factory=list)
    right: list[int] = field(factory=lambda: [0, 0])
    judged: int = 0
    severities: list[float] = field(factory=list)
    findings: int = 0
    near_ties: int = 0
    regressions: int = 0


def slices(store: Store, asked: Iterable[str] = ()) -> dict[str, list[dict[str, Any]]]:
    """Return the figures by column, then value: of the label, of every column of few values, and of those asked for."""
    wanted = set(asked)
    parts: dict[str, dict[Hashable, _Slice]] = defaultdict(dict)
    of_case: dict[int, list[_Slice]] = {}
    rows = store.query(
        """SELECT "case", label, columns, outcome, reference_decision, candidate_decision FROM screened"""
    )
    for case, label, columns, outcome, ours, theirs in rows:
        named = json.loads(columns) | ({} if label == "null" else {LABEL: json.loads(label)})
        of_case[case] = [_part(parts[name], value) for name, value in named.items()]
        for part in of_case[case]:
            part.seeds += 1
            part.natural += outcome == "natural"
            if label != "null" and outcome != "crash":
                part.judged += 1
                part.right[0] += label == ours
                part.right[1] += label == theirs
    for case, outcome, queries in store.query("""SELECT "case", outcome, queries FROM searched"""):
        for part in of_case[case]:
            part.searched += 1
            part.queries += [queries] if outcome == "found" else []
    for case, ours, theirs, grade in store.query(
        """SELECT "case", reference_margin, candidate_margin, grade FROM findings WHERE kind = 'deviation'"""
    ):
        for part in of_case[case]:
            part.findings += 1
            part.near_ties += grade == "near tie"
            part.regressions += grade == "regression"
            part.severities += [] if ours is None or theirs is None else [min(ours, theirs)]
    few = {name: by_value for name, by_value in parts.items() if name in wanted or 1 < len(by_value) <= MOST}
    return {name: _told(by_value) for name, by_value in sorted(few.items(), key=lambda item: (item[0] != LABEL, item))}


def _part(by_value: dict[Hashable, _Slice], value: Any) -> _Slice:
    key = json.dumps(value, sort_keys=True)  # True is no 1, and a list has a value, too
    return by_value.setdefault(key, _Slice())


def _told(by_value: Mapping[Hashable, _Slice]) -> list[dict[str, Any]]:
    told = [{"value": json.loads(str(key))} | figures(part) for key, part in by_value.items()]
    return sorted(told, key=lambda row: order(row["value"]))


def order(value: Any) -> tuple[bool, float, str]:
    """Order numbers by size, and after them all else by how it is written."""
    number = isinstance(value, (int, float)) and not math.isnan(value)
    return (not number, float(value) if number else 0.0, str(value))


def figures(part: _Slice) -> dict[str, Any]:
    """Return one slice's figures, by the names of the summary."""
    accuracy = (
        {role: right / part.judged for role, right in zip(("reference", "candidate"), part.right, strict=True)}
        if part.judged
        else None
    )
    return {
        "seeds": part.seeds,
        "natural": part.natural,
        "natural_rate": part.natural / part.seeds,
        "searched": part.searched,
        "found": len(part.queries),
        "success_rate": len(part.queries) / part.searched if part.searched else None,
        "queries_median": spread(part.queries)["median"],
        "accuracy": accuracy,
        "findings": part.findings,
        "near_ties": part.near_ties,
        "regressions": part.regressions,
        "severity_median": percentile(part.severities, 50),
        "severity_p95": percentile(part.severities, 95),
        "severity_worst": max(part.severities, default=None),
    }
