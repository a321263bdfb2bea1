"""The figures of what became of findings that were shrunk or amplified, from the store alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from dltf.campaign.spread import percentile

if TYPE_CHECKING:
    from dltf.store import Store


def refined(store: Store, phase: str, units: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the figures of this phase, over the findings that went through it; None where it was not asked for.

    Distances are the first of the domain's, to the seed.
    """
    if not store.fact("profile", {}).get(phase, {}).get("queries"):
        return None
    rows = store.query(
        f"""SELECT f.distances, d.distances, min(f.reference_margin, f.candidate_margin),
            min(d.reference_margin, d.candidate_margin), d.queries, d.unconfirmed, f.sha256 != d.sha256
            FROM derived d JOIN findings f USING ("case") WHERE d.phase = '{phase}'"""
    )
    name = next(iter(units), "")
    apart = {when: [json.loads(row[at]).get(name) for row in rows] for at, when in ((0, "before"), (1, "after"))}
    return {
        "findings": len(rows),
        "improved": sum(row[6] for row in rows),
        "queries": sum(row[4] for row in rows),
        "unconfirmed": sum(row[5] for row in rows),
        "seconds": store.fact(f"{phase}_s", 0.0),
        "distance": {"name": name, "unit": units.get(name, ""), **{when: _middle(of) for when, of in apart.items()}},
        "severity": {when: _severity([row[at] for row in rows]) for at, when in ((2, "before"), (3, "after"))},
        "sha256": store.derived_digest(phase),
        "why_not": store.fact(f"{phase}_why_not", ""),
    }


def _middle(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _severity(severities: Sequence[float | None]) -> dict[str, float | None]:
    known = [severity for severity in severities if severity is not None]
    return {
        "median": percentile(known, 50),
        "p95": percentile(known, 95),
        "worst": max(known, default=None),
    }
