"""Where the answers of two variants differ, how sure of them they were, and how often each is right.

An output that is not finite is no answer: it differs from one that is, and is never right.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.errors import MisfitError
from dltf.matrix.statistics import mcnemar, newcombe, wilson

if TYPE_CHECKING:
    from dltf.matrix.outputs import Outputs
    from dltf.values import BoolArray, FloatArray

NEAR_TIE = 0.01
"""The margin, in nats, below which an answer counts as a near-tie: its odds are within 1 % of even."""


@frozen(eq=False)
class Differences:
    """Where two variants answer differently, bool [n], and with which margins.

    A margin is the log-odds, in nats, by which a variant prefers its own answer to the other's: float64 [n], 0 where
    they agree, NaN where a variant's states do not tell.
    """

    differ: BoolArray
    reference_margins: FloatArray
    candidate_margins: FloatArray

    @property
    def severity(self) -> FloatArray:
        """The smaller margin: near 0 for a coin toss, large for a confident contradiction."""
        return np.minimum(self.reference_margins, self.candidate_margins)


def differing(reference: Outputs, candidate: Outputs) -> BoolArray:
    """Return where two variants answer differently, bool [n]."""
    ours, theirs = reference.decisions, candidate.decisions
    if isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray) and ours.ndim == theirs.ndim == 1:
        unlike = np.asarray(ours != theirs)
    else:
        unlike = np.fromiter((a != b for a, b in zip(ours, theirs, strict=True)), dtype=bool, count=len(reference))
    return np.asarray(unlike | (reference.finite != candidate.finite))


def differences(reference: Outputs, candidate: Outputs) -> Differences:
    """Compare answers, and weigh what differs."""
    differ = differing(reference, candidate)
    return Differences(differ, _margins(reference, candidate, differ), _margins(candidate, reference, differ))


def label_figures(reference: Outputs, candidate: Outputs, found: Differences, floor: float) -> dict[str, Any]:
    """Count what differs: `ties` and `near_ties` by the reference's margin, `candidate_ties` by the candidate's."""
    differ, margins = found.differ, found.reference_margins
    unscored = differ & np.isnan(margins)
    ties = differ & ((margins == 0) | (unscored & reference.tied & reference.finite & candidate.finite))
    near = differ & (margins > 0) & (margins < floor)
    count, n = int(differ.sum()), len(differ)
    return {
        "differ": count,
        "share": count / n if n else None,
        "interval": wilson(count, n),
        "ties": int(ties.sum()),
        "near_ties": int(near.sum()),
        "candidate_ties": int((differ & ((found.candidate_margins == 0) | (unscored & candidate.tied))).sum()),
        "unscored": int((unscored & ~ties).sum()),
        "floor": floor,
    }


def noise_of_margins(first: Outputs, again: Outputs, least: float = NEAR_TIE) -> float:
    """Return the floor for near-ties that one variant's own noise asks for: how far its margins move when asked again.

    The margin here is between its two best classes in the first run. At least `least`, which is also the answer where
    there are no probabilities.
    """
    log, once_more = first.log_probabilities(), again.log_probabilities()
    usable = first.usable & again.usable
    if log is None or once_more is None or not usable.any():
        return least
    best = np.argsort(-log, axis=1, kind="stable")[:, :2]
    margins = [np.diff(np.take_along_axis(values, best, axis=1), axis=1)[usable] for values in (log, once_more)]
    return max(least, float(np.abs(margins[0] - margins[1]).max()))


def right(outputs: Outputs, labels: Sequence[Hashable | None]) -> BoolArray:
    """Return where an answer is the label, bool [n]."""
    same = (label is not None and label == own for label, own in zip(labels, outputs.decisions, strict=True))
    return np.fromiter(same, dtype=bool, count=len(outputs)) & outputs.finite


def accuracy(
    outputs: Outputs, labels: Sequence[Hashable | None] | None
) -> tuple[float, tuple[float, float]] | tuple[None, None]:
    """Return the share of right answers and its interval, of the inputs that have labels; None where none has."""
    labelled = sum(label is not None for label in labels or ())
    if labels is None or not labelled:
        return None, None
    count = int(right(outputs, labels).sum())
    bounds = wilson(count, labelled)
    assert bounds is not None
    return count / labelled, bounds


def accuracy_figures(
    reference: Outputs, candidate: Outputs, labels: Sequence[Hashable | None] | None
) -> dict[str, Any] | None:
    """Return both accuracies and `candidate − reference`, with its paired interval and McNemar's p."""
    share, bounds = accuracy(reference, labels)
    other, others = accuracy(candidate, labels)
    if labels is None or share is None or other is None:
        return None
    labelled = np.fromiter((label is not None for label in labels), dtype=bool, count=len(reference))
    ours, theirs = right(reference, labels)[labelled], right(candidate, labels)[labelled]
    table = [int(cell.sum()) for cell in (ours & theirs, ours & ~theirs, ~ours & theirs, ~ours & ~theirs)]
    return {
        "labelled": len(ours),
        "reference": share,
        "reference_interval": bounds,
        "candidate": other,
        "candidate_interval": others,
        "difference": (table[2] - table[1]) / len(ours),
        "interval": newcombe(*table),
        "p": mcnemar(table[1], table[2]),
        "only_reference": table[1],
        "only_candidate": table[2],
    }


