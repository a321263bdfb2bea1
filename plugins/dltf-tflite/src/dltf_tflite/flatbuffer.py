"""Whether every part of a TFLite file lies inside the file.

`tflite_runtime` 2.14 follows the offsets of a file unchecked, and most truncated files take the process down with it.
(LiteRT checks them itself.) This walks the tables of the TFLite schema, version 3; format: flatbuffers internals.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TypeAlias

from attrs import frozen


@frozen
class One:
    """A field that points to a table."""

    table: str


@frozen
class Many:
    """A field that points to a vector of tables."""

    table: str


Field: TypeAlias = int | One | Many  # an integer: a vector of scalars of this many bytes (a string: of 1)

_SCHEMA: Mapping[str, Mapping[int, Field]] = {
    "model": {
        1: Many("code"),
        2: Many("subgraph"),
        3: 1,
        4: Many("buffer"),
        5: 4,
        6: Many("entry"),
        7: Many("signature"),
    },
    "code": {1: 1},
    "subgraph": {0: Many("tensor"), 1: 4, 2: 4, 3: Many("operator"), 4: 1},
    "tensor": {0: 4, 3: 1, 4: One("quantisation"), 6: One("opaque"), 7: 4},
    "quantisation": {0: 4, 1: 4, 2: 4, 3: 8, 5: One("opaque")},
    "operator": {1: 4, 2: 4, 4: One("options"), 5: 1, 7: 1, 8: 4, 12: One("opaque")},
    "buffer": {0: 1},
    "entry": {0: 1},
    "signature": {0: Many("entry"), 1: Many("entry"), 2: 1},
    "options": {},
    "opaque": {},
}
"""The fields of each table that point elsewhere, by slot; what an opaque table points to is not followed."""


class DamagedError(ValueError):
    """An offset points outside the file."""


def check(data: bytes) -> None:
    """Raise `DamagedError` where the model cannot be walked from its root."""
    try:
        _table(data, _follow(data, 0), "model")
    except struct.error:
        raise DamagedError("an offset points outside the file") from None


def _u16(data: bytes, at: int) -> int:
    value: int = struct.unpack_from("<H", data, at)[0]
    return value


def _u32(data: bytes, at: int) -> int:
    value: int = struct.unpack_from("<I", data, at)[0]
    return value


def _follow(data: bytes, at: int) -> int:
    return at + _u32(data, at)


def _table(data: bytes, at: int, kind: str) -> None:
    vtable = at - struct.unpack_from("<i", data, at)[0]
    if vtable < 0:
        raise DamagedError("an offset points before the file")
    length = _u16(data, vtable)
    if vtable + length > len(data) or at + _u16(data, vtable + 2) > len(data):
        raise DamagedError("a table goes on past the end of the file")
    for slot, kind_of_field in _SCHEMA[kind].items():
        place = 4 + 2 * slot
        offset = _u16(data, vtable + place) if place + 2 <= length else 0
        if offset:
            _field(data, _follow(data, at + offset), kind_of_field)


def _field(data: bytes, at: int, kind: Field) -> None:
    if isinstance(kind, One):
        _table(data, at, kind.table)
        return
    count = _u32(data, at)
    width = kind if isinstance(kind, int) else 4
    if at + 4 + count * width > len(data):
        raise DamagedError("a list goes on past the end of the file")
    if isinstance(kind, Many):
        for item in range(at + 4, at + 4 + 4 * count, 4):
            _table(data, _follow(data, item), kind.table)
