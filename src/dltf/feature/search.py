"""`search`: the tests of a seed look for failures in its ball, all seeds in step.

Queries lie on the surface, where most of a ball is. The first ones go towards other labels; from then on a linear
model of every class's margin, fitted to the seed's own queries alone, says where what is under test errs most while
check judges stay sure of the label. Of a pair, half of the queries then go to where its two models part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define, frozen

from dltf.feature.boundary import between
from dltf.feature.norms import directions, lengths, within
from dltf.feature.surrogate import best, fit
from dltf.feature.trials import joined

if TYPE_CHECKING:
    from dltf.feature.answers import Outcome
    from dltf.feature.methods import Around
    from dltf.feature.trials import Bench, Tried
    from dltf.values import BoolArray, FloatArray, IntArray

_FIRST = 8  # queries towards other labels
_EACH = 4  # queries of a seed in each turn after that
_STRAY = 0.7  # how far queries stray from where the model points, at first
_SETTLED = 0.7  # the share of it that is gone by the last query


@frozen(eq=False)
class Start:
    """What is known of n seeds before they are searched.

    `towards` [n, c, k] and `far` [n, c]: the moves to each other class, as `Guides` has them. `outcome` and `sure`: of
    their reconstructions. `least`: how sure of the label check judges have to be.
    """

    towards: FloatArray
    far: FloatArray
    outcome: Outcome
    sure: FloatArray
    least: float


@define(eq=False)
class _Memory:
    """What queries have shown: moves [n, q, k], margins of each model [models, n, q, c], certainty, who was right."""

    moves: FloatArray
    margins: FloatArray
    sure: FloatArray
    right: BoolArray

    def add(self, moves: FloatArray, margins: FloatArray, sure: FloatArray, right: BoolArray) -> None:
        self.moves = np.concatenate([self.moves, moves], axis=1)
        self.margins = np.concatenate([self.margins, margins], axis=2)
        self.sure = np.concatenate([self.sure, sure], axis=1)
        self.right = np.concatenate([self.right, right], axis=1)


def search(bench: Bench, around: Around, tests: int, start: Start, first_seed: int) -> Tried:
    """Spend `tests` queries on each of n seeds, which are those from `first_seed` on in the bench's set."""
    count = len(around.streams)
    seeds = np.arange(first_seed, first_seed + count)
    labels = bench.tested.places([bench.seeds.labels[row] for row in seeds])
    centre = _margins(start.outcome, labels)[:, :, None]
    memory = _Memory(
        np.zeros((count, 1, start.towards.shape[2])), centre, start.sure[:, None], start.outcome.right[:, None]
    )
    used: list[set[tuple[int, int]]] = [set() for _ in range(count)]
    parts: list[Tried] = []
    moves = _first(start, around, min(_FIRST, tests))
    done = 0
    while True:
        each = moves.shape[1]
        rows = np.repeat(np.arange(count), each)
        tried = _ask(bench, around, moves, rows, seeds)
        parts.append(tried)
        done += each
        if done >= tests:
            return joined(parts)
        seen = _margins(tried.outcome, labels[rows]).reshape(len(centre), count, each, -1)
        memory.add(moves, seen, tried.sure.reshape(count, each), tried.outcome.right.reshape(count, each))
        moves = _next(memory, labels, around, start.least, min(_EACH, tests - done), done / tests)
        if len(centre) == 2:
            _part(memory, moves, used)


def _ask(bench: Bench, around: Around, moves: FloatArray, rows: IntArray, seeds: IntArray) -> Tried:
    flat = (moves * around.radii[:, None, None]).reshape(len(rows), -1)
    return bench.try_out(around.moved(within(flat, around.radii[rows], around.norm), rows), seeds[rows])


def _first(start: Start, around: Around, count: int) -> FloatArray:
    """Return moves [n, count, k] towards the nearest classes; beyond these, at random."""
    order = np.argsort(start.far, axis=1, kind="stable")[:, :count]
    moves = np.zeros((len(order), count, start.towards.shape[2]))
    for row, stream in enumerate(around.streams):
        moves[row] = directions(stream, count, moves.shape[2], around.norm)
        known = order[row][np.isfinite(start.far[row, order[row]])]
        moves[row, : len(known)] = start.towards[row, known]
    return _surface(moves, around)


def _next(memory: _Memory, labels: IntArray, around: Around, least: float, count: int, spent: float) -> FloatArray:
    """Return moves [n, count, k]: half of them for the class that is expected to gain the most, then for the next."""
    margins = memory.margins.mean(axis=0)  # of a pair, both have to come near their boundary
    barred = np.where(np.isfinite(margins[:, 0]), 0.0, -np.inf)
    barred[np.arange(len(labels)), labels] = -np.inf
    known = np.nan_to_num(margins, nan=0.0, posinf=0.0, neginf=0.0)
    slopes = fit(memory.moves[:, 1:], known[:, 1:], memory.sure[:, 1:], known[:, 0], memory.sure[:, 0])
    expected, towards = best(slopes, known[:, 0], memory.sure[:, 0], barred, least)
    order = np.argsort(-expected, axis=1, kind="stable")
    ranks = [0 if number < count / 2 else min(number - (count - 1) // 2, order.shape[1] - 1) for number in range(count)]
    strays = np.stack([directions(stream, count, towards.shape[2], "l2") for stream in around.streams])
    picked = towards[np.arange(len(order))[:, None], order[:, ranks]]
    return _surface(picked + _STRAY * (1.0 - _SETTLED * spent) * strays, around)


def _part(memory: _Memory, moves: FloatArray, used: list[set[tuple[int, int]]]) -> None:
    """Replace up to half of the next moves by those on which a pair is expected to part."""
    for row in range(len(moves)):
        if memory.right[row].all():
            continue
        ours, theirs = memory.margins[:, row]
        found = between(memory.moves[row], ours, theirs, memory.right[row], used[row], (moves.shape[1] + 1) // 2)
        moves[row, : len(found)] = found


def _surface(moves: FloatArray, around: Around) -> FloatArray:
    sizes = lengths(moves, around.norm)[..., None]
    return np.asarray(moves / np.where(sizes > 0.0, sizes, 1.0))


def _margins(outcome: Outcome, labels: IntArray) -> FloatArray:
    """Return each class's log-score − the label's by each model, float64 [models, m, c]; −∞ for the label itself."""
    scores = outcome.scores.transpose(1, 0, 2)
    rows = np.arange(scores.shape[1])
    with np.errstate(invalid="ignore"):
        margins = scores - scores[:, rows, labels][:, :, None]
    margins[:, rows, labels] = -np.inf
    return np.asarray(margins)
