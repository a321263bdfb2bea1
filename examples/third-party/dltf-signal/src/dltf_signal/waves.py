"""Seeds out of a formula: tones of random loudness, one after another."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import Seed

if TYPE_CHECKING:
    from dltf.plugin import FloatArray

SEGMENT = 16
"""A tone lasts so many values."""

CYCLES = (0, 2, 5)
"""The cycles in a segment of each tone: 0 is silence, 1 the low tone, 2 the high one."""


@frozen
class Waves:
    """Signals of `shortest` to `longest` segments, each silence, a low tone or a high one."""

    count: int = field(default=100, validator=validators.ge(1))
    seed: int = field(default=0, validator=validators.ge(0))
    shortest: int = field(default=4, validator=validators.ge(1))
    longest: int = field(default=9, validator=validators.ge(1))

    def __attrs_post_init__(self) -> None:
        if self.longest < self.shortest:
            raise ValueError(f"longest = {self.longest} is below shortest = {self.shortest}")

    def open(self) -> OpenedWaves:
        return OpenedWaves(self)


class OpenedWaves:
    """Makes each signal when it is asked for."""

    def __init__(self, waves: Waves) -> None:
        self.source: Mapping[str, Any] = {"formula": "dltf_signal.waves", **attrs.asdict(waves)}
        self._waves = waves

    def __len__(self) -> int:
        return self._waves.count

    def __getitem__(self, index: int) -> Seed:
        if not 0 <= index < len(self):
            raise IndexError(f"there are {len(self)} signals, and no signal {index}")
        stream = np.random.default_rng([self._waves.seed, index])
        tones = stream.integers(
            len(CYCLES), size=stream.integers(self._waves.shortest, self._waves.longest + 1)
        ).tolist()
        signal = np.concatenate([_segment(tone, stream) for tone in tones])
        signal += stream.normal(scale=0.02, size=len(signal))
        return Seed(signal.astype(np.float32), f"wave-{index:04}", heard(tones))


def heard(tones: list[int]) -> tuple[int, ...]:
    """Return the tones without repeats, then without silence: (1, 1, 0, 2) is heard as (1, 2)."""
    return tuple(tone for tone, _ in groupby(tones) if tone != 0)


def _segment(tone: int, stream: np.random.Generator) -> FloatArray:
    loudness, phase = stream.uniform(0.2, 1.0), stream.uniform(0, 2 * np.pi)
    if tone == 0:
        return np.zeros(SEGMENT)
    return loudness * np.sin(2 * np.pi * CYCLES[tone] * np.arange(SEGMENT) / SEGMENT + phase)
