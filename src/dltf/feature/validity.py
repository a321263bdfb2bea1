"""The checks that a test has to pass to count as valid, V1 to V6, each reported by itself."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import field, frozen

from dltf.feature.nearest import nearest_labels
from dltf.feature.norms import lengths
from dltf.values import digest_of

if TYPE_CHECKING:
    from dltf.contracts import Geometry, LatentSpace
    from dltf.feature.densities import Density
    from dltf.feature.norms import Norm
    from dltf.profile.feature import ValidityTable
    from dltf.values import Batch, BoolArray, FloatArray, IntArray

CHECKS = ("label", "cycle", "density", "reconstruction", "judges", "sure", "distinct")

_SAME = 0.999  # structural similarity, from which a picture is another one again
_NEAR = 1 / 16  # of the range: samples farther apart (root mean square) are never that similar


@frozen(eq=False)
class Reference:
    """The reference as codes over the active dimensions, in the norm that distances are measured in."""

    codes: FloatArray
    labels: Sequence[Hashable]
    norm: Norm
    density: Density


@frozen(eq=False)
class Bounds:
    """What held-out reconstructions allow, or None where it is not asked.

    The most cycle error, the least log-density, the most reconstruction error, and the least log-odds of the label by
    check judges.
    """

    cycle: float | None = None
    density: float | None = None
    reconstruction: float | None = None
    sure: float | None = None


@frozen(eq=False)
class Looked:
    """What a latent space says of m tests: the codes of their samples, how likely those are, and the errors."""

    recoded: FloatArray  # over the active dimensions; NaN where a sample is not finite
    cycle: FloatArray
    density: FloatArray
    reconstruction: FloatArray


@frozen(eq=False)
class Validator:
    """Checks tests against a reference and what held-out seeds allow."""

    table: ValidityTable
    space: LatentSpace
    reference: Reference
    bounds: Bounds
    span: tuple[float, float]  # the least and the largest value of a sample
    geometry: Geometry
    seen: set[str] = field(factory=set)  # digests of the tests so far

    def check(self, tests: Tests, kept: BoolArray | None, sure: FloatArray) -> dict[str, BoolArray]:
        """Return what each check but `distinct` says of m tests.

        `kept` is whether all check judges keep the label (None: there are none), `sure` their least log-odds of it.
        """
        looked = look(self.space, tests.codes, tests.samples, self.reference)
        wanted: dict[str, BoolArray] = {}
        if self.table.label:
            wanted["label"] = self._labels(tests, looked)
        if self.bounds.cycle is not None:
            wanted["cycle"] = looked.cycle <= self.bounds.cycle
        if self.bounds.density is not None:
            wanted["density"] = looked.density >= self.bounds.density
        if self.bounds.reconstruction is not None:
            wanted["reconstruction"] = looked.reconstruction <= self.bounds.reconstruction
        if self.table.judges and kept is not None:
            wanted["judges"] = kept
        if self.bounds.sure is not None and kept is not None:
            wanted["sure"] = kept & (sure >= self.bounds.sure)
        return wanted

    def _labels(self, tests: Tests, looked: Looked) -> BoolArray:
        """V1: of a code and of its re-encoding, the nearest among reference and own seed has the label."""
        passes: Any = np.isfinite(looked.recoded).all(axis=1)
        for codes in (tests.codes[:, self.space.active], looked.recoded):
            rows = np.flatnonzero(passes)
            passes[rows] = nearest_keeps(codes[rows], tests.of(rows), self.reference)
        return np.asarray(passes)

    def distinct(self, tests: Tests) -> BoolArray:
        """V6: finite, in range, neither its seed again nor another test, of those before included."""
        low, high = self.span
        flat = tests.samples.reshape(len(tests), -1)
        passes: Any = np.isfinite(flat).all(axis=1) & (flat >= low).all(axis=1) & (flat <= high).all(axis=1)
        for row, sample in enumerate(tests.samples):
            digest = digest_of(sample)
            passes[row] &= digest not in self.seen
            self.seen.add(digest)
        passes &= ~_alike(self.geometry, tests.seed_samples, tests.samples, passes, high - low)
        others, rows = _nearest_before(tests.codes, tests.seeds)
        again = np.zeros(len(tests), dtype=np.bool_)
        again[rows] = _alike(self.geometry, tests.samples[others], tests.samples[rows], passes[rows], high - low)
        return np.asarray(passes & ~again)


@frozen(eq=False)
class Tests:
    """m tests as they are checked: codes, samples, and of each its seed's row, code (active), sample and label."""

    codes: FloatArray
    samples: Batch
    seeds: IntArray
    seed_codes: FloatArray
    seed_samples: Batch
    labels: Sequence[Hashable]

    def __len__(self) -> int:
        return len(self.codes)

    def of(self, rows: IntArray) -> tuple[FloatArray, list[Hashable]]:
        """Return the seeds' codes and labels of some tests."""
        return self.seed_codes[rows], [self.labels[row] for row in rows]


