"""Salt and pepper."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

from dltf_image.operators.randomness import below, uniform_rows
from dltf_image.operators.strength import blend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class SaltAndPepper:
    """A share of the values, half of it to white and half to black (in DFlare's release; not in the paper's table 3).

    Each half is rounded up and counts channel values, not pixels; positions may repeat, and black wins over white. The
    strength is how far each value goes.
    """

    amount: float = field(default=0.004, validator=[validators.gt(0), validators.le(1)])  # of all channel values

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        size = int(np.prod(samples.shape[1:]))
        half = ceil(self.amount * size / 2)
        positions = below(uniform_rows(streams, 2 * half), size)
        return {"salt": positions[:, :half], "pepper": positions[:, half:]}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        full = samples.copy()
        flat = full.reshape(len(full), -1)
        rows = np.arange(len(full))[:, np.newaxis]
        flat[rows, draws["salt"]] = 255
        flat[rows, draws["pepper"]] = 0
        return blend(samples, full, strengths)
