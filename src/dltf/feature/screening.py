"""The screen of one run: every step asked, and the seeds that passed in the order that tests are made in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.errors import SeedSourceError
from dltf.feature.answers import Asked
from dltf.feature.screen import STEPS, Screened, order_of, reason, screen
from dltf.feature.trials import SeedSet, keeps
from dltf.feature.validity import nearest_keeps

if TYPE_CHECKING:
    from dltf.contracts import LatentSpace
    from dltf.feature.answers import Outcome
    from dltf.feature.ground import Ground
    from dltf.feature.models import Models
    from dltf.feature.validity import Bounds
    from dltf.profile.feature import FeatureProfile, ValidityTable
    from dltf.values import Batch, BoolArray, FloatArray

_BLOCK = 512  # codes decoded at a time
_TOLD = 100  # reconstruction failures that are named


@frozen(eq=False)
class Passed:
    """The seeds that passed, in order; with what is known of each: ρ, its reconstruction, and what came of that."""

    seeds: SeedSet
    radii: FloatArray
    reconstructions: Batch
    outcome: Outcome
    sure: FloatArray
    screened: Screened
    offered: SeedSet
    taken: int

    def counts(self) -> dict[str, Any]:
        """Return how many seeds were offered, what removed the others, and how many tests are made of."""
        return self.screened.counts() | {"taken": self.taken}

    def told_failures(self) -> dict[str, Any]:
        """Return the seeds that fail with no move at all: failures of the reconstruction, not of a test."""
        rows = self.screened.reconstruction_failures
        named = [{"case": int(self.offered.cases[row]), "seed": self.offered.names[row]} for row in rows[:_TOLD]]
        return {"seeds": len(rows), "first": named}


def pass_screen(profile: FeatureProfile, space: LatentSpace, ground: Ground, models: Models, bounds: Bounds) -> Passed:
    """Screen the seeds; raise where none is left, and say what removed them."""
    seeds, table = ground.seeds, profile.generate
    reconstructions = np.concatenate(
        [space.decode(seeds.codes[first : first + _BLOCK]) for first in range(0, len(seeds), _BLOCK)]
    )
    before = models.tested.ask(Asked(seeds.samples, seeds.labels, seeds.columns))
    asked = Asked(reconstructions, seeds.labels, seeds.columns)
    after = models.tested.ask(asked)
    kept, sure = keeps(models.check, asked, models.tested)
    active = seeds.codes[:, space.active]
    nowhere = np.full_like(active, np.inf)  # here a seed does not stand for itself
    found = screen(
        {
            "label": nearest_keeps(active, (nowhere, seeds.labels), ground.near),
            "reconstruction": _recognised(profile.validity, kept, sure, bounds),
            "right": before.right & ~before.failing,
            "reconstruction_right": after.right & ~after.failing,
            "radius": ground.own > ground.suspect,
        }
    )
    rows = np.flatnonzero(found.accepted)
    if not len(rows):
        counts = found.counts()
        certain = bounds.sure is not None
        told = "; ".join(f"{counts[step]}: {reason(step, sure=certain)}" for step in STEPS if counts[step])
        raise SeedSourceError(
            f"none of the {len(seeds)} seeds passes the screen: {told}",
            hint="see whether the generator, the models and the labels are of one data set",
        )
    worth = order_of(table.choose, lambda: ground.near.density.of(active[rows]), after.targets[rows], seeds.cases[rows])
    order = rows[worth][: table.seeds]
    return Passed(
        seeds.take(order),
        ground.radii[order],
        reconstructions[order],
        after.take(order),
        sure[order],
        found,
        seeds,
        len(order),
    )


def _recognised(table: ValidityTable, kept: BoolArray | None, sure: FloatArray, bounds: Bounds) -> BoolArray | None:
    """Return whose label check judges find again in the reconstruction; None where they are not asked for."""
    if kept is None or not (table.judges or table.sure is not False):
        return None
    return kept if bounds.sure is None else kept & (sure >= bounds.sure)
