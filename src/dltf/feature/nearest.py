"""Exact nearest neighbours in l1, l2 and linf: of another label, or of all.

What is told is the definition itself: the smallest of the distances that `lengths` computes in float64 by direct
subtraction, at the lowest row that has it. Faster arithmetic only proposes (`products` for l2, `bytes` for pixels in
linf, `scan` for the rest), within error bounds that leave no true neighbour out; so block sizes, threads and the order
of rows change no bit.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.errors import MisfitError, UsageError
from dltf.feature.bytes import Bytes
from dltf.feature.norms import NORMS, Norm
from dltf.feature.products import Products
from dltf.feature.ring import Limit, Ring, Task, by_label, ring_of
from dltf.feature.scan import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.values import FloatArray, IntArray

Told = Callable[[str, int, int], None]
"""Told what is done now, and how many points of how many."""

_LARGEST = 1e150  # of a value: its square is still a float64


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
    groups = by_label(labels)
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


def search(
    points: NDArray[Any], ring: Ring, tasks: Sequence[Task], norm: Norm, *, told: Told | None = None, threads: int = 2
) -> tuple[FloatArray, IntArray]:
    """Do tasks over `points`; return float64 [n] distances and int64 [n] rows, infinite and −1 where none was found."""
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


def _parts(task: Task, block: int) -> Iterator[Task]:
    for start in range(0, len(task.rows), block):
        yield Task(task.rows[start : start + block], task.low, task.high, task.limit)


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
