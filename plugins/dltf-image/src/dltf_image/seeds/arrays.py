"""Seeds out of arrays in memory."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from dltf.plugin import Seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@frozen(eq=False)
class ArraySeeds:
    """Pictures uint8 [n, height, width, channels], each copied out when it is asked for; columns [n] by name."""

    source: Mapping[str, Any]
    _prefix: str
    _images: NDArray[np.uint8]
    _labels: NDArray[Any] | None = None
    _columns: Mapping[str, NDArray[Any]] = field(factory=dict)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Seed:
        row = range(len(self))[index]
        label = None if self._labels is None else int(self._labels[row])
        columns = {name: values[row].item() for name, values in self._columns.items()}
        said = {name: value for name, value in columns.items() if isinstance(value, str) or isfinite(value)}
        return Seed(self._images[row].copy(), f"{self._prefix}/{row:05d}", label, said)


def with_channels(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give grey pictures [n, height, width] their channel axis."""
    return images[..., np.newaxis] if images.ndim == 3 else images
