"""For each seed, the line to another screened seed on which both variants are to change their answer soonest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from dltf.campaign.seen import column

if TYPE_CHECKING:
    from dltf.search.paths import Paths
    from dltf.values import FloatArray, IntArray, Observations, Sample, ScreenedSeeds

_POWER = 0.75  # margins bend along a path; their powers less so


@frozen(eq=False)
class Line:
    """Where a line leads, and the t at which it is thought to cross."""

    end: Sample
    crossing: float


def line_of(paths: Paths, row: int) -> Line | None:
    """Return the best line of a screened seed, or None where no other seed is answered otherwise."""
    screened = paths.screened
    others, distances = screened.neighbours.nearest(row)
    if not len(others):
        return None
    crossings = _crossings(screened, row, others)
    best = int(np.argmin(crossings * distances))
    return Line(paths.sample_of(int(others[best])), float(crossings[best]))


def _crossings(screened: ScreenedSeeds, row: int, others: IntArray) -> FloatArray:
    """Return the t at which another answer overtakes the seed's, the mean of both variants, by what they scored."""
    if screened.reference.scorer is None or screened.candidate.scorer is None:
        return np.full(len(others), 0.5)
    both = (screened.reference, screened.candidate)
    return np.asarray(np.mean([_crossing(seen.take(np.append(others, row))) for seen in both], axis=0))


def _crossing(seen: Observations) -> FloatArray:
    """Return where the first of the answers at the ends overtakes that at the seed, which is the last row."""
    decisions = column(seen.decisions)
    own = decisions[-1]
    mine = seen.score([own] * len(decisions))
    assert mine is not None
    soonest = np.ones(len(decisions) - 1)
    for answer in dict.fromkeys(decisions[decisions != own].tolist()):
        theirs = seen.score([answer] * len(decisions))
        assert theirs is not None
        leads = mine - theirs
        up, down = max(leads[-1], 0.0) ** _POWER, np.maximum(-leads[:-1], 0.0) ** _POWER
        soonest = np.minimum(soonest, np.where(down > 0, (up + 1e-9) / (up + down + 1e-9), 1.0))
    return soonest
