"""Pictures in rows, as one PNG file."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GAP, _GROUND = 2, 255  # pixels between pictures, white
_SMALL = 64  # pixels, below which a picture is drawn twice as large


def sheet(rows: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return rows of pictures [n, h, w, c], the first at the top, as one picture."""
    _, height, width, channels = rows[0].shape
    scale = 2 if max(height, width) < _SMALL else 1
    tall, wide = height * scale + _GAP, width * scale + _GAP
    most = max(len(row) for row in rows)
    whole = np.full((tall * len(rows) + _GAP, wide * most + _GAP, channels), _GROUND, np.uint8)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            large = picture.repeat(scale, axis=0).repeat(scale, axis=1)
            top, left = _GAP + tall * i, _GAP + wide * j
            whole[top : top + height * scale, left : left + width * scale] = large
    return whole


def png(picture: NDArray[np.uint8]) -> bytes:
    """Return the PNG file of uint8 [h, w, 1 or 3]."""
    height, width, channels = picture.shape
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    lines = np.zeros((height, 1 + width * channels), np.uint8)  # each begins with the filter "none"
    lines[:, 1:] = picture.reshape(height, -1)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
