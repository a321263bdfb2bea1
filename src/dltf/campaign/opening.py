"""Opening what a profile names: seeds, variants, and what has to be found out before the first query."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import attrs
from attrs import define

from dltf.campaign.environment import unrepaired_facts
from dltf.campaign.probe import Invariance, probe
from dltf.campaign.selection import select
from dltf.campaign.tuning import best_batch
from dltf.errors import MisfitError, RuntimeFailedError, SeedError, SeedSourceError
from dltf.joining import needs_labels
from dltf.remote import Isolated
from dltf.repaired.decoder import Correction
from dltf.search.latent import LatentGeometry, LatentSeeds
from dltf.search.pair import Pair
from dltf.variant import Model, Variant

if TYPE_CHECKING:
    from dltf import profile as p
    from dltf.contracts import Geometry, LatentSpace, Seeds
    from dltf.values import Seed

BATCH = 64  # inputs a turn, where nothing tells a better number
_SETTLE = 64  # seeds that decoders and the probe look at


@define(eq=False)
class Opened:
    """A campaign ready to run: `batch` inputs a turn, and what the probe said of each variant by its role."""

    seeds: Seeds
    cases: list[int]
    pair: Pair
    batch: int
    invariance: dict[str, Invariance]
    waived: bool  # the profile set a batch that a variant's answers depend on
    geometry: Geometry  # of paths between seeds
    space: LatentSpace | None = None  # that they lead through


def open_seeds(profile: p.Profile) -> tuple[Seeds, list[int]]:
    """Open the seed source, and choose the campaign's cases."""
    seeds = profile.seed_source.open()
    return seeds, select(profile.seeds, len(seeds), profile.campaign.seed)


def make_pair(profile: p.Profile) -> Pair:
    """Return both variants, not opened yet."""
    table = profile.campaign
    reference, candidate = (
        Variant(role, model_of(described, table), profile.domain.tensors)
        for role, described in (("reference", profile.reference), ("candidate", profile.candidate))
    )
    return Pair(reference, candidate, profile.oracle, concurrent=table.concurrent)


def model_of(described: p.Variant, table: p.CampaignTable) -> Model:
    """Return what a profile says of a model, ready to be opened."""
    return Model(
        name=described.name,
        backend=Isolated(described.backend, table.call_timeout_s) if table.isolate else described.backend,
        file=described.table.file,
        target=described.table.target,
        settings=described.input,
        feeds=described.feeds,
        correction=_correction(described),
    )


def _correction(described: p.Variant) -> Correction | None:
    """Load the head of a variant that is repaired; raise `MisfitError` where it was fitted to another model."""
    if described.repairing is None:
        return None
    repair, found = described.repairing.repair, unrepaired_facts(described)
    fitted_to = repair.candidate["sha256"]
    if found["sha256"] != fitted_to:
        raise MisfitError(
            f"{repair.file} repairs {repair.candidate.get('name', 'another model')} (sha256 {fitted_to[:12]}…), and "
            f"this model is {found['file']} (sha256 {found['sha256'][:12]}…)",
            hint="fit a head to this model with dltf repair, or leave `repair` out",
        )
    return Correction(repair, described.repairing.component.load(repair.head))


def settle(profile: p.Profile, pair: Pair, seeds: Seeds, cases: list[int]) -> Opened:
    """Let decoders decide, probe both variants, and check that they can be compared.

    The generator of the profile's paths, where it has one, is open for as long as the pair is.
    """
    geometry, space = profile.domain.geometry, None
    if profile.paths is not None:
        space = pair.open_beside(profile.paths.generator.open())
        seeds, geometry = latent_of(profile, space, seeds, cases)
    first = that_run((pair.reference, pair.candidate), first_that_fit(pair, seeds, cases))
    samples, columns = [seed.sample for seed in first], [seed.columns for seed in first]
    variants = ((pair.reference, profile.reference), (pair.candidate, profile.candidate))
    for variant, described in variants:
        variant.settle(described.decoder, samples, columns)
    _comparable(pair, first[0])
    _labelled(profile, first)
    asked = profile.campaign.batch
    batch = asked or best_batch(pair, first)
    invariance = {variant.role: probe(variant, first, asked) for variant, _ in variants}
    if asked is None:
        for variant, _ in variants:
            variant.alone = not invariance[variant.role].batch
    waived = asked not in (None, 1) and not all(seen.batch for seen in invariance.values())
    return Opened(seeds, cases, pair, batch, invariance, waived, geometry, space)


