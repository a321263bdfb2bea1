"""The figures of a run, computed from its store alone, so that a resumed run has those of one that was not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dltf.campaign.clusters import clusters
from dltf.campaign.refined import refined
from dltf.campaign.severity import GRADES
from dltf.campaign.slices import slices
from dltf.campaign.spread import percentile, spread

if TYPE_CHECKING:
    from dltf.store import Store

SCHEMA = 3


def summarise(store: Store, units: Mapping[str, str], sliced_by: Iterable[str] = ()) -> dict[str, Any]:
    """Return what `summary.json` holds, without its gates; `sliced_by` names columns that have to be sliced."""
    screened = _screened(store)
    ended = store.query("SELECT outcome, queries FROM searched")
    outcomes = Counter(outcome for outcome, _ in ended)
    found = [queries for outcome, queries in ended if outcome == "found"]
    kinds = Counter(dict(store.query("SELECT kind, count(*) FROM findings GROUP BY kind")))
    natural, total = screened["natural"], kinds.total()
    seconds = store.fact("seconds", {"total": 0.0, "models": 0.0})
    summary: dict[str, Any] = {
        "schema": SCHEMA,
        **_what_was_set_out(store),
        "screened": screened,
        "searched": len(ended),
        "outcomes": {name: outcomes[name] for name in ("found", "nonfinite", "crash", "exhausted", "timeout")},
        "findings": total,
        "success_rate": len(found) / len(ended) if ended else None,
        "queries": spread(found) | {"total": sum(q for _, q in ended), "screening": screened["seeds"]},
        **_distances(store, units),
        "seconds": seconds | {"per_finding": seconds["total"] / total if total else None},
        "duplicates": _one(store, "SELECT count(*) - count(DISTINCT sha256) FROM findings WHERE phase = 'search'"),
        "unconfirmed": _one(store, "SELECT sum(unconfirmed) FROM searched")
        + _one(store, "SELECT sum(unconfirmed) FROM screened"),
        "nonfinite": kinds["nonfinite"],
        "crashes": kinds["crash"],
        "ties": {
            "screened": _one(store, "SELECT sum(tied) FROM screened"),
            "findings": _one(store, "SELECT sum(tied) FROM findings WHERE phase = 'search'"),
        },
        "severity": _severity(store),
        "shrink": refined(store, "shrink", units),
        "amplify": refined(store, "amplify", units),
        "accuracy": _accuracy(store),
        "operators": _operators(store),
        "search_notes": store.fact("search_notes", []),
        "class_pairs": _class_pairs(store),
        "clusters": clusters(store),
        "slices": slices(store, sliced_by),
        **_footing(store, outcomes["timeout"]),
    }
    summary["verdict"] = _verdict(summary, natural, len(found), store.fact("profile")["search"]["max_queries"])
    return summary


def _what_was_set_out(store: Store) -> dict[str, Any]:
    campaign, search = (store.fact("profile")[table] for table in ("campaign", "search"))
    return {
        "name": campaign["name"],
        "strategy": search["use"],
        "seed": campaign["seed"],
        "finished": store.fact("finished", False),
        "seeds": store.fact("seeds", 0),
        "skipped": _one(store, "SELECT count(*) FROM skipped"),
        "skipped_because": [why for (why,) in store.query('SELECT reason FROM skipped ORDER BY "case" LIMIT 20')],
    }


def _footing(store: Store, timeouts: int) -> dict[str, Any]:
    """Return what the run was made on and with, and whether it can be made again."""
    why: list[str] = store.fact("not_reproducible", [])
    why = [*why, f"{timeouts} cases were cut short by search.timeout_s"] if timeouts else why
    return {
        "reproducible": not why,
        "not_reproducible_because": why,
        "findings_sha256": store.findings_digest(),
        "variants": store.fact("variants", {}),
        "environment": store.fact("environment", {}),
    }


def _screened(store: Store) -> dict[str, Any]:
    counts = Counter(dict(store.query("SELECT outcome, count(*) FROM screened GROUP BY outcome")))
    seeds = counts.total()
    return {
        "seeds": seeds,
        "agree": counts["agree"],
        "natural": counts["natural"],
        "natural_rate": counts["natural"] / seeds if seeds else None,
        "nonfinite": counts["nonfinite"],
        "crash": counts["crash"],
    }


def _one(store: Store, sql: str) -> int:
    return int(store.query(sql)[0][0] or 0)


def _distances(store: Store, units: Mapping[str, str]) -> dict[str, Any]:
    """Return mean and median of each distance between the searched findings and their seeds."""
    rows = [json.loads(text) for (text,) in store.query("SELECT distances FROM findings WHERE phase = 'search'")]
    figures = {}
    for name, unit in units.items():
        seen = spread([row[name] for row in rows if name in row])
        figures[f"distance_{name}"] = {"unit": unit, "mean": seen["mean"], "median": seen["median"]}
    return figures


def _severity(store: Store) -> dict[str, Any]:
    """Return the spread of the deviations' severity, and how many there are of each grade."""
    rows = store.query("SELECT reference_margin, candidate_margin, grade FROM findings WHERE kind = 'deviation'")
    severities = [min(ours, theirs) for ours, theirs, _ in rows if ours is not None and theirs is not None]
    grades = Counter(grade for _, _, grade in rows)
    return {
        "unit": "nats",
        "median": percentile(severities, 50),
        "p95": percentile(severities, 95),
        "worst": max(severities, default=None),
        "scored": len(severities),
        "near_ties": grades["near tie"],
        "grades": {grade: grades[grade] for grade in GRADES if grades[grade]},
    }


