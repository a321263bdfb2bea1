"""How far apart labels lie: the separation of a labelled set, after Yang et al. (NeurIPS 2020), exact.

δᵢ is the distance from point i to the nearest point of another label, ρᵢ = δᵢ/2 its radius, r = min ρᵢ the separation.
A point nearer than ρᵢ to point i has no point of another label as near as point i is, and balls of these radii about
points of different labels do not meet.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from dltf.errors import MisfitError
from dltf.feature.nearest import Told, distances_to_others, flat, search
from dltf.feature.ring import Limit, Task, ring_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.feature.norms import Norm
    from dltf.values import FloatArray, IntArray

CERTIFICATE = (
    "Latent certificate: a code nearer than its radius to a reference code has no reference code of another label as "
    "near. It is a statement about codes, not about what a person sees."
)

_FEWEST = 100  # points that a separation is told of without a doubt
_FEWEST_OF_LABEL = 2


@frozen(eq=False)
class Separation:
    """The separation of n labelled points.

    `deltas` are the exact distances to the nearest point of another label, float64; `nearest` the rows of those points,
    `rows` the rows that the points had where it was first measured.
    """

    norm: Norm
    labels: list[Hashable]
    nearest: IntArray
    deltas: FloatArray
    rows: IntArray
    _codes: NDArray[Any] = field(repr=False)

    @property
    def radii(self) -> FloatArray:
        """ρᵢ = δᵢ/2."""
        return self.deltas / 2

    @property
    def r(self) -> float:
        """The least radius."""
        return float(self.radii.min())

    def trimmed(self, share: float = 0.01) -> float:
        """Return the largest radius of a point that no more than `share` of all points have less than."""
        return float(np.quantile(self.radii, share, method="lower"))

    def by_class(self) -> dict[Hashable, float]:
        """Return the least radius of each label."""
        least: dict[Hashable, float] = dict.fromkeys(ordered(self.labels), np.inf)
        for label, radius in zip(self.labels, self.radii.tolist(), strict=True):
            least[label] = min(least[label], radius)
        return least

    def pairs(self, *, told: Told | None = None, threads: int = 2) -> tuple[list[Hashable], FloatArray]:
        """Return the labels, and half the least distance between each two of them; NaN between a label and itself."""
        names = ordered(self.labels)
        place = {label: number for number, label in enumerate(names)}
        known = np.full((len(names), len(names)), np.inf)
        mine = np.array([place[label] for label in self.labels])
        np.minimum.at(known, (mine, mine[self.nearest]), self.deltas)
        ring = ring_of(self._codes, self.labels)
        limits: dict[tuple[int, int], Limit] = {}
        tasks = []
        for first, second in ((a, b) for a in range(len(names)) for b in range(a)):
            limit = Limit(float(min(known[first, second], known[second, first])), shrinks=True)
            limits[first, second] = limit
            tasks.append(Task(np.flatnonzero(mine == first), *ring.spans[names[second]], limit))
        search(self._codes, ring, tasks, self.norm, told=told, threads=threads)
        least = np.full_like(known, np.nan)
        for (first, second), limit in limits.items():
            least[first, second] = least[second, first] = limit.value / 2
        return names, least

    def suspects(self, count: int = 50) -> IntArray:
        """Return the points with the smallest distances, the smallest first: duplicates or wrong labels, perhaps."""
        return np.argsort(self.deltas, kind="stable")[:count].astype(np.int64)

    def without(self, rows: Iterable[int], *, told: Told | None = None) -> Separation:
        """Return the separation of the points but these; what they were nearest to others for is measured anew."""
        keep = np.ones(len(self.labels), dtype=bool)
        keep[np.array(list(rows), dtype=np.int64)] = False
        kept = np.flatnonzero(keep)
        codes, labels = self._codes[kept], [self.labels[row] for row in kept]
        _check(labels)
        deltas = self.deltas[kept]
        nearest = (np.cumsum(keep) - 1)[self.nearest[kept]]
        again = np.flatnonzero(~keep[self.nearest[kept]])
        if len(again):
            theirs = [labels[row] for row in again]
            deltas[again], nearest[again] = distances_to_others(
                codes[again], theirs, codes, labels, self.norm, told=told
            )
        return Separation(self.norm, labels, nearest, deltas, self.rows[kept], codes)

    def doubts(self) -> list[str]:
        """Return what is to be said against these figures, each with what would help."""
        told = []
        same = int(np.count_nonzero(self.deltas == 0))
        if same:
            told.append(
                f"r = 0: {same} points lie where one of another label lies, samples twice under two labels perhaps; "
                "look at the suspects, and use the trimmed radius or exclude them"
            )
        if len(self.labels) < _FEWEST:
            told.append(
                f"only {len(self.labels)} reference points: distances shrink as points are added; "
                f"measure on {_FEWEST} or more"
            )
        counts = _counts(self.labels)
        few = [label for label in ordered(counts) if counts[label] < _FEWEST_OF_LABEL]
        if few:
            named = ", ".join(map(str, few[:5])) + (f" and {len(few) - 5} more" if len(few) > 5 else "")
            told.append(
                f"a single reference point for {named}: its radius says nothing of others of that label; add some"
            )
        return told


def separation(
    codes: NDArray[Any],
    labels: Sequence[Hashable],
    norm: Norm = "l2",
    *,
    told: Told | None = None,
    threads: int = 2,
) -> Separation:
    """Measure a reference set in itself: codes [n, k], or samples of any shape taken flat.

    Raise `MisfitError` where there are fewer than two labels, or a value is not finite.
    """
    names = [label.item() if isinstance(label, np.generic) else label for label in labels]
    points = flat(codes, names)
    _check(names)
    deltas, nearest = distances_to_others(points, names, points, names, norm, told=told, threads=threads)
    return Separation(norm, names, nearest, deltas, np.arange(len(names)), points)


def closest(
    codes: NDArray[Any],
    labels: Sequence[Hashable],
    reference: NDArray[Any],
    reference_labels: Sequence[Hashable],
    norm: Norm = "l2",
    *,
    told: Told | None = None,
    threads: int = 2,
) -> float:
    """Return the least distance alone between points of different labels: min δᵢ, in less time than all of them."""
    limit = Limit(shrinks=True)
    distances_to_others(codes, labels, reference, reference_labels, norm, told=told, threads=threads, limit=limit)
    return limit.value


def ordered(labels: Iterable[Hashable]) -> list[Hashable]:
    """Return the labels there are, each once, numbers by their size and what cannot be compared by its words."""
    once = list(dict.fromkeys(labels))
    if all(isinstance(label, (int, float)) for label in once):
        return sorted(once)  # type: ignore[type-var]
    return sorted(once, key=lambda label: (type(label).__name__, str(label)))


def _check(labels: Sequence[Hashable]) -> None:
    unlabelled = sum(label is None for label in labels)
    if unlabelled:
        raise MisfitError(
            f"{unlabelled} of {len(labels)} reference samples have no label",
            hint="a separation is between labels: name a source that gives them",
        )
    found = ordered(labels)
    if len(found) < 2:
        named = f"one label alone, {found[0]!r}" if found else "no samples"
        raise MisfitError(
            f"the reference has {named}: there is nothing for it to be apart from",
            hint="a separation needs samples of two labels or more",
        )


def _counts(labels: Sequence[Hashable]) -> dict[Hashable, int]:
    counts: dict[Hashable, int] = {}
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    return counts
