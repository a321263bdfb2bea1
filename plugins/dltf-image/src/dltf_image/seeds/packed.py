"""Picture files end to end in one array of an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.plugin import Seed, SeedSourceError
from dltf_image.pictures import read_picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dltf_image.seeds.archive import Archive

KEYS = ("jpeg", "offsets")


@frozen(eq=False)
class JpegSeeds:
    """JPEG files end to end in one array; each is decoded when it is asked for."""

    source: Mapping[str, Any]
    _prefix: str
    _jpeg: NDArray[np.uint8]
    _offsets: Sequence[int]
    _labels: NDArray[Any] | None

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, index: int) -> Seed:
        row = range(len(self))[index]
        name = f"{self._prefix}/{row:05d}"
        data = self._jpeg[self._offsets[row] : self._offsets[row + 1]].tobytes()
        label = None if self._labels is None else int(self._labels[row])
        return Seed(read_picture(data, name, formats=("JPEG",)), name, label)


def read_packed(archive: Archive) -> tuple[NDArray[np.uint8], list[int]]:
    """Return the bytes and where each file begins, one offset more than there are files."""
    jpeg, offsets = (archive.array(key) for key in KEYS)
    sound = (
        jpeg.dtype == np.uint8
        and jpeg.ndim == offsets.ndim == 1
        and offsets.dtype.kind in "iu"
        and len(offsets) > 1
        and offsets[0] == 0
        and offsets[-1] == len(jpeg)
        and (np.diff(offsets.astype(np.int64)) > 0).all()
    )
    if not sound:
        raise SeedSourceError(
            f"the arrays jpeg and offsets of {archive.path} are no files end to end",
            hint="picture i is jpeg[offsets[i]:offsets[i + 1]], uint8, and there is one offset more than pictures",
        )
    return jpeg, offsets.tolist()
