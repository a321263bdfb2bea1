"""The separation that a profile asks for: of its reference samples, and of its seeds among them."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import field, frozen

from dltf.campaign.selection import select
from dltf.errors import MisfitError, ProfileError
from dltf.feature.nearest import Told, distances_to_others
from dltf.feature.norms import Norm
from dltf.feature.samples import check_artefact, read
from dltf.feature.separation import CERTIFICATE, Separation, ordered, separation
from dltf.values import digest_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.contracts import LatentSpace
    from dltf.feature.samples import Samples
    from dltf.profile.feature import FeatureProfile
    from dltf.values import FloatArray, IntArray

Space = Literal["latent", "pixels"]

SUSPECTS = 50  # smallest distances that are listed
_BLOCK = 512  # samples that are encoded at once
_MOST_PAIRS = 64  # labels of which each two are held against each other
_QUANTILES = {"least": 0.0, "p1": 0.01, "p5": 0.05, "median": 0.5, "p95": 0.95, "most": 1.0}


@frozen(eq=False)
class Asked:
    """What is measured, and how."""

    space: Space = "latent"
    norm: Norm = "l2"
    trim: float = 0.01
    suspects: int = SUSPECTS
    exclude: int = 0  # suspects, with their partners


@frozen(eq=False)
class Measured:
    """What was measured: `record` is what separation.json holds, `arrays` what separation.npz does."""

    record: dict[str, Any]
    arrays: Mapping[str, NDArray[Any]]
    found: Separation
    reference: Samples
    partners: list[tuple[int, int]] = field(factory=list)  # the suspects' rows, and those that they are nearest to


def measure(profile: FeatureProfile, asked: Asked, told: Told) -> Measured:
    """Read the reference samples, and the seeds where they are others; bring them into the space; measure."""
    began = time.monotonic()
    table, source = profile.samples
    if source is None:
        raise ProfileError(["the table [reference] is missing: it names the samples whose separation is measured"])
    opened = source.open()
    reference = read(opened, select(table, len(opened), profile.campaign.seed), "reference", told)
    seeds = _seeds(profile, told)
    codes, seed_codes, facts = _codes(profile, asked.space, reference, seeds, told)
    found = separation(codes, reference.seeds.labels, asked.norm, told=told)
    record = {
        "name": profile.campaign.name,
        "space": asked.space,
        "norm": asked.norm,
        "certificate": CERTIFICATE,
        "reference": _who(table.use, reference),
        "generator": {"use": profile.generator_name, **facts} if facts is not None else None,
        "scale": 255 if asked.space == "pixels" and reference.seeds.samples.dtype == np.uint8 else None,
        **_figures(found, asked.trim),
        "by_label": _by_label(found),
        "pairs": _pairs(found, told),
        "suspects": (suspects := _suspects(found, reference, asked.suspects)),
        "without_suspects": _without(found, reference, asked, told),
        "seeds": None,
        "doubts": found.doubts(),
    }
    arrays: dict[str, Any] = {"deltas": found.deltas, "nearest": found.nearest, "cases": reference.seeds.cases}
    if seeds is not None:
        deltas, nearest = distances_to_others(
            seed_codes, seeds.seeds.labels, codes, reference.seeds.labels, asked.norm, told=told
        )
        record["seeds"] = {**_who(profile.seeds.use, seeds), "radii": _spread(deltas / 2), "least": float(deltas.min())}
        arrays |= {"seed_deltas": deltas, "seed_nearest": nearest, "seed_cases": seeds.seeds.cases}
    record["seconds"] = round(time.monotonic() - began, 1)
    return Measured(record, arrays, found, reference, [(one["row"], one["nearest_row"]) for one in suspects])


def _seeds(profile: FeatureProfile, told: Told) -> Samples | None:
    """Read the seeds where they are others than the reference."""
    if profile.reference_source is None or profile.seed_source is None:
        return None
    if (profile.seed_source, profile.seeds) == (profile.reference_source, profile.reference):
        return None
    opened = profile.seed_source.open()
    return read(opened, select(profile.seeds, len(opened), profile.campaign.seed), "seeds", told)


def _codes(
    profile: FeatureProfile, space: Space, reference: Samples, seeds: Samples | None, told: Told
) -> tuple[NDArray[Any], NDArray[Any], dict[str, Any] | None]:
    """Return points of the reference and of the seeds, and what is told of the generator that made them."""
    both = [reference] if seeds is None else [reference, seeds]
    if space == "pixels":
        if reference.seeds.samples.shape[1:] != both[-1].seeds.samples.shape[1:]:
            raise MisfitError(
                f"reference samples are {reference.seeds.samples.shape[1:]}, seeds {both[-1].seeds.samples.shape[1:]}",
                hint="bring both to one shape (for pictures: size and resize)",
            )
        points = [one.seeds.samples.reshape(len(one.seeds), -1) for one in both]
        return points[0], points[-1], None
    with profile.generator.open() as opened:
        check_artefact(opened.facts, opened, reference, both[-1])
        codes = [_active(opened, one, told) for one in both]
        facts = {key: value for key, value in opened.facts.items() if isinstance(value, (str, int, float, list, dict))}
        facts["active"] = int(np.count_nonzero(opened.active))
        return codes[0], codes[-1], facts


def _active(space: LatentSpace, samples: Samples, told: Told) -> FloatArray:
    """Return the mean codes of samples, in the dimensions that tell them apart."""
    parts, every = [], samples.seeds.samples
    for start in range(0, len(every), _BLOCK):
        parts.append(space.encode(every[start : start + _BLOCK])[:, space.active])
        told("encoding", start, len(every))
    return np.concatenate(parts)


def _figures(found: Separation, trim: float) -> dict[str, Any]:
    return {
        "points": len(found.labels),
        "r": found.r,
        "trim": trim,
        "trimmed": found.trimmed(trim),
        "radii": _spread(found.radii),
    }


def _spread(radii: FloatArray) -> dict[str, float]:
    return {name: float(np.quantile(radii, share)) for name, share in _QUANTILES.items()}


def _by_label(found: Separation) -> list[dict[str, Any]]:
    labels = np.array([str(label) for label in found.labels])
    least = found.by_class()
    return [
        {
            "label": label,
            "points": int(np.count_nonzero(labels == str(label))),
            "r": radius,
            "median": float(np.median(found.radii[labels == str(label)])),
        }
        for label, radius in least.items()
    ]


def _pairs(found: Separation, told: Told) -> dict[str, Any] | None:
    if len(ordered(found.labels)) > _MOST_PAIRS:
        return None
    names, least = found.pairs(told=lambda _, done, total: told("pairs of labels", done, total))
    return {"labels": names, "r": least.tolist()}


def _suspects(found: Separation, reference: Samples, count: int) -> list[dict[str, Any]]:
    names, labels, cases = reference.seeds.names, found.labels, reference.seeds.cases

    def who(row: int) -> tuple[int, str, Hashable]:
        return int(cases[row]), names[row], labels[row]

    listed: list[dict[str, Any]] = []
    for row in found.suspects(count).tolist():
        other = int(found.nearest[row])
        if any((one["row"], one["nearest_row"]) == (other, row) for one in listed):
            continue  # told from its partner's side
        (case, name, label), (its_case, its_name, its_label) = who(row), who(other)
        listed.append(
            {
                "row": row,
                "case": case,
                "name": name,
                "label": label,
                "nearest_row": other,
                "nearest_case": its_case,
                "nearest_name": its_name,
                "nearest_label": its_label,
                "distance": float(found.deltas[row]),
                "same": digest_of(reference.seeds.samples[row]) == digest_of(reference.seeds.samples[other]),
            }
        )
    return listed


def _without(found: Separation, reference: Samples, asked: Asked, told: Told) -> dict[str, Any] | None:
    if not asked.exclude:
        return None
    rows: IntArray = found.suspects(asked.exclude)
    both = sorted({*rows.tolist(), *found.nearest[rows].tolist()})
    rest = found.without(both, told=told)
    excluded = sorted(reference.seeds.cases[both].tolist())
    return {"asked": asked.exclude, "excluded": excluded, **_figures(rest, asked.trim)}


def _who(use: str, samples: Samples) -> dict[str, Any]:
    return {
        "use": use,
        "samples": len(samples.seeds),
        "sha256": samples.digest,
        "unreadable": samples.unreadable,
        "unlabelled": samples.unlabelled,
    }
