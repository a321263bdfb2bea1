"""Back to grey levels: what happens to values below black and above white."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from attrs import validators

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import Batch

Overflow = Literal["wrap", "clip"]


known_overflow = validators.in_(get_args(Overflow))


def to_pixels(values: NDArray[np.float32], overflow: Overflow) -> Batch:
    """Truncate towards zero to uint8, modulo 256 (`"wrap"`) or held within 0 … 255 (`"clip"`). Overwrites `values`."""
    if overflow == "clip":
        return np.clip(values, 0, 255, out=values).astype(np.uint8)
    return values.astype(np.int32).astype(np.uint8)