def label_differences(variants: Sequence[Outputs | None]) -> list[list[int | None]]:
    """Return how many answers differ between each two variants; None where one of them has none."""
    sizes = {len(variant) for variant in variants if variant is not None}
    if len(sizes) > 1:
        raise MisfitError(f"the variants answered {', '.join(map(str, sorted(sizes)))} inputs: let all see the same")
    counts: list[list[int | None]] = [[None] * len(variants) for _ in variants]
    for row, first in enumerate(variants):
        for column, second in enumerate(variants[: row + 1]):
            if first is not None and second is not None:
                counts[row][column] = counts[column][row] = int(differing(first, second).sum())
    return counts


def worst(
    reference: Outputs,
    candidate: Outputs,
    labels: Sequence[Hashable | None] | None,
    distances: FloatArray,
    most: int = 20,
) -> list[dict[str, Any]]:
    """Return the inputs that are answered differently, the most severe first; `case` is the row.

    First come those on which one variant alone is not finite, last those without a margin. `distances`, float64 [n],
    decide between equals.
    """
    found = differences(reference, candidate)
    broken = reference.finite != candidate.finite
    severity = np.where(broken, np.inf, found.severity)
    rows = sorted(
        np.flatnonzero(found.differ).tolist(),
        key=lambda row: (-severity[row] if severity[row] >= 0 else math.inf, -distances[row], row),
    )
    return [
        {
            "case": row,
            "label": _plain(labels[row]) if labels is not None else None,
            "reference": _plain(reference.decisions[row]),
            "candidate": _plain(candidate.decisions[row]),
            "kind": "not finite" if broken[row] else "label",
            "margin": float(found.severity[row]) if np.isfinite(found.severity[row]) else None,
            "distance": float(distances[row]),
        }
        for row in rows[:most]
    ]


def _margins(own: Outputs, other: Outputs, differ: BoolArray) -> FloatArray:
    margins = np.zeros(len(own))
    log = own.log_probabilities()
    theirs = np.asarray(other.decisions)
    if log is None or not np.issubdtype(theirs.dtype, np.integer) or theirs.max(initial=0) >= log.shape[1]:
        margins[differ] = np.nan
        return margins
    rows = np.flatnonzero(differ)
    picked = [log[rows, np.asarray(decisions)[rows]] for decisions in (own.decisions, theirs)]
    both = own.usable[rows] & other.finite[rows]
    margins[rows] = np.where(both, picked[0] - picked[1], np.nan)
    return margins


def _plain(decision: Any) -> Any:
    return decision.item() if hasattr(decision, "item") else decision
