"""What is told of a method's tests: figures, costs, moves, and how different the failures are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from dltf.feature.metrics import clusters, cost, coverage, figures, pairs_of_classes, places, spread

if TYPE_CHECKING:
    from dltf.contracts import Geometry
    from dltf.feature.ground import Ground
    from dltf.feature.trials import SeedSet, Tried
    from dltf.values import BoolArray, FloatArray

_LOOKED_AT = 2  # tests of each seed whose distance to it is measured, beside all valid failures


@frozen(eq=False)
class Moves:
    """How far tests are from their seeds, in the domain's distances: of a few of each seed, and of valid failures."""

    some: dict[str, list[FloatArray]] = field(factory=dict)
    failures: dict[str, list[FloatArray]] = field(factory=dict)

    def look(self, geometry: Geometry, seeds: SeedSet, tried: Tried) -> None:
        first = places(tried.seeds) < _LOOKED_AT
        failing = tried.outcome.failing & tried.valid
        finite = np.isfinite(tried.samples.reshape(len(tried), -1)).all(axis=1)
        rows = np.flatnonzero((first | failing) & finite)
        if not len(rows):
            return
        found = geometry.distances(list(seeds.samples[tried.seeds[rows]]), list(tried.samples[rows]))
        for name, values in found.items():
            self.some.setdefault(name, []).append(values[first[rows]])
            self.failures.setdefault(name, []).append(values[failing[rows]])

    def told(self) -> dict[str, Any]:
        return {
            name: {
                "all": spread(np.concatenate(self.some[name])),
                "valid_failures": spread(np.concatenate(self.failures[name])),
            }
            for name in self.some
        }


def told_method(
    tried: Tried, seeds: SeedSet, moves: FloatArray, radii: FloatArray, ground: Ground, active: BoolArray
) -> dict[str, Any]:
    """Return what codes and answers tell; `radii` are the own ρ of the seeds.

    `classes` counts [label, answer], and of a pair [answer of the reference, answer of the candidate].
    """
    limit = radii[tried.seeds]
    failing = tried.outcome.failing & tried.valid
    interesting = failing if tried.confirmed is None else np.asarray(tried.confirmed)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(limit > 0.0, moves / limit, np.inf)
    labels = [seeds.labels[row] for row in tried.seeds]
    ours = labels if tried.outcome.reference is None else tried.outcome.reference
    rows = np.flatnonzero(interesting)
    classes = pairs_of_classes([ours[row] for row in rows], [tried.outcome.candidate[row] for row in rows])
    known = ground.near
    return {
        "moves": {"latent": spread(moves), "share_of_radius": spread(shares)},
        "inside_radius": float((moves < limit).mean()) if len(tried) else None,
        "classes": classes,
        "diversity": {
            "clusters": clusters(tried.codes[rows][:, active], float(np.median(radii)), known.norm),
            "class_pairs": len(classes),
            "covered": coverage(tried.codes[:, active], known.codes) if len(tried) else None,
            "covered_by_failures": coverage(tried.codes[rows][:, active], known.codes) if len(rows) else None,
        },
    }


def told_figures(tried: Tried, seeds: int, campaign_seed: int, seconds: float) -> dict[str, Any]:
    """Return the figures of section "metrics": counts, shares, intervals and costs."""
    found = figures(tried, seeds, campaign_seed)
    checks = {name: found.pop(f"check_{name}") for name in tried.checks}
    judges = {name: found.pop(f"judge_{name}") for name in tried.kept}
    return {**found, "checks": checks, "judges": judges, "cost": cost(tried, seconds)}
