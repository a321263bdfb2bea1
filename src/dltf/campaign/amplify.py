"""Amplifying: findings go on to the worst contradiction that can be reached near them, one query each a turn.

(1+1) evolution by local changes. The margins of a quantised variant are rough: a change of the whole sample draws all
of its roughness anew, a local one only some of it, so that gains add up. A change that lost is tried with its sign
turned, one that won is tried once more, and their size adapts to what wins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

if TYPE_CHECKING:
    from dltf.campaign.seen import Answers, Seen
    from dltf.values import Batch, FloatArray, IntArray, Sample, Stream

    Ask = Callable[[Batch, IntArray], Seen]

_FRESH, _AGAIN, _TURNED = 0, 1, 2
_GROW = 1.3  # of the size of changes, on success; both signs lost take its square root
_SMALLEST, _LARGEST = 0.1, 4.0  # sizes, in those that the domain draws
_SOFTNESS = 0.3  # weight of the larger margin: moves along plateaus of the smaller
_INSIDE = 0.995  # of the room: what is drawn back into it is rounded then


@frozen(eq=False)
class Amplifying:
    """n findings of one shape: their seeds, samples, both answers to them, and severities.

    `space` refines and disturbs. Nothing is farther from its seed than the finding itself and `room` beyond.
    """

    space: Any  # contracts.Refines, contracts.Disturbs
    show: Ask
    seeds: Batch
    samples: Batch
    ours: Answers
    theirs: Answers
    margins: tuple[FloatArray, FloatArray]
    streams: Sequence[Stream]
    queries: int
    room: float


def amplify(them: Amplifying) -> list[list[Sample]]:
    """Spend the queries on every finding; return what was worse than what came before, in order."""
    space, rows = them.space, np.arange(len(them.seeds))
    seeds, base = them.seeds.astype(np.float64), them.samples.astype(np.float64)
    caps = space.size(base - seeds) + them.room
    worst = np.minimum(*them.margins)
    value = worst + _SOFTNESS * np.maximum(*them.margins)
    sizes, state, change = np.ones(len(rows)), np.full(len(rows), _FRESH), np.zeros(base.shape)
    trail: list[list[Sample]] = [[] for _ in rows]
    for _ in range(them.queries):
        for row in np.flatnonzero(state == _FRESH).tolist():
            change[row] = space.patch(base.shape[1:], them.streams[row])
        change[state == _TURNED] *= -1.0
        tried = _within(space, base + _over(sizes, base) * change, seeds, caps)
        seen = them.show(tried, rows)
        inside = space.size(tried - seeds) <= caps
        reached = np.where(inside, seen.severity(), -np.inf)
        for row in np.flatnonzero(reached > worst).tolist():
            trail[row].append(tried[row])
        worst = np.maximum(worst, reached)
        now = seen.contradiction(them.ours, them.theirs, _SOFTNESS)
        won = inside & (now >= value)  # as good is good enough: quantised scores have plateaus
        base[won], value = tried[won], np.where(won, now, value)
        lost = np.where(state == _TURNED, _GROW**-0.5, 1.0)
        sizes = np.clip(sizes * np.where(won, _GROW, lost), _SMALLEST, _LARGEST)
        state = np.where(won & (state != _AGAIN), _AGAIN, np.where(~won & (state == _FRESH), _TURNED, _FRESH))
    return trail


def _within(space: Any, values: FloatArray, seeds: FloatArray, caps: FloatArray) -> Batch:
    """Return the samples nearest to these values, drawn towards their seeds where they are farther than the cap."""
    apart = values - seeds
    sizes = space.size(apart)
    shares = np.where(sizes > caps, _INSIDE * caps / np.maximum(sizes, 1e-12), 1.0)
    tried: Batch = space.rounded(seeds + apart * _over(shares, apart), 0.5)
    return tried


def _over(values: FloatArray, like: FloatArray) -> FloatArray:
    return values.reshape(-1, *[1] * (like.ndim - 1))
