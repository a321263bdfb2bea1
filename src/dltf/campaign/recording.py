"""Recording what a model answers on the seeds of a profile, so that it can be compared where it cannot be run."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.campaign.opening import BATCH, model_of, open_seeds
from dltf.errors import MisfitError, SeedError, SeedSourceError
from dltf.store.folder import write_whole
from dltf.values import digest_of
from dltf.variant import Variant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.contracts import Seeds
    from dltf.profile import Profile
    from dltf.values import Seed

DIGESTS = "sha256"  # as the backend "recorded" has it


def record(profile: Profile, role: str, file: Path, progressed: Callable[[int], None] = lambda done: None) -> int:
    """Write the raw outputs of a model on the profile's seeds, with their digests; return how many seeds there are.

    Seeds that cannot be read, or do not fit, are left out. Quantised outputs are turned back into real ones.
    """
    described = profile.reference if role == "reference" else profile.candidate
    source, cases = open_seeds(profile)
    digests: list[str] = []
    parts: list[dict[str, NDArray[Any]]] = []
    with Variant(role, model_of(described, profile.campaign), profile.domain.tensors) as variant:
        variant.alone = True  # as it answers alone, whatever its batch
        for first in range(0, len(cases), BATCH):
            seeds = _fitting(source, cases[first : first + BATCH], variant)
            parts += _answered(variant, seeds)
            digests += [digest_of(seed.sample) for seed in seeds]
            progressed(min(first + BATCH, len(cases)))
    if not digests:
        raise SeedSourceError(f"none of the {len(cases)} seeds could be recorded", hint="see [seeds] in the profile")
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if DIGESTS in arrays:
        raise MisfitError(f'the {role} has an output of the name "{DIGESTS}", which is taken', hint="rename it")
    data = io.BytesIO()
    np.savez_compressed(data, **{DIGESTS: np.array(digests)}, **arrays)  # type: ignore[arg-type]
    write_whole(file, data.getvalue())
    return len(digests)


def _fitting(source: Seeds, cases: list[int], variant: Variant) -> list[Seed]:
    found = []
    for case in cases:
        try:
            seed = source[case]
            variant.check(seed.sample, seed.columns)
        except (SeedError, MisfitError):
            continue
        found.append(seed)
    return found


def _answered(variant: Variant, seeds: list[Seed]) -> list[dict[str, NDArray[Any]]]:
    """Return the outputs in the order of the seeds."""
    if not seeds:
        return []
    groups = variant.raw([seed.sample for seed in seeds], [seed.columns for seed in seeds])
    rows = np.argsort(np.concatenate([group for group, _ in groups]), kind="stable")
    try:
        return [{name: np.concatenate([named[name] for _, named in groups])[rows] for name in groups[0][1]}]
    except ValueError as error:
        raise MisfitError(
            f"the outputs of the {variant.role} are of several shapes, and recorded ones are one array: {error}",
            hint="record seeds of one shape at a time",
        ) from error
