"""Exact nearest neighbours in l1, l2 and linf: of another label, or of all.

What is told is the definition itself: the smallest of the distances that `length` computes in float64 by direct
subtraction, at the lowest row that has it. Faster arithmetic only proposes (`products` for l2, `scan` for l1 and linf),
within error bounds that leave no true neighbour out; so block sizes, threads and the order of rows change no bit.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import Factory, define, frozen

from dltf.errors import MisfitError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.values import FloatArray, IntArray

Norm = Literal["l1", "l2", "linf"]
NORMS: tuple[Norm, ...] = ("l1", "l2", "linf")
Told = Callable[[str, int, int], None]
"""Told what is done now, and how many points of how many."""

_LARGEST = 1e150  # of a value: its square is still a float64


def length(differences: NDArray[Any], norm: Norm) -> FloatArray:
    """Return float64 [n], the lengths of the rows of [n, k]."""
    rows = np.ascontiguousarray(differences, dtype=np.float64)
    if norm == "l1":
        lengths = np.abs(rows).sum(axis=-1)
    elif norm == "l2":
        lengths = np.sqrt(np.square(rows).sum(axis=-1))
    else:
        lengths = np.abs(rows).max(axis=-1, initial=0.0)
    return np.asarray(lengths, dtype=np.float64)


@frozen(eq=False)
class Ring:
    """Reference points sorted by label and gone round twice: those of all labels but one are a slice."""

    points: NDArray[Any]  # [n, k], as they came
    rows: IntArray  # [2n]: the row of `points` at each place of the ring
    spans: dict[Hashable, tuple[int, int]]

    def others(self, label: Hashable) -> tuple[int, int]:
        """Return the slice of all points with another label."""
        if label not in self.spans:
            return 0, len(self.points)
        start, stop = self.spans[label]
        return stop, start + len(self.points)


@define(eq=False)
class Limit:
    """How far a neighbour is looked for; it shrinks to the nearest found so far where the least of all is asked for."""

    value: float = np.inf
    shrinks: bool = False

    def seen(self, distance: float) -> None:
        if self.shrinks and distance < self.value:
            self.value = distance


@frozen(eq=False)
class Task:
    """Points whose neighbours are looked for in one slice of the ring, none farther than a limit."""

    rows: IntArray
    low: int
    high: int
    limit: Limit = Factory(Limit)


def distances_to_others(  # noqa: PLR0913  # two sets, each with its labels
    codes: NDArray[Any],
    labels: Sequence[Hashable],
    reference: NDArray[Any],
    reference_labels: Sequence[Hashable],
    norm: Norm = "l2",
    *,
    told: Told | None = None,
    threads: int = 2,
    limit: Limit | None = None,
) -> tuple[FloatArray, IntArray]:
    """Return how far each point is from the nearest reference point of another label, and that point's row.

    Samples of any shape are taken flat; integers are exact. Where distances are equal the lowest row is told. Raise
    `MisfitError` where a point has nothing of another label to be far from, or a value is not finite.
    """
    points, others = flat(codes, labels), flat(reference, reference_labels)
    ring = ring_of(others, reference_labels)
    groups = _by_label(labels)
    alone = next((label for label in groups if ring.others(label)[0] == ring.others(label)[1]), None)
    if not len(others) or alone is not None:
        raise MisfitError(
            f"the reference has nothing of another label than {alone!r} to be far from",
            hint="a separation needs samples of two labels or more: add others, or check what is read as their labels",
        )
    tasks = [Task(rows, *ring.others(label), limit or Limit()) for label, rows in groups.items()]
    return search(points, ring, tasks, norm, told=told, threads=threads)


def nearest_labels(
    points: NDArray[Any],
    reference: NDArray[Any],
    reference_labels: Sequence[Hashable],
    norm: Norm = "l2",
    *,
    told: Told | None = None,
    threads: int = 2,
) -> tuple[list[Hashable], IntArray, FloatArray]:
    """Return the label, the row and the distance of the reference point that is nearest to each point."""
    ours, others = flat(points, range(len(points))), flat(reference, reference_labels)
    if not len(others):
        raise MisfitError("there are no reference points", hint="give one at least")
    # One label for all: nothing is left out, and equal distances tell the lowest row.
    ring = ring_of(others, [None] * len(others))
    tasks = [Task(np.arange(len(ours)), 0, len(others))]
    distances, rows = search(ours, ring, tasks, norm, told=told, threads=threads)
    return [reference_labels[row] for row in rows], rows, distances


def ring_of(points: NDArray[Any], labels: Sequence[Hashable]) -> Ring:
    """Sort points by their labels, in the order in which labels come first."""
    groups = _by_label(labels)
    once = np.concatenate([*groups.values(), np.empty(0, dtype=np.int64)])
    ends = np.cumsum([0, *(len(rows) for rows in groups.values())]).tolist()
    return Ring(points, np.concatenate([once, once]), dict(zip(groups, pairwise(ends), strict=True)))


def search(
    points: NDArray[Any], ring: Ring, tasks: Sequence[Task], norm: Norm, *, told: Told | None = None, threads: int = 2
) -> tuple[FloatArray, IntArray]:
    """Do tasks over `points`; return float64 [n] distances and int64 [n] rows, infinite and −1 where none was found."""
    from dltf.feature.bytes import Bytes
    from dltf.feature.products import Products
    from dltf.feature.scan import Scan

    if norm not in NORMS:
        raise UsageError(f'there is no norm "{norm}"', hint=f"there are {', '.join(NORMS)}")
    if points.shape[1:] != ring.points.shape[1:]:
        raise MisfitError(
            f"points have {points.shape[1]} values each, reference points {ring.points.shape[1]}",
            hint="both are to be of one space",
        )
    distances, rows = np.full(len(points), np.inf), np.full(len(points), -1, dtype=np.int64)
    searcher: Products | Bytes | Scan
    if norm == "l2":
        searcher = Products(points, ring)
    elif norm == "linf" and points.dtype == ring.points.dtype == np.uint8:
        searcher = Bytes(points, ring)
    else:
        searcher = Scan(points, ring, norm)
    parts = [part for task in tasks for part in _parts(task, searcher.block)]
    done, total = 0, sum(len(part.rows) for part in parts)
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        for part, found in zip(parts, pool.map(searcher.search, parts), strict=True):
            distances[part.rows], rows[part.rows] = found
            done += len(part.rows)
            if told is not None:
                told("distances", done, total)
    return distances, rows


def exactly(
    points: NDArray[Any], ring: Ring, who: IntArray, places: IntArray, norm: Norm, *, most: int = 2**19
) -> FloatArray:
    """Return the distance of points[who[i]] from the reference point at places[i], as the definition has it."""
    found = np.empty(len(who))
    step = max(1, most // max(points.shape[1], 1))
    for start in range(0, len(who), step):
        part = slice(start, start + step)
        ours = points[who[part]].astype(np.float64)
        ours -= ring.points[ring.rows[places[part]]]
        found[part] = length(ours, norm)
    return found


def _parts(task: Task, block: int) -> Iterator[Task]:
    for start in range(0, len(task.rows), block):
        yield Task(task.rows[start : start + block], task.low, task.high, task.limit)


def _by_label(labels: Sequence[Hashable]) -> dict[Hashable, IntArray]:
    rows: dict[Hashable, list[int]] = {}
    for row, label in enumerate(labels):
        rows.setdefault(label, []).append(row)
    return {label: np.array(those, dtype=np.int64) for label, those in rows.items()}


def flat(values: NDArray[Any], labels: Sequence[Any]) -> NDArray[Any]:
    """Return [n, k] with one label each and values that a float64 holds."""
    array = np.asarray(values)
    if len(array) != len(labels):
        raise MisfitError(f"there are {len(array)} points and {len(labels)} labels", hint="give one label to each")
    flat = np.ascontiguousarray(array.reshape(len(array), -1) if len(array) else array.reshape(0, *array.shape[1:2]))
    if flat.dtype.kind not in "buif" or (flat.dtype.kind in "iu" and flat.dtype.itemsize > 4):
        flat = flat.astype(np.float64)
    if flat.dtype.kind == "b":
        flat = flat.astype(np.uint8)
    if flat.dtype.kind == "f" and flat.size:
        limits = float(flat.min()), float(flat.max())
        if not max(map(abs, limits)) <= _LARGEST:
            raise MisfitError(
                f"values lie between {limits[0]:g} and {limits[1]:g}: there are no distances between them",
                hint="look for NaN and infinite codes: the model that made them may have diverged",
            )
    return flat
