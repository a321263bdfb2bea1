"""All figures of one variant against the reference, ready for `matrix.json`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.matrix.distances import apart, divergences, figures_of, identical
from dltf.matrix.labels import NEAR_TIE, accuracy_figures, differences, label_figures
from dltf.matrix.outputs import Outputs, check, pair
from dltf.matrix.ranks import rank_biased_overlap, ranks_of, swaps, tau_b, top_classes, top_overlap, top_tau
from dltf.matrix.tolerance import Tolerance

if TYPE_CHECKING:
    from dltf.values import FloatArray

__all__ = ["TOP", "Outputs", "compare", "distances"]

TOP = 5
_BLOCK = 1 << 20  # scores at a time: rankings take some thirty times as much memory


def compare(
    reference: Outputs,
    candidate: Outputs,
    labels: Sequence[Hashable | None] | None = None,
    *,
    tolerance: Tolerance | Mapping[str, Tolerance] | None = None,
    floor: float = NEAR_TIE,
) -> dict[str, Any]:
    """Return the figures of a candidate against the reference; raise `MisfitError` where they cannot be compared.

    `tolerance` is for all outputs, or by the reference's names of them (without one: that of float32). `floor`, in
    nats, is the margin of the reference below which an answer, or the order of two classes, is a near-tie.
    """
    check(reference, candidate)
    matched, pairs = pair(reference, candidate)
    outputs = {}
    for one in pairs:
        allowed = tolerance if isinstance(tolerance, Tolerance) else (tolerance or {}).get(one.name, Tolerance())
        outputs[one.name] = {"identical": identical(one), **figures_of(apart(one, allowed), allowed)}
    found = differences(reference, candidate)
    return {
        "inputs": len(reference),
        "identical": bool(outputs) and all(figures["identical"] for figures in outputs.values()),
        "labels": label_figures(reference, candidate, found, floor),
        "accuracy": accuracy_figures(reference, candidate, labels),
        "outputs": outputs,
        "matched": matched,
        "probabilities": _probabilities(reference, candidate),
        "ranks": _ranks(reference, candidate, floor),
        "not_finite": {"reference": _not_finite(reference), "candidate": _not_finite(candidate)},
    }


def distances(reference: Outputs, candidate: Outputs) -> FloatArray:
    """Return the largest absolute difference of any output on each input, float64 [n]; infinite where not finite."""
    _, pairs = pair(reference, candidate)
    largest = np.zeros(len(reference))
    for one in pairs:
        measured = apart(one, Tolerance())
        largest = np.maximum(largest, np.where(measured.otherwise > 0, np.inf, measured.absolute))
    return largest


def _probabilities(reference: Outputs, candidate: Outputs) -> dict[str, Any] | None:
    ours, theirs = reference.log_probabilities(), candidate.log_probabilities()
    usable = reference.usable & candidate.usable
    if ours is None or theirs is None or not usable.any():
        return None
    leans, shannon = divergences(ours[usable], theirs[usable])
    return {
        "inputs": int(usable.sum()),
        **{name: _spread(values) for name, values in (("kl", leans), ("js", shannon))},
    }


def _ranks(reference: Outputs, candidate: Outputs, floor: float) -> dict[str, Any] | None:
    """Return how alike the rankings of the classes are.

    An input counts among the `changes` where two classes, one of them among the best of either variant, change places
    although the reference puts at least `floor` nats between them; among the `near_ties` where all that do are nearer.
    """
    ours, theirs = reference.class_scores(), candidate.class_scores()
    usable = np.flatnonzero(reference.usable & candidate.usable)
    if ours is None or theirs is None or not len(usable):
        return None
    count = min(TOP, ours.shape[1])
    logs = reference.log_probabilities()
    step = max(1, _BLOCK // ours.shape[1])
    columns: dict[str, list[FloatArray]] = {name: [] for name in ("rbo", "tau_top", "tau_b", "top_overlap", "swaps")}
    for start in range(0, len(usable), step):
        rows = usable[start : start + step]
        first, second = ranks_of(ours[rows]), ranks_of(theirs[rows])
        scores = logs[rows] if logs is not None else -first.astype(np.float64)
        columns["rbo"].append(rank_biased_overlap(first, second))
        columns["tau_top"].append(top_tau(first, second, count))
        columns["tau_b"].append(tau_b(first, second))
        tops = top_classes(first, second, count), top_classes(second, first, count)
        columns["top_overlap"].append(top_overlap(*tops))
        columns["swaps"].append(swaps(first, second, scores, count))
    whole = {name: np.concatenate(parts) for name, parts in columns.items()}
    swapped = whole.pop("swaps")
    return {
        "inputs": len(usable),
        "top": count,
        **{name: _spread(values, np.min) for name, values in whole.items()},
        "changes": int(((swapped > 0) & (swapped >= floor)).sum()),
        "near_ties": int(((swapped > 0) & (swapped < floor)).sum()),
    }


def _spread(values: FloatArray, worst: Any = np.max) -> dict[str, float | None]:
    known = values[~np.isnan(values)]
    if not len(known):
        return {"mean": None, worst.__name__.removeprefix("a"): None}
    return {"mean": float(known.mean()), worst.__name__.removeprefix("a"): float(worst(known))}


def _not_finite(outputs: Outputs) -> dict[str, int]:
    return {
        "nan": sum(int(np.isnan(array).sum()) for array in outputs.raw.values()),
        "inf": sum(int(np.isinf(array).sum()) for array in outputs.raw.values()),
        "inputs": int((~outputs.finite).sum()),
    }