def nearest_keeps(codes: FloatArray, seeds: tuple[FloatArray, Sequence[Hashable]], reference: Reference) -> BoolArray:
    """Return where the nearest point, among the reference and the own seed, has the seed's label."""
    if not len(codes):
        return np.zeros(0, dtype=np.bool_)
    own, labels = seeds
    found, _, distances = nearest_labels(codes, reference.codes, reference.labels, reference.norm)
    same = np.array([one == label for one, label in zip(found, labels, strict=True)], dtype=np.bool_)
    return np.asarray(same | (lengths(codes - own, reference.norm) < distances))


def look(space: LatentSpace, codes: FloatArray, samples: Batch, reference: Reference) -> Looked:
    """Encode samples again, and measure what came of their codes."""
    active = space.active
    finite = np.isfinite(samples.reshape(len(samples), -1)).all(axis=1)
    recoded = np.full((len(samples), int(active.sum())), np.nan)
    cycle, reconstruction = np.full(len(samples), np.inf), np.full(len(samples), np.inf)
    density = np.full(len(samples), -np.inf)
    if finite.any():
        whole = space.encode(samples[finite])
        recoded[finite] = whole[:, active]
        cycle[finite] = lengths(recoded[finite] - codes[finite][:, active], reference.norm)
        reconstruction[finite] = apart(samples[finite], space.decode(whole))
        density[finite] = reference.density.of(recoded[finite])
    return Looked(recoded, cycle, density, reconstruction)


def calibrate(
    table: ValidityTable, space: LatentSpace, drawn: FloatArray, reference: Reference, sure: FloatArray
) -> Bounds:
    """Return the bounds that held-out seeds set, by codes drawn around theirs [n, k].

    They are of pictures out of the same decoder, and not of sharper ones. `sure` is how sure check judges are of the
    labels in the reconstructions; those whose label is lost tell nothing.
    """
    looked = look(space, drawn, space.decode(drawn), reference)
    known = sure[(sure > 0.0) & np.isfinite(sure)]

    def bound(values: FloatArray, share: float | Literal[False]) -> float | None:
        return None if share is False or not len(values) else float(np.quantile(values, share))

    return Bounds(
        bound(looked.cycle, table.cycle),
        bound(looked.density, table.density),
        bound(looked.reconstruction, table.reconstruction),
        bound(known, table.sure),
    )


def apart(samples: Batch, others: Batch) -> FloatArray:
    """Return the root mean square difference of each pair of samples, float64 [n]."""
    difference = samples.astype(np.float64) - others
    return np.asarray(np.sqrt(np.square(difference).reshape(len(samples), -1).mean(axis=1)))


def valid(checks: Mapping[str, BoolArray], count: int) -> BoolArray:
    """Return where every check passes."""
    return np.asarray(np.logical_and.reduce([np.ones(count, dtype=np.bool_), *checks.values()]))


def _alike(geometry: Geometry, first: Batch, second: Batch, look_at: BoolArray, span: float) -> BoolArray:
    """Return which pairs are the same picture: by structural similarity where the domain has it, else by value."""
    alike: Any = (first == second).reshape(len(first), -1).all(axis=1)
    if "ssim" not in geometry.units:
        return np.asarray(alike)
    rows = np.flatnonzero(look_at & ~alike)
    rows = rows[apart(first[rows], second[rows]) <= _NEAR * span]
    if len(rows):
        alike[rows] = geometry.distances(list(first[rows]), list(second[rows]))["ssim"] >= _SAME
    return np.asarray(alike)


def _nearest_before(codes: FloatArray, seeds: IntArray) -> tuple[IntArray, IntArray]:
    """Return pairs of tests of one seed: the nearest code among those before, and the test itself."""
    others, rows = [], []
    for seed in np.unique(seeds):
        here = np.flatnonzero(seeds == seed)
        gaps = np.square(codes[here][:, None] - codes[here][None]).sum(axis=-1)
        for place in range(1, len(here)):
            others.append(here[int(gaps[place, :place].argmin())])
            rows.append(here[place])
    return np.array(others, dtype=np.int64), np.array(rows, dtype=np.int64)
