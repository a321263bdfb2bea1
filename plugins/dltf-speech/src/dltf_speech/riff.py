"""The chunks of a WAV file: what it says of its sound, and whether all of that is there."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from typing import BinaryIO

PCM, EXTENSIBLE = 1, 0xFFFE
UNKNOWN_LENGTH = 0xFFFFFFFF  # of a file that was written into a pipe

_CHUNK = struct.Struct("<4sI")
_FORMAT = struct.Struct("<HHIIHH")
_SUBFORMAT_AT = 24  # in the chunk of an extensible format


@frozen
class WavHeader:
    """What a WAV file says: `encoding` is its format tag; the data are `stated` bytes long, and `present` are there."""

    encoding: int
    channels: int
    rate_hz: int
    bits: int
    begins: int  # of the data, in bytes from the file's beginning
    stated: int
    present: int

    @property
    def truncated(self) -> bool:
        return self.stated != UNKNOWN_LENGTH and self.present < self.stated


def is_wav(head: bytes) -> bool:
    """Tell whether these first bytes are those of a WAV file."""
    return head[:4] == b"RIFF" and head[8:12] == b"WAVE"


def read_header(file: BinaryIO, size: int) -> WavHeader | None:
    """Return what the file of this many bytes says, or None where it is no WAV file or has no sound in it."""
    if not is_wav(file.read(12)):
        return None
    told: tuple[int, ...] | None = None
    encoding = 0
    while len(head := file.read(_CHUNK.size)) == _CHUNK.size:
        name, length = _CHUNK.unpack(head)
        begins = file.tell()
        if name == b"data":
            if told is None:
                return None
            return WavHeader(encoding, told[1], told[2], told[5], begins, length, min(length, size - begins))
        if name == b"fmt ":
            content = file.read(min(length, 64))
            if len(content) < _FORMAT.size:
                return None
            told = _FORMAT.unpack_from(content)
            encoding = told[0]
            if encoding == EXTENSIBLE and len(content) >= _SUBFORMAT_AT + 2:
                encoding = int.from_bytes(content[_SUBFORMAT_AT : _SUBFORMAT_AT + 2], "little")
        file.seek(begins + length + length % 2)
    return None
