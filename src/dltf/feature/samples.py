"""The samples that a run works on: the reference, the seeds, and those that limits are calibrated on."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from attrs import frozen

from dltf.campaign.selection import select
from dltf.errors import MisfitError, SeedError, SeedSourceError
from dltf.feature.trials import SeedSet
from dltf.store.folder import write_whole
from dltf.values import digest_of, digest_of_set

if TYPE_CHECKING:
    from dltf.contracts import LatentSpace, Seeds
    from dltf.profile.feature import FeatureProfile
    from dltf.values import Batch, FloatArray, Seed

Told = Callable[[str, int, int], None]

LEAST = 20  # reference codes, below which distances and densities mean nothing
_CALIBRATION = 1000  # held-out seeds that limits are set on, at most
_ENOUGH = 100  # of the seeds that seeds.count leaves, so that none of the others are set aside
_SHARE = 5  # else one of so many is set aside
_BLOCK = 512  # samples encoded at a time


@frozen(eq=False)
class Samples:
    """Labelled samples of one shape, with the counts of those that were left out, and who they are: a sha256."""

    seeds: SeedSet
    unreadable: int
    unlabelled: int
    digest: str


def read(source: Seeds, cases: Sequence[int], what: str, told: Told) -> Samples:
    """Read cases; raise where none is left, or they differ in shape."""
    found: list[Seed] = []
    kept: list[int] = []
    unreadable, unlabelled = 0, 0
    for done, case in enumerate(cases):
        if done % 5000 == 0:
            told(f"reading {what}", done, len(cases))
        try:
            seed = source[case]
        except SeedError:
            unreadable += 1
            continue
        if seed.label is None:
            unlabelled += 1
            continue
        if found and (seed.sample.shape, seed.sample.dtype) != (found[0].sample.shape, found[0].sample.dtype):
            first = found[0]
            raise MisfitError(
                f"[{what}] differs in shape: {first.name} is {_shown(first.sample)}, "
                f"{seed.name} is {_shown(seed.sample)}",
                hint="a generator takes samples of one shape: for pictures, set size and resize",
            )
        found.append(seed)
        kept.append(case)
    if not found:
        raise SeedSourceError(
            f"none of the {len(cases)} samples of [{what}] can be used: {unreadable} cannot be read, "
            f"{unlabelled} have no label",
            hint="tests inherit the labels of their seeds: name a source with labels",
        )
    seeds = SeedSet(
        cases=np.array(kept, dtype=np.int64),
        names=[seed.name for seed in found],
        labels=[seed.label for seed in found],
        columns=[seed.columns for seed in found],
        samples=np.stack([seed.sample for seed in found]),
        codes=np.zeros((len(found), 0)),
    )
    return Samples(seeds, unreadable, unlabelled, _digest(seeds))


def chosen(profile: FeatureProfile, source: Seeds) -> tuple[list[int], list[int], str]:
    """Return the cases of seeds, those held out to set limits on, and where the latter are from.

    They are the seeds that `seeds.count` leaves; where those are too few, a fifth of the seeds is set aside.
    """
    cases = select(profile.seeds, len(source), profile.campaign.seed)
    order = select(attrs.evolve(profile.seeds, count=None), len(source), profile.campaign.seed)
    others = order[len(cases) :]
    table = profile.validity
    if table.cycle is table.density is table.reconstruction is table.sure is False:
        return cases, [], "no limit is asked for"
    if len(others) >= _ENOUGH:
        return cases, others[:_CALIBRATION], "seeds that seeds.count leaves"
    aside = max(1, len(cases) // _SHARE)
    if aside == len(cases):
        raise SeedSourceError(
            f"[seeds] has {len(cases)} to be tested, and limits of validity are set on others",
            hint="give more seeds, or switch the limits off in [validity]: cycle, density, reconstruction and sure",
        )
    return cases[:-aside], cases[-aside:][:_CALIBRATION], "a fifth of the seeds, of which no tests are made"


def check_artefact(facts: Mapping[str, Any], space: LatentSpace, reference: Samples, seeds: Samples) -> None:
    """Raise `MisfitError`, naming both sides, where a generator and the data do not go together."""
    for what, one in (("reference", reference), ("seeds", seeds)):
        _check_samples(facts, one.seeds.samples, what)
    made_on = facts.get("data")
    if made_on is not None and made_on != reference.digest:
        raise MisfitError(
            f"the generator was made on other data than [reference]: on {facts.get('samples', 'some')} samples of "
            f"sha256 {str(made_on)[:12]}…, and [reference] has {len(reference.seeds)} of sha256 "
            f"{reference.digest[:12]}…",
            hint="give [reference] and [campaign] seed as they were when it was trained, or train it on this reference",
        )
    if not space.active.any():
        raise MisfitError(
            f"the generator has collapsed: none of its {len(space.active)} dimensions tells samples apart",
            hint="train it longer, or with a lower beta",
        )
    _check_reference(reference)


def encoded(space: LatentSpace, samples: Samples, what: str, folder: Path, told: Told) -> SeedSet:
    """Return samples with their codes, from the folder where it has them for these weights."""
    weights = space.facts.get("weights")
    # The digest of a set knows no order, and codes are kept in that of the samples.
    order = hashlib.sha256("".join(map(digest_of, samples.seeds.samples)).encode()).hexdigest()
    key = hashlib.sha256(f"{weights} {samples.digest} {order}".encode()).hexdigest()[:32]
    file = folder / f"{what}-{key}.npy"
    if weights is not None and file.is_file():
        return attrs.evolve(samples.seeds, codes=np.load(file, allow_pickle=False))
    codes = _codes(space, samples.seeds.samples, what, told)
    if weights is not None:
        held = io.BytesIO()
        np.save(held, codes)
        write_whole(file, held.getvalue())
    return attrs.evolve(samples.seeds, codes=codes)


def _codes(space: LatentSpace, samples: Batch, what: str, told: Told) -> FloatArray:
    parts = []
    for first in range(0, len(samples), _BLOCK):
        told(f"encoding {what}", first, len(samples))
        parts.append(space.encode(samples[first : first + _BLOCK]))
    codes = np.concatenate(parts).astype(np.float64)
    broken = np.flatnonzero(~np.isfinite(codes).all(axis=1))
    if len(broken):
        raise MisfitError(
            f"the generator gives codes that are not finite for {len(broken)} samples of [{what}]",
            hint="its weights are broken: train it again",
        )
    return codes


def _check_samples(facts: Mapping[str, Any], samples: Batch, what: str) -> None:
    shape, dtype = tuple(facts.get("shape") or samples.shape[1:]), facts.get("dtype", samples.dtype.name)
    if shape != samples.shape[1:] or dtype != samples.dtype.name:
        raise MisfitError(
            f"the generator is for samples {dtype}{list(shape)}, and [{what}] has {_shown(samples[0])}",
            hint="name another generator, or other samples",
        )
    span = facts.get("range")
    if span is not None:
        low, high = float(samples.min()), float(samples.max())
        # Samples of a wider type than their range, as floats of bytes, would be decoded to something else.
        if (
            low < span[0]
            or high > span[1]
            or (samples.dtype.kind == "f" and high - low > 0 and _scaled(low, high, span))
        ):
            raise MisfitError(
                f"the generator is for values from {span[0]:g} to {span[1]:g}, and those of [{what}] go from {low:g} "
                f"to {high:g}",
                hint="give samples of the range that it was trained on",
            )


def _scaled(low: float, high: float, span: Sequence[float]) -> bool:
    """Whether values fill so little of their range that they are in another unit: [0, 1] in place of [−1, 1]."""
    return high - low <= (span[1] - span[0]) / 100.0 or span[0] < 0.0 <= low


def _check_reference(reference: Samples) -> None:
    counted: Counter[Hashable] = Counter(reference.seeds.labels)
    if len(counted) < 2:
        raise MisfitError(
            f"every sample of [reference] has the label {next(iter(counted))!r}: nothing separates one class",
            hint="give samples of at least two classes",
        )
    if len(reference.seeds) < LEAST:
        raise MisfitError(
            f"[reference] has {len(reference.seeds)} samples, too few to say what is near a code: {LEAST} is the least",
            hint="give more, best all that the generator was trained on",
        )


def _shown(sample: Any) -> str:
    return f"{sample.dtype}[{'×'.join(map(str, sample.shape))}]"


def _digest(seeds: SeedSet) -> str:
    """Return the digest of samples and labels in the order of their source, as a generator's artefact has it."""
    rows = np.argsort(seeds.cases, kind="stable").tolist()
    return digest_of_set((seeds.samples[row] for row in rows), (seeds.labels[row] for row in rows))
