"""Findings by likely cause: the pair of answers, the operator that made the last step, and where the input changed."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from dltf.campaign.spread import percentile

if TYPE_CHECKING:
    from dltf.store import Store

MOST = 50  # clusters that are told


def clusters(store: Store) -> list[dict[str, Any]]:
    """Return the clusters of deviations, the largest first; the example is the most severe finding of each.

    A natural finding has neither operator nor region: its cluster is its pair of answers.
    """
    rows = store.query(
        """SELECT "case", reference_decision, candidate_decision, chain, region, reference_margin, candidate_margin
           FROM findings WHERE kind = 'deviation' ORDER BY "case" """
    )
    grouped: dict[tuple[str, str, str, str], list[tuple[float | None, int]]] = defaultdict(list)
    for case, ours, theirs, chain, region, our_margin, their_margin in rows:
        operators = json.loads(chain)
        severity = None if our_margin is None or their_margin is None else min(our_margin, their_margin)
        grouped[ours, theirs, operators[-1] if operators else "", region].append((severity, case))
    told = [_told(key, members) for key, members in grouped.items()]
    told.sort(key=lambda cluster: (-cluster["findings"], -(cluster["severity_worst"] or 0.0), cluster["example"]))
    return told[:MOST]


def _told(key: tuple[str, str, str, str], members: list[tuple[float | None, int]]) -> dict[str, Any]:
    severities = [severity for severity, _ in members if severity is not None]
    _, example = max(members, key=lambda member: (member[0] if member[0] is not None else -1.0, -member[1]))
    return {
        "reference": json.loads(key[0]),
        "candidate": json.loads(key[1]),
        "operator": key[2],
        "region": key[3],
        "findings": len(members),
        "severity_worst": max(severities, default=None),
        "severity_median": percentile(severities, 50),
        "example": example,
    }
