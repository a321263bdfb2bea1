"""How much any head could repair: what the candidate's output vector tells, and what it does not.

Inputs that share a vector, and that the reference answers differently, cannot all be put right by a function of the
vector. Vectors of real numbers are hardly ever the same, so bins are looked at too (a head that tells apart vectors of
one bin may do better), and at neighbours, which need none: how often the nearest input of another seed has the same
answer, and the error that Cover and Hart's theorem leaves to every function where there are endless inputs. With as few
as there are that is no bound: a head that learns what in a vector matters may err less, and some do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.repair.data import FINDING, HARD, SEED, Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.values import BoolArray, IntArray

BIN = 0.5  # nats
FLOOR = 1e-3  # probabilities below it are alike
_NEIGHBOURS = 15
_MOST = 6000  # rows of which each is compared with all
_BLOCK = 512


def bound(rows: Rows, max_inducing: float, stream: np.random.Generator) -> dict[str, Any]:
    """Return what the best functions of the vector reach, on findings, seeds and hard negatives."""
    kept = rows.take(rows.of(FINDING) | (rows.of(SEED, HARD) & rows.agreeing))
    logs = log_probabilities(kept.states)
    cells = {
        "exact": cells_of(kept.states),
        "bins": cells_of(np.rint(logs / BIN).astype(np.int64)),
    }
    told: dict[str, Any] = {"bin": BIN, "floor": FLOOR}
    for name, numbers in cells.items():
        told[name] = best_function(kept, numbers) | {"limited": limited(kept, numbers, max_inducing)}
    told["neighbours"] = neighbours(kept, logs, stream)
    return told


def log_probabilities(states: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the logarithms of probabilities, none of them below that of `FLOOR`."""
    return np.log(np.maximum(np.nan_to_num(states.astype(np.float64)), FLOOR))


def cells_of(vectors: NDArray[Any]) -> IntArray:
    """Number the vectors, equal ones alike, int64 [n]."""
    if not len(vectors):
        return np.zeros(0, dtype=np.int64)
    whole = np.ascontiguousarray(vectors + 0)  # −0 is 0
    keys = whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))).ravel()
    return np.asarray(np.unique(keys, return_inverse=True)[1], dtype=np.int64).ravel()


def best_function(rows: Rows, cells: IntArray) -> dict[str, Any]:
    """Return what the function reaches that is right most often: in each cell, the reference's most frequent answer.

    Where the candidate's own are right as often, it keeps them.
    """
    right = np.zeros(len(rows), dtype=np.bool_)
    for members in _members(cells):
        right[members] = _right(rows, members)
    found, seeds, hard = (rows.of(kind) for kind in (FINDING, SEED, HARD))
    shared = np.bincount(cells)[cells] > 1 if len(rows) else np.zeros(0, dtype=np.bool_)
    return {
        "cells": int(cells.max()) + 1 if len(cells) else 0,
        "shared": int(shared.sum()),  # inputs that share their cell with another
        "repaired": _part(right & found, found),
        "induced": _part(~right & seeds, seeds),
        "hard_negatives": _part(~right & hard, hard),
    }


def limited(rows: Rows, cells: IntArray, max_inducing: float) -> dict[str, Any]:
    """Return how many findings a function repairs at most that changes no more than a share of the seeds.

    Cells are taken in the order of repaired findings for each induced seed; the last one in part, so that no function
    does better.
    """
    found, seeds = rows.of(FINDING), rows.of(SEED) & rows.agreeing
    gains = []
    for members in _members(cells):
        answers = np.bincount(rows.answers[members][found[members]], minlength=1)
        spoilt = seeds[members] & (rows.answers[members] != answers.argmax())
        gains.append((int(answers.max()), int(spoilt.sum())))
    left = max_inducing * float(seeds.sum())
    repaired = 0.0
    for gain, cost in sorted(gains, key=lambda one: -one[0] / one[1] if one[1] else -math.inf):
        part = 1.0 if cost <= left else left / cost
        repaired += gain * part
        left -= cost * part
    total = int(found.sum())
    return {"at_most": repaired, "of": total, "ratio": repaired / total if total else None}


def neighbours(rows: Rows, logs: NDArray[np.float64], stream: np.random.Generator) -> dict[str, Any] | None:
    """Return how often the nearest inputs of other seeds tell the reference's answer, and what follows from it.

    Of findings and hard negatives (seeds without these): there a head has to decide. `cover_hart` is the error that
    their theorem leaves to the best function where inputs are endless; neighbours in a sample are farther away, so that
    a head may err less.
    """
    near = rows.of(HARD) if rows.of(HARD).any() else rows.of(SEED)
    picked = np.flatnonzero(rows.of(FINDING) | near)
    if len(picked) < 2 * _NEIGHBOURS or len(np.unique(rows.groups[picked])) < 2:
        return None
    if len(picked) > _MOST:
        picked = np.sort(stream.choice(picked, _MOST, replace=False))
    ours, vectors = rows.take(picked), logs[picked].astype(np.float32)
    order = _nearest(vectors, ours.groups)
    error = float((ours.answers[order[:, 0]] != ours.answers).mean())
    voted = np.array([np.bincount(ours.answers[row]).argmax() for row in order])
    found = ours.of(FINDING)
    classes = len(np.unique(ours.answers))
    return {
        "inputs": len(ours),
        "findings": int(found.sum()),
        "nearest_error": error,
        "cover_hart": bayes_error(error, classes),
        "votes": _NEIGHBOURS,
        "voted": {
            "repaired": _part((voted == ours.answers) & found, found),
            "spoilt": _part((voted != ours.answers) & ~found, ~found),
            "error": float((voted != ours.answers).mean()),
        },
    }


def bayes_error(nearest: float, classes: int) -> float:
    """Return Cover and Hart's lower bound of the error of any decision, from that of the nearest neighbour."""
    if classes < 2:
        return 0.0
    scale = (classes - 1) / classes
    return scale * (1 - math.sqrt(max(0.0, 1 - nearest / scale)))


def _nearest(vectors: NDArray[np.float32], groups: IntArray) -> IntArray:
    """Return the nearest rows of other groups, int64 [n, neighbours], the nearest first."""
    squares = np.einsum("ij,ij->i", vectors, vectors)
    found = []
    for first in range(0, len(vectors), _BLOCK):
        block = slice(first, first + _BLOCK)
        apart = squares[block, None] + squares[None] - 2 * (vectors[block] @ vectors.T)
        apart[groups[block, None] == groups[None]] = np.inf
        near = np.argpartition(apart, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
        ranks = np.argsort(np.take_along_axis(apart, near, axis=1), axis=1, kind="stable")
        found.append(np.take_along_axis(near, ranks, axis=1))
    return np.concatenate(found)


def _members(cells: IntArray) -> list[IntArray]:
    if not len(cells):
        return []
    order = np.argsort(cells, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(cells[order])) + 1)


def _right(rows: Rows, members: IntArray) -> BoolArray:
    """Return which inputs of a cell its best function answers rightly."""
    answers, kept = rows.answers[members], rows.agreeing[members]
    counts = np.bincount(answers)
    return kept if kept.sum() >= counts.max() else np.asarray(answers == counts.argmax())


def _part(where: BoolArray, of: BoolArray) -> dict[str, Any]:
    count, total = int(where.sum()), int(of.sum())
    return {"count": count, "of": total, "ratio": count / total if total else None}