def _accuracy(store: Store) -> dict[str, float] | None:
    """Return the share of screened seeds that each variant labels as the source does, where the source has labels."""
    rows = store.query(
        """SELECT label, reference_decision, candidate_decision FROM screened
           WHERE label != 'null' AND outcome != 'crash'"""
    )
    if not rows:
        return None
    right = (
        ("reference", sum(label == ours for label, ours, _ in rows)),
        (
            "candidate",
            sum(label == theirs for label, _, theirs in rows),
        ),
    )
    return {role: count / len(rows) for role, count in right}


def _operators(store: Store) -> dict[str, int]:
    """Count the operators that made the last step to a finding."""
    chains = [json.loads(text) for (text,) in store.query("SELECT chain FROM findings WHERE phase = 'search'")]
    return dict(Counter(chain[-1] for chain in chains if chain).most_common())


def _class_pairs(store: Store) -> list[dict[str, Any]]:
    """Count the pairs of answers, the most frequent first."""
    rows = store.query(
        """SELECT reference_decision, candidate_decision, count(*) FROM findings WHERE kind = 'deviation'
           GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 20"""
    )
    return [{"reference": json.loads(ours), "candidate": json.loads(theirs), "findings": n} for ours, theirs, n in rows]


def _verdict(summary: Mapping[str, Any], natural: int, found: int, max_queries: int) -> str:
    seeds, searched = summary["screened"]["seeds"], summary["searched"]
    parts = []
    if natural:
        parts.append(f"on {natural} of {seeds} seeds as they are ({natural / seeds:.2%})")
    if found:
        median = summary["queries"]["median"]
        parts.append(f"near {found} of {searched} searched seeds ({found / searched:.1%}, median {median:g} queries)")
    strange = _strange(summary)
    if parts:
        return f"The variants differ {' and '.join(parts)}.{strange}"
    more = f" and up to {max_queries} queries on each of {searched}" if searched else "; none of them was searched"
    return f"No difference was found on {seeds} seeds{more}.{strange}"


def _strange(summary: Mapping[str, Any]) -> str:
    told = []
    if summary["nonfinite"]:
        told.append(f"{summary['nonfinite']} inputs give NaN or infinite outputs")
    if summary["crashes"]:
        told.append(f"a runtime failed on {summary['crashes']} inputs")
    return f" Beside that, {' and '.join(told)}." if told else ""
