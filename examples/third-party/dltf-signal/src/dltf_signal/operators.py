"""Changes to a signal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

if TYPE_CHECKING:
    from dltf.plugin import Batch, Draws, FloatArray, Stream


@frozen
class Noise:
    """Adds white noise; its standard deviation is drawn for each signal, up to `max_sigma`."""

    max_sigma: float = field(default=0.5, validator=validators.gt(0))  # amplitude

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        length = samples.shape[1]
        return {
            "sigma": np.array([stream.uniform(0, self.max_sigma) for stream in streams], dtype=np.float32),
            "noise": np.stack([stream.standard_normal(length, dtype=np.float32) for stream in streams]),
        }

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        sigma = draws["sigma"] * strengths.astype(np.float32)
        return np.asarray(samples + sigma[:, None] * draws["noise"])


@frozen
class Gain:
    """Makes a signal louder or softer by a drawn gain, at most `max_gain_db` either way."""

    max_gain_db: float = field(default=12.0, validator=validators.gt(0))

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        return {"gain_db": np.array([stream.uniform(-self.max_gain_db, self.max_gain_db) for stream in streams])}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        factors = 10.0 ** (strengths * draws["gain_db"] / 20.0)
        return np.asarray(samples * factors.astype(np.float32)[:, None])
