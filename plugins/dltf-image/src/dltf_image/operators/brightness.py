"""Lighter or darker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen, validators

from dltf_image.operators.randomness import either_way, uniform_rows
from dltf_image.operators.tables import LEVELS, column, look_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class Brightness:
    """The same drawn number of grey levels added to every value, clipped; uniform in ±max_change_levels.

    The strength scales what is added.
    """

    max_change_levels: float = field(default=60.0, validator=[validators.gt(0), validators.le(255)])  # grey levels

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return {"change_levels": either_way(uniform_rows(streams, 1)[:, 0], self.max_change_levels)}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        return look_up(samples, LEVELS + column(strengths * draws["change_levels"]))

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the grey levels added or taken away."""
        return abs(draws["change_levels"]) * strengths, "grey levels"