def latent_of(profile: p.Profile, space: LatentSpace, seeds: Seeds, cases: list[int]) -> tuple[Seeds, Geometry]:
    """Return the seeds and the geometry of a campaign whose paths lead through this space.

    Raise `MisfitError` where the generator takes none of the first seeds.
    """
    assert profile.paths is not None
    table = profile.paths.table
    latent = LatentGeometry(profile.domain.geometry, space, near=table.neighbours == "latent")
    found = LatentSeeds(seeds, cases, latent, again=table.seeds == "reconstructions")
    if found.again:
        found.source = {**seeds.source, "reconstructed": {"use": table.use, **space.facts}}
    wrong: MisfitError | None = None
    for case in cases[:_SETTLE]:
        try:
            latent.check(seeds[case].sample)
            return found, latent
        except MisfitError as error:
            wrong = wrong or error
        except SeedError:
            continue
    if wrong is not None:
        raise MisfitError(f"[paths], {table.use}: {wrong.message}", hint=wrong.hint)
    return found, latent  # none of them can be read: it is said when they are looked at


def first_that_fit(pair: Pair, seeds: Seeds, cases: Sequence[int], count: int = _SETTLE) -> list[Seed]:
    """Return the first readable seeds that fit both models; raise where there is none, and say why."""
    found: list[Seed] = []
    wrong: SeedError | MisfitError | None = None
    for case in cases:
        try:
            seed = seeds[case]
            fits(pair, seed)
        except (SeedError, MisfitError) as error:
            # A misfit tells more than an unreadable file.
            wrong = error if wrong is None or isinstance(error, MisfitError) else wrong
            continue
        found.append(seed)
        if len(found) == count:
            break
    if found:
        return found
    if isinstance(wrong, MisfitError):
        raise wrong
    raise SeedSourceError(
        f"none of the {len(cases)} seeds can be read; the first of them: {wrong}", hint="see [seeds] in the profile"
    )


def that_run(variants: Sequence[Variant], seeds: list[Seed]) -> list[Seed]:
    """Leave out the seeds that some variant does not take or fails on: they tell nothing about its outputs."""
    try:
        for variant in variants:
            variant.raw([seed.sample for seed in seeds], [seed.columns for seed in seeds])
    except (RuntimeFailedError, MisfitError):
        if len(seeds) == 1:
            raise
        running = []
        for seed in seeds:
            with suppress(RuntimeFailedError, MisfitError):
                running += that_run(variants, [seed])
        if not running:
            raise
        return running
    return seeds


def fits(pair: Pair, seed: Seed) -> None:
    """Raise `MisfitError` where one of the variants cannot take this seed."""
    for variant in (pair.reference, pair.candidate):
        variant.check(seed.sample, seed.columns)


def _labelled(profile: p.Profile, seeds: Sequence[Seed]) -> None:
    """Raise `MisfitError` where the oracle goes by labels, and the first seeds have none."""
    if needs_labels(profile.oracle) and all(seed.label is None for seed in seeds):
        raise MisfitError(
            f"the oracle goes by the labels of the seeds, and the first {len(seeds)} have none",
            hint="give the seeds labels (transcripts), or use an oracle that compares the answers alone",
        )


def _comparable(pair: Pair, seed: Seed) -> None:
    """Raise `MisfitError` where the answers to one seed are of different kinds or widths; no oracle is asked yet."""
    try:
        seen = [variant.observe([seed.sample], [seed.columns]) for variant in (pair.reference, pair.candidate)]
    except RuntimeFailedError:
        return
    kinds = [_kind(observed.decisions[0]) for observed in seen]
    if kinds[0] != kinds[1]:
        raise MisfitError(
            f"the reference ({pair.reference.name}) answers with {kinds[0]} and the candidate "
            f"({pair.candidate.name}) with {kinds[1]}",
            hint="give both the same decoder: use = … in both tables [models.*.output]",
        )
    widths = [None if observed.states is None else observed.states.shape[1] for observed in seen]
    if None not in widths and widths[0] != widths[1]:
        raise MisfitError(
            f"the reference ({pair.reference.name}) gives {widths[0]} classes and the candidate "
            f"({pair.candidate.name}) {widths[1]}",
            hint="where one has background classes in front, set label_offset in its [models.*.output]",
        )


def _kind(decision: Hashable) -> str:
    return "a text" if isinstance(decision, str) else "a tuple" if isinstance(decision, tuple) else "a number"


def written(invariance: Invariance) -> dict[str, object]:
    """Return the probe's outcome for the record."""
    return attrs.asdict(invariance)
