"""The operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

if TYPE_CHECKING:
    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class Negative:
    """Fades a picture towards its negative, by a share that is drawn for each, up to `max_share`: 1 is all the way."""

    max_share: float = field(default=1.0, validator=[validators.gt(0.0), validators.le(1.0)])

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return {"share": np.array([stream.uniform(0.0, self.max_share) for stream in streams])}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        shares = (strengths * draws["share"])[:, None, None, None]
        return np.rint(samples + shares * (255.0 - 2.0 * samples)).astype(np.uint8)
