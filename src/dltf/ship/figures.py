"""Whether what was exported answers as the variant in memory does, and how long both take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.matrix.claims import LEAST, claims
from dltf.matrix.timing import measure
from dltf.ship.exported import BATCH
from dltf.variant import concatenate

if TYPE_CHECKING:
    from dltf.ship.exported import Exported
    from dltf.values import Observations, Seed
    from dltf.variant import Variant

_TOLD = 20  # seeds that differ, by name
_BATCHES = (1, 32)


def agreement(variant: Variant, exported: Exported, seeds: Sequence[Seed]) -> dict[str, Any]:
    """Return on how many inputs both give the same label, and on how many the head takes the word."""
    own, repaired = _observed(variant, seeds)
    labels, scores = exported.answers(seeds)
    ours = np.asarray(repaired.decisions)
    different = np.flatnonzero(labels != ours)
    apart = None
    if scores is not None and repaired.states is not None:
        finite = np.isfinite(scores).all(axis=1) & repaired.finite
        apart = float(np.max(np.abs(scores[finite] - repaired.states[finite]), initial=0.0))
    return {
        "of": len(seeds),
        "same": len(seeds) - len(different),
        "repaired": int((np.asarray(own.decisions) != ours).sum()),
        "different": [
            {"name": seeds[row].name, "exported": int(labels[row]), "in_memory": int(ours[row])}
            for row in different[:_TOLD]
        ],
        "largest_difference": apart,
    }


def _observed(variant: Variant, seeds: Sequence[Seed]) -> tuple[Observations, Observations]:
    """Return what the candidate answers by itself and repaired, from the same outputs."""
    assert variant.own is not None, "the candidate has been settled"
    assert variant.decoder is not None, "the candidate has been settled"
    own, repaired = [], []
    for first in range(0, len(seeds), BATCH):
        some = seeds[first : first + BATCH]
        groups = variant.raw([seed.sample for seed in some], [seed.columns for seed in some])
        order = np.argsort(np.concatenate([rows for rows, _ in groups]), kind="stable")
        own.append(concatenate([variant.own.decode(outputs) for _, outputs in groups]).take(order))
        repaired.append(concatenate([variant.decoder.decode(outputs) for _, outputs in groups]).take(order))
    return concatenate(own), concatenate(repaired)


def latency(variant: Variant, exported: Exported, seeds: Sequence[Seed], repetitions: int) -> dict[str, Any]:
    """Return what the candidate and what was exported take on batches, turn by turn beside each other."""
    by_batch = {
        size: measure({"candidate": _unrepaired(variant, some), "repaired": exported.turn(some)}, repetitions)
        for size in _BATCHES
        for some in [seeds[:size]]
    }
    found: dict[str, Any] = {
        str(size): {f"{name}_s": told["median_s"] for name, told in timings.figures().items()}
        for size, timings in by_batch.items()
    }
    for claim in claims(by_batch, "candidate") if repetitions >= LEAST else ():
        told = {"ratio": claim.ratio, "interval": claim.interval, "noise_floor": claim.noise_floor}
        found[str(claim.batch)] |= told
    return found


def _unrepaired(variant: Variant, seeds: Sequence[Seed]) -> Any:
    """Return what runs the candidate without its head."""
    return variant.turn([seed.sample for seed in seeds], [seed.columns for seed in seeds])
