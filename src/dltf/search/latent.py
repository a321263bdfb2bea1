"""Paths on the manifold of a generator: from code to code, with what its decoder leaves out carried along.

A point of such a path is x(t) = G((1 − t) μa + t μb) + (1 − t) (xa − G(μa)) + t (xb − G(μb)), rounded, where μ are the
codes of the ends xa and xb, and G is the decoder. At t = 0 it is xa and at t = 1 it is xb, as on any other path.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np
from attrs import define, field, frozen

from dltf.errors import MisfitError, SeedError
from dltf.values import digest_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.contracts import Geometry, LatentSpace, Seeds
    from dltf.values import Batch, FloatArray, Sample, Seed

LATENT_PATH = "latent path"  # in the chain of a finding
_KEPT = 2**26  # bytes of codes, of what was decoded, and of reconstructions
_AHEAD = 64  # samples that are encoded and decoded at once


class LatentGeometry:
    """A domain's geometry, whose samples between two others lie between their codes.

    With `near` seeds are near one another where their codes are, over the active dimensions.
    """

    across_shapes: ClassVar[bool] = False  # a generator makes samples of one shape
    path: ClassVar[str] = LATENT_PATH

    def __init__(self, geometry: Geometry, space: LatentSpace, *, near: bool) -> None:
        self.units = geometry.units
        self._geometry = geometry
        self._space = space
        self._near = near
        self._codes = _Once(space.encode)
        self._made = _Once(space.decode)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._geometry, name)

    def distances(self, seeds: Sequence[Sample], mutants: Sequence[Sample]) -> Mapping[str, FloatArray]:
        return self._geometry.distances(seeds, mutants)

    def interpolate(self, seeds: Batch, partners: Batch, t: FloatArray) -> Batch:
        ours, theirs = self._codes(seeds), self._codes(partners)
        share = t.reshape(-1, *[1] * (seeds.ndim - 1))
        between = self._space.decode((1 - t)[:, None] * ours + t[:, None] * theirs)
        left = [ends.astype(np.float64) - self._made(codes) for ends, codes in ((seeds, ours), (partners, theirs))]
        points = self._sampled(between + (1 - share) * left[0] + share * left[1], seeds.dtype)
        return np.asarray(np.where(share <= 0, seeds, np.where(share >= 1, partners, points)))

    def embed(self, samples: Batch) -> NDArray[Any]:
        if self._near:
            return np.asarray(self._codes(samples)[:, self._space.active], dtype=np.float32)
        embed = getattr(self._geometry, "embed", None)  # contracts.Embeds
        return np.asarray(samples.reshape(len(samples), -1) if embed is None else embed(samples))

    def reconstructed(self, samples: Batch) -> Batch:
        """Return what the decoder makes of the codes of samples."""
        return self._made(self._codes(samples))

    def check(self, sample: Sample) -> None:
        """Raise `MisfitError` where the generator does not take this sample."""
        self._codes(sample[None])

    def _sampled(self, values: FloatArray, dtype: np.dtype[Any]) -> Batch:
        rounded = getattr(self._geometry, "rounded", None)  # contracts.Refines
        if rounded is not None:
            return np.asarray(rounded(values, 0.5), dtype=dtype)
        if not np.issubdtype(dtype, np.integer):
            return values.astype(dtype)
        bounds = np.iinfo(dtype)
        return np.clip(np.rint(values), bounds.min, bounds.max).astype(dtype)


@define(eq=False)
class _Kept:
    """The last arrays that were made, by key, up to so many bytes."""

    arrays: OrderedDict[Any, NDArray[Any]] = field(factory=OrderedDict)
    held: int = 0

    def get(self, key: Any) -> NDArray[Any] | None:
        if key not in self.arrays:
            return None
        self.arrays.move_to_end(key)
        return self.arrays[key]

    def put(self, key: Any, array: NDArray[Any]) -> None:
        if key in self.arrays:
            return
        self.arrays[key] = array
        self.held += array.nbytes
        while self.held > _KEPT and len(self.arrays) > 1:
            self.held -= self.arrays.popitem(last=False)[1].nbytes


@frozen(eq=False)
class _Once:
    """A function of batches, asked once for each row as long as its answer is kept."""

    function: Callable[[NDArray[Any]], NDArray[Any]]
    kept: _Kept = field(factory=_Kept)

    def __call__(self, rows: NDArray[Any]) -> NDArray[Any]:
        digests = [digest_of(row) for row in rows]
        found = ((digest, self.kept.get(digest)) for digest in digests)
        known = {digest: answer for digest, answer in found if answer is not None}
        missing = {digest: row for digest, row in zip(digests, rows, strict=True) if digest not in known}
        if missing:
            answers = self.function(np.stack(list(missing.values())))
            known |= {digest: answer.copy() for digest, answer in zip(missing, answers, strict=True)}
            for digest in missing:
                self.kept.put(digest, known[digest])
        return np.stack([known[digest] for digest in digests])


class LatentSeeds:
    """The seeds that a generator takes, as they are or, with `again`, as its decoder makes them of their codes.

    `cases` is the order in which they are likely to be read: reconstructions are made ahead, many at once.
    """

    def __init__(self, seeds: Seeds, cases: Sequence[int], latent: LatentGeometry, *, again: bool) -> None:
        self.source: Mapping[str, Any] = seeds.source
        self._seeds = seeds
        self._latent = latent
        self.again = again
        self._cases = cases
        self._places = {case: place for place, case in enumerate(cases)}
        self._why_not: dict[Any, str] = {}  # it is not taken, by shape and type; empty where it is
        self._made = _Kept()
        self._last = -1  # the place among the cases that was read last

    def __len__(self) -> int:
        return len(self._seeds)

    def __getitem__(self, index: int) -> Seed:
        seed = self._fitting(index)
        if not self.again:
            return seed
        place = self._places.get(index, -2)
        made = self._made.get(index)
        if made is None:
            ahead = {index: seed} | (self._following(place, seed.sample) if place == self._last + 1 else {})
            samples = self._latent.reconstructed(np.stack([other.sample for other in ahead.values()]))
            for case, sample in zip(ahead, samples, strict=True):
                self._made.put(case, sample.copy())
            made = samples[0].copy()
        self._last = place
        return attrs.evolve(seed, sample=made)

    def _fitting(self, index: int) -> Seed:
        """Return a seed as it is; raise `SeedError` where it cannot be read, or the generator does not take it."""
        seed = self._seeds[index]
        kind = (seed.sample.shape, seed.sample.dtype.str)
        if kind not in self._why_not:
            self._why_not[kind] = ""
            try:
                self._latent.check(seed.sample)
            except MisfitError as error:
                self._why_not[kind] = error.message
        if self._why_not[kind]:
            raise SeedError(f"{seed.name}: {self._why_not[kind]}")
        return seed

    def _following(self, place: int, like: Sample) -> dict[int, Seed]:
        """Return the seeds that come next, of the same shape and type."""
        found = {}
        for case in self._cases[place + 1 : place + _AHEAD]:
            with suppress(SeedError):  # it is raised when that one is read
                seed = self._fitting(case)
                if (seed.sample.shape, seed.sample.dtype) == (like.shape, like.dtype):
                    found[case] = seed
        return found
