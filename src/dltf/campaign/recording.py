"""Recording what a model answers on the seeds of a profile, so that it can be compared where it cannot be run."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.campaign.opening import BATCH, latent_of, model_of, open_seeds
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

    Seeds that cannot be read, or do not fit, are left out; of equal ones the first is recorded. Quantised outputs are
    turned back into real ones.
    """
    described = profile.reference if role == "reference" else profile.candidate
    source, cases = open_seeds(profile)
    digests: dict[str, None] = {}
    parts: list[dict[str, NDArray[Any]]] = []
    wrong: SeedError | MisfitError | None = None
    with ExitStack() as stack:
        if profile.paths is not None:
            source, _ = latent_of(profile, stack.enter_context(profile.paths.generator.open()), source, cases)
        model = model_of(described, profile.campaign)
        variant = stack.enter_context(Variant(role, model, profile.domain.tensors))
        variant.alone = True  # as it answers alone, whatever its batch
        for first in range(0, len(cases), BATCH):
            seeds, left_out = _fitting(source, cases[first : first + BATCH], variant)
            wrong = wrong or left_out
            fresh = {digest_of(seed.sample): seed for seed in reversed(seeds)}
            fresh = {digest: seed for digest, seed in reversed(fresh.items()) if digest not in digests}
            parts += _answered(variant, list(fresh.values()))
            digests |= dict.fromkeys(fresh)
            progressed(min(first + BATCH, len(cases)))
    if not digests:
        message = f"none of the {len(cases)} seeds could be recorded; the first of them: {wrong and wrong.message}"
        raise SeedSourceError(message, hint="see [seeds] in the profile")
    arrays = _joined(role, parts)
    if DIGESTS in arrays:
        raise MisfitError(f'the {role} has an output of the name "{DIGESTS}", which is taken', hint="rename it")
    data = io.BytesIO()
    np.savez_compressed(data, **{DIGESTS: np.array(list(digests))}, **arrays)  # type: ignore[arg-type]
    write_whole(file, data.getvalue())
    return len(digests)


def _fitting(source: Seeds, cases: list[int], variant: Variant) -> tuple[list[Seed], SeedError | MisfitError | None]:
    """Return the seeds that can be recorded, and why the first of the others cannot."""
    found: list[Seed] = []
    wrong: SeedError | MisfitError | None = None
    for case in cases:
        try:
            seed = source[case]
            variant.check(seed.sample, seed.columns)
        except (SeedError, MisfitError) as error:
            wrong = wrong or error
            continue
        found.append(seed)
    return found, wrong


def _answered(variant: Variant, seeds: list[Seed]) -> list[dict[str, NDArray[Any]]]:
    """Return the outputs in the order of the seeds."""
    if not seeds:
        return []
    groups = variant.raw([seed.sample for seed in seeds], [seed.columns for seed in seeds])
    rows = np.argsort(np.concatenate([group for group, _ in groups]), kind="stable")
    joined = _joined(variant.role, [named for _, named in groups])
    return [{name: values[rows] for name, values in joined.items()}]


def _joined(role: str, parts: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Return several batches' outputs as one, by name."""
    try:
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    except ValueError as error:
        raise MisfitError(
            f"the outputs of the {role} are of several shapes, and recorded ones are one array: {error}",
            hint="record seeds of one shape at a time",
        ) from error
