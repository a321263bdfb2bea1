"""When two clips differ, in words.

The squared difference is added up over thirds and halves of the longer clip. A third with 60 % of it or more gives its
name; else the half with 80 % or more; else it is "everywhere".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dltf.plugin import FloatArray

THIRDS = ("start", "middle", "end")
HALVES = ("first half", "second half")
EVERYWHERE = "everywhere"

_THIRD_SHARE = 0.6
_HALF_SHARE = 0.8


def region(seed: FloatArray, mutant: FloatArray) -> str:
    """Return the name of the part in which two clips of one length differ, "everywhere", or "" where they are equal."""
    energy = (seed - mutant) ** 2
    total = float(energy.sum())
    if total == 0:
        return ""
    for names, least in ((THIRDS, _THIRD_SHARE), (HALVES, _HALF_SHARE)):
        parts = [float(part.sum()) for part in np.array_split(energy, len(names))]
        if max(parts) >= least * total:
            return names[int(np.argmax(parts))]
    return EVERYWHERE
