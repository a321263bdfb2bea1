"""What dltf-signal does not offer, either: a generator, sound, of signals of 32 samples."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import MisfitError


@frozen
class Waves:
    """The first cosines of a signal, each alike in size."""

    size: int = field(default=8, validator=validators.ge(1))

    def open(self) -> Space:
        return Space(self.size)

    def versions(self) -> Mapping[str, str]:
        return {"numpy": np.__version__}


class Space:
    """A code is what a signal has of each cosine."""

    def __init__(self, size: int) -> None:
        k, t = np.arange(size)[:, None], np.arange(32)[None]
        waves = np.cos(np.pi * k * (t + 0.5) / 32)
        self._waves = waves / np.sqrt((waves**2).sum(axis=1, keepdims=True))
        self.active = np.ones(size, dtype=np.bool_)
        self.facts: Mapping[str, Any] = {"shape": [32], "latent": size}

    def __enter__(self) -> Space:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held."""

    def encode(self, samples: Any) -> Any:
        if samples.shape[1:] != (32,):
            raise MisfitError(f"signals of 32 samples have codes, and these are {samples.shape[1:]}")
        return np.stack([(self._waves * sample).sum(axis=1) for sample in samples.astype(np.float64)])

    def decode(self, codes: Any) -> Any:
        return np.stack([(self._waves * code[:, None]).sum(axis=0) for code in codes]).astype(np.float32)

    def spread(self, samples: Any) -> Any:
        return np.full((len(samples), len(self.active)), 0.1)
