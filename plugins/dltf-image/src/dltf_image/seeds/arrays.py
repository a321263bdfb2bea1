"""Seeds out of arrays in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.plugin import Seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@frozen(eq=False)
class ArraySeeds:
    """Pictures uint8 [n, height, width, channels], each copied out when it is asked for."""

    source: Mapping[str, Any]
    _prefix: str
    _images: NDArray[np.uint8]
    _labels: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Seed:
        row = range(len(self))[index]
        label = None if self._labels is None else int(self._labels[row])
        return Seed(self._images[row].copy(), f"{self._prefix}/{row:05d}", label)


def with_channels(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give grey pictures [n, height, width] their channel axis."""
    return images[..., np.newaxis] if images.ndim == 3 else images
