"""A repaired candidate as files: exported, held against the variant in memory label by label, and timed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
from attrs import frozen

from dltf.campaign.environment import environment, model_facts
from dltf.campaign.export import new_folder
from dltf.campaign.opening import model_of
from dltf.campaign.probe import probe
from dltf.campaign.selection import select
from dltf.errors import ConversionError, MisfitError, SeedError, SeedSourceError
from dltf.ship.exported import opened
from dltf.ship.figures import agreement, latency
from dltf.store.folder import write_json
from dltf.values import Shipping
from dltf.variant import Variant

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.profile import Profile
    from dltf.ship.exported import Exported
    from dltf.values import Seed, Shipped

    Told: TypeAlias = Callable[[str], None]

RESULT = "ship.json"
SCHEMA = 1
SEEDS = 1000
_SETTLE = 64  # seeds that the decoder and the probe look at


@frozen
class Asked:
    """How a repair is shipped, and on how many seeds and in how many rounds it is looked at."""

    weights: Literal["float", "int8"] = "float"
    seeds: int = SEEDS
    repetitions: int = 30


def ship(
    profile: Profile, host: Host, folder: Path, asked: Asked, found: Sequence[Seed], told: Told = lambda what: None
) -> dict[str, Any]:
    """Export the profile's repaired candidate into a new folder; return what `ship.json` there holds.

    `found` are findings, as seeds: on them the head has more to say. What fails leaves nothing behind.
    """
    export, folder = _export_of(profile), folder.absolute()
    with new_folder(folder), Variant("candidate", _model(profile), profile.domain.tensors) as variant:
        told("reading seeds")
        seeds, skipped = _seeds(profile, variant, asked.seeds)
        _settle(profile, variant, seeds)
        told("exporting")
        shipping = _shipping(profile, variant, asked.weights)
        shipped: Shipped = export(shipping, folder)
        files = _files(folder)
        with opened(profile, variant, shipped, folder) as exported:
            result = {
                "schema": SCHEMA,
                "candidate": model_facts(profile.candidate),
                "weights": asked.weights,
                "file": shipped.file,
                "runner": shipped.runner,
                "notes": list(shipped.notes),
                "output": {
                    "name": shipping.output.name,
                    "scores": shipping.scores,
                    "label_offset": shipping.label_offset,
                },
                "skipped": skipped,
                **_figures(variant, exported, seeds, found, asked, told),
                "cost": _cost(profile, shipped, files),
                "environment": environment(host),
            }
        write_json(folder / RESULT, result)
    return result


def _figures(
    variant: Variant, exported: Exported, seeds: Sequence[Seed], found: Sequence[Seed], asked: Asked, told: Told
) -> dict[str, Any]:
    told(f"showing {len(seeds)} seeds to both")
    figures: dict[str, Any] = {"agreement": {"seeds": agreement(variant, exported, seeds)}}
    if found:
        told(f"showing {len(found)} findings to both")
        figures["agreement"]["findings"] = agreement(variant, exported, found)
    if asked.repetitions:
        told("timing")
        figures["latency"] = latency(variant, exported, seeds, asked.repetitions)
    return figures


def _model(profile: Profile) -> Any:
    """Return the candidate's model, opened in this process: it is timed here."""
    return model_of(profile.candidate, attrs.evolve(profile.campaign, isolate=False))


def _export_of(profile: Profile) -> Callable[[Shipping, Path], Shipped]:
    """Return how the candidate's head is exported; raise where there is nothing to export."""
    repairing = profile.candidate.repairing
    if repairing is None:
        raise MisfitError("the candidate is not repaired", hint="name a repair.json in its table: repair = …")
    if profile.candidate.table.file is None:
        raise MisfitError(
            f"{profile.candidate.name} is no file, and only a file can be exported",
            hint="convert the model, and repair that",
        )
    export: Callable[[Shipping, Path], Shipped] | None = getattr(repairing.component, "export", None)
    if export is None:  # contracts.Exports
        raise ConversionError(
            f"the head {repairing.repair.use} cannot be exported", hint="fit another one: dltf repair --head …"
        )
    return export


def _seeds(profile: Profile, variant: Variant, count: int) -> tuple[list[Seed], int]:
    """Return seeds that can be read and that the candidate takes, and how many are not so."""
    source = profile.seed_source.open()
    table = attrs.evolve(profile.seeds, count=min(count, len(source)) or None)
    seeds: list[Seed] = []
    cases = select(table, len(source), profile.campaign.seed)
    wrong: SeedError | MisfitError | None = None
    for case in cases:
        try:
            seed = source[case]
            variant.check(seed.sample, seed.columns)
        except (SeedError, MisfitError) as error:
            wrong = error
            continue
        seeds.append(seed)
    if not seeds:
        raise SeedSourceError(f"none of the {len(cases)} seeds can be shown to the candidate: {wrong}")
    return seeds, len(cases) - len(seeds)


def _settle(profile: Profile, variant: Variant, seeds: Sequence[Seed]) -> None:
    first = list(seeds[:_SETTLE])
    variant.settle(profile.candidate.decoder, [seed.sample for seed in first], [seed.columns for seed in first])
    variant.alone = not probe(variant, first).batch


def _shipping(profile: Profile, variant: Variant, weights: Literal["float", "int8"]) -> Shipping:
    """Return what is exported; raise `ConversionError` where the outputs are not read as those of a classifier."""
    repairing, file, own = profile.candidate.repairing, profile.candidate.table.file, variant.own
    assert repairing is not None, "it was looked at before"
    assert file is not None, "it was looked at before"
    named = {spec.name: spec for spec in variant.outputs}
    output, scores = getattr(own, "output", None), getattr(own, "scores", None)
    if output not in named or scores not in ("probabilities", "logits"):
        raise ConversionError(
            f"the outputs are read by {type(own).__name__}, and only those of a classifier can be exported",
            hint='use = "classes" in [models.candidate.output]',
        )
    return Shipping(
        candidate=file,
        head=repairing.repair.head,
        threshold=repairing.repair.threshold,
        output=named[output],
        scores=scores,
        label_offset=getattr(own, "label_offset", 0),
        weights=weights,
    )


def _files(folder: Path) -> dict[str, Any]:
    """Return the size and checksum of every file that was written."""
    return {
        str(path.relative_to(folder)): {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _cost(profile: Profile, shipped: Shipped, files: dict[str, Any]) -> dict[str, Any]:
    own = model_facts(attrs.evolve(profile.candidate, repairing=None))["bytes"]
    return {
        "candidate_bytes": own,
        "head_bytes": shipped.head_bytes,
        "bytes": sum(one["bytes"] for one in files.values()),
        "files": files,
    }
