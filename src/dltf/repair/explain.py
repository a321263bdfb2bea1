"""What a repair changes: between which classes, how sure the candidate was, and who confuses what."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.repair.data import CLEAN, FINDING, HARD, NATURAL, SEED, Rows

if TYPE_CHECKING:
    from dltf.values import BoolArray, IntArray

EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Of the candidate's confidence, the probability of its answer: each is the lower end of a part."""

_MOST_PAIRS = 40
_MOST_CLASSES = 30  # of a confusion matrix


def explained(rows: Rows, after: IntArray) -> dict[str, Any]:
    """Return which answers the repair changes, on inputs that it has not learnt from."""
    measured = rows.take(rows.of(SEED, FINDING, NATURAL, HARD))
    now = after[rows.of(SEED, FINDING, NATURAL, HARD)]
    return {
        "pairs": _pairs(measured, now),
        "confidence": _confidence(measured, now),
        "confusions": _confusions(rows, after),
    }


def _pairs(rows: Rows, after: IntArray) -> list[dict[str, Any]]:
    """Return the pairs of classes that answers change between, the most frequent first."""
    changed = np.flatnonzero(after != rows.own)
    counts: dict[tuple[int, int], Counter[str]] = {}
    for row in changed.tolist():
        what = _outcome(rows, after, row)
        counts.setdefault((int(rows.own[row]), int(after[row])), Counter())[what] += 1
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1].total(), pair[0]))
    return [
        {"from": ours, "to": theirs, "changed": told.total(), **{name: told[name] for name in _OUTCOMES}}
        for (ours, theirs), told in ranked[:_MOST_PAIRS]
    ]


_OUTCOMES = ("repaired", "spoilt", "still wrong")


def _outcome(rows: Rows, after: IntArray, row: int) -> str:
    if after[row] == rows.answers[row]:
        return "repaired"
    return "spoilt" if rows.own[row] == rows.answers[row] else "still wrong"


def _confidence(rows: Rows, after: IntArray) -> list[dict[str, Any]]:
    """Return how many answers change by how sure the candidate was of them."""
    sure = rows.states[np.arange(len(rows)), rows.own] if len(rows) else np.zeros(0)
    parts = np.searchsorted(EDGES, sure, side="right") - 1
    changed, right = after != rows.own, after == rows.answers
    told = []
    for part, edge in enumerate(EDGES):
        here = parts == part
        told.append(
            {
                "from": edge,
                "to": EDGES[part + 1] if part + 1 < len(EDGES) else 1.0,
                "inputs": int(here.sum()),
                "changed": int((here & changed).sum()),
                "repaired": int((here & changed & right).sum()),
                "spoilt": int((here & changed & ~right & rows.agreeing).sum()),
            }
        )
    return told


def _confusions(rows: Rows, after: IntArray) -> dict[str, Any]:
    """Return who answers what: against the labels on clean seeds, where there are some, and against the reference."""
    told: dict[str, Any] = {"classes": rows.width}
    if rows.width > _MOST_CLASSES:
        return told
    found = rows.of(FINDING, NATURAL)
    told["findings"] = {
        "candidate": _matrix(rows.answers, rows.own, found, rows.width),
        "repaired": _matrix(rows.answers, after, found, rows.width),
    }
    labelled = rows.of(CLEAN) & (rows.labels >= 0) & (rows.labels < rows.width)
    if labelled.any():
        told["labels"] = {
            name: _matrix(rows.labels, answers, labelled, rows.width)
            for name, answers in (("reference", rows.answers), ("candidate", rows.own), ("repaired", after))
        }
    return told


def _matrix(truth: IntArray, answers: IntArray, where: BoolArray, width: int) -> list[list[int]]:
    """Return how often what is `truth` (the row) was answered by what (the column)."""
    flat = np.bincount(truth[where] * width + answers[where], minlength=width * width)
    table: list[list[int]] = flat.reshape(width, width).tolist()
    return table
