"""The ground that tests stand on: reference and seeds as codes, and how far each may be led."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.campaign.selection import select
from dltf.feature.densities import Density
from dltf.feature.metrics import spread
from dltf.feature.nearest import distances_to_others
from dltf.feature.samples import Told, check_artefact, chosen, encoded, read
from dltf.feature.screen import suspect_radius
from dltf.feature.separation import separation
from dltf.feature.trials import SeedSet
from dltf.feature.validity import Reference

if TYPE_CHECKING:
    from dltf.contracts import LatentSpace
    from dltf.profile.feature import FeatureProfile, GenerateTable
    from dltf.values import FloatArray, IntArray


@frozen(eq=False)
class Ground:
    """Reference, seeds and held-out seeds as codes.

    `own`: ρ of the offered seeds [n]; `radii` and `reference_radii`: the same, within what the profile allows.
    `suspect` is the radius that a seed has to exceed, `told` what is said of the separation.
    """

    reference: SeedSet
    seeds: SeedSet
    held_out: SeedSet | None
    near: Reference
    own: FloatArray
    radii: FloatArray
    reference_radii: FloatArray
    suspect: float
    others: IntArray  # of each seed, the row of the reference code of another label that is nearest
    told: dict[str, Any]
    counts: dict[str, int]
    digests: dict[str, str]
    held_from: str


def prepare(profile: FeatureProfile, space: LatentSpace, folder: Path, told: Told) -> Ground:
    """Read and encode everything, and measure what separates labels."""
    source = profile.seed_source.open()
    cases, held, held_from = chosen(profile, source)
    assert profile.reference is not None, "tests need it, and it was read"
    assert profile.reference_source is not None
    reference_source = profile.reference_source.open()
    reference_cases = select(profile.reference, len(reference_source), profile.campaign.seed)
    reference = read(reference_source, reference_cases, "reference", told)
    seeds = read(source, cases, "seeds", told)
    check_artefact(space.facts, space, reference, seeds)
    kept = folder
    kept.mkdir(parents=True, exist_ok=True)
    known = encoded(space, reference, "reference", kept, told)
    offered = encoded(space, seeds, "seeds", kept, told)
    apart = read(source, held, "held-out seeds", told) if held else None
    held_out = encoded(space, apart, "held-out", kept, told) if apart is not None else None
    known, radii_of, separated = _separated(known, space, profile.generate, told)
    codes = np.ascontiguousarray(known.codes[:, space.active])
    deltas, others = distances_to_others(
        offered.codes[:, space.active], offered.labels, codes, known.labels, profile.generate.norm
    )
    own = deltas / 2.0
    return Ground(
        reference=known,
        seeds=offered,
        held_out=held_out,
        near=Reference(codes, known.labels, profile.generate.norm, Density.among(codes, profile.generate.norm)),
        own=own,
        radii=np.minimum(own, separated["limit"]),
        reference_radii=np.minimum(radii_of, separated["limit"]),
        suspect=separated["suspect_radius"],
        others=others,
        told={key: value for key, value in separated.items() if key != "limit"} | {"seeds": spread(own)},
        counts={
            "unreadable": seeds.unreadable,
            "unlabelled": seeds.unlabelled,
            "held_out": 0 if apart is None else len(apart.seeds),
        },
        digests={"reference": reference.digest, "seeds": seeds.digest, "held_out": apart.digest if apart else ""},
        held_from=held_from,
    )


def classes_of(*sets: SeedSet) -> list[Hashable]:
    """Return the labels that there are, in order."""
    found = {label for one in sets for label in one.labels}
    return sorted(found, key=lambda label: (type(label).__name__, label))


def _separated(
    known: SeedSet, space: LatentSpace, table: GenerateTable, told: Told
) -> tuple[SeedSet, FloatArray, dict[str, Any]]:
    """Measure the separation of the reference, without its suspects where the profile says so."""
    told("measuring separation", 0, len(known))
    found = separation(known.codes[:, space.active], known.labels, table.norm)
    suspects = np.asarray(found.suspects(table.suspects), dtype=np.int64)
    before = {"r": found.r, "trimmed": found.trimmed(table.trim), "codes": len(known)}
    listed = [_suspect(known, found, int(row)) for row in suspects]
    if table.exclude_suspects and len(suspects):
        known = known.take(np.setdiff1d(np.arange(len(known)), suspects))
        found = separation(known.codes[:, space.active], known.labels, table.norm)
    radii = np.asarray(found.radii)
    trimmed = found.trimmed(table.trim)
    # Where two samples are the same and their labels are not, r is 0, and no test could be made within it.
    limit = {"seed": np.inf, "global": found.r or trimmed, "trimmed": trimmed}[table.radius]
    suspect_at = 0.0 if table.exclude_suspects else suspect_radius(radii, table.suspects, table.trim)
    return (
        known,
        radii,
        {
            "norm": table.norm,
            "codes": len(known),
            "r": found.r,
            "trimmed": trimmed,
            "trim": table.trim,
            "radius": table.radius,
            "radius_used": "trimmed" if table.radius == "global" and not found.r else table.radius,
            "by_class": [[label, value] for label, value in found.by_class().items()],
            "reference": spread(radii),
            "before": before,
            "excluded": len(suspects) if table.exclude_suspects else 0,
            "suspects": listed,
            "suspect_radius": suspect_at,
            "limit": limit,
        },
    )


def _suspect(known: SeedSet, found: Any, row: int) -> dict[str, Any]:
    partner = int(found.nearest[row])
    return {
        "name": known.names[row],
        "label": known.labels[row],
        "delta": float(found.deltas[row]),
        "other": known.names[partner],
        "other_label": known.labels[partner],
    }
