"""The scale and zero point of a TFLite model's inputs and outputs, which OpenVINO keeps to itself.

Format: flatbuffers internals; slots: the TFLite schema, version 3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from dltf.plugin import Quantisation

Table: TypeAlias = int  # where it begins

_SUBGRAPHS = 2
_TENSORS, _INPUTS, _OUTPUTS = 0, 1, 2
_NAME, _QUANTISATION = 3, 4
_SCALE, _ZERO_POINT = 2, 3


def quantisations(data: bytes) -> Mapping[str, Quantisation]:
    """Return what is declared for inputs and outputs, by name: those with one pair for the whole tensor."""
    try:
        return dict(_declared(data))
    except (struct.error, IndexError, UnicodeDecodeError):
        return {}


def _declared(data: bytes) -> Iterator[tuple[str, Quantisation]]:
    subgraph = _tables(data, _follow(data, 0), _SUBGRAPHS)[0]
    tensors = _tables(data, subgraph, _TENSORS)
    for slot in (_INPUTS, _OUTPUTS):
        for index in _numbers(data, subgraph, slot, "i"):
            parameters = _field(data, tensors[int(index)], _QUANTISATION)
            if not parameters:
                continue
            scales = _numbers(data, _follow(data, parameters), _SCALE, "f")
            zeros = _numbers(data, _follow(data, parameters), _ZERO_POINT, "q")
            if len(scales) == len(zeros) == 1 and scales[0]:
                name = bytes(_numbers(data, tensors[int(index)], _NAME, "B")).decode()  # type: ignore[arg-type]
                yield name, Quantisation(float(scales[0]), int(zeros[0]))


def _follow(data: bytes, at: int) -> int:
    offset: int = struct.unpack_from("<I", data, at)[0]
    return at + offset


def _field(data: bytes, table: Table, slot: int) -> int:
    """Return where a table's field is, 0 where it is not there."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    length = struct.unpack_from("<H", data, vtable)[0]
    place = 4 + 2 * slot
    offset: int = struct.unpack_from("<H", data, vtable + place)[0] if place + 2 <= length else 0
    return table + offset if offset else 0


def _numbers(data: bytes, table: Table, slot: int, kind: str) -> tuple[int | float, ...]:
    field = _field(data, table, slot)
    if not field:
        return ()
    start = _follow(data, field)
    return struct.unpack_from(f"<{struct.unpack_from('<I', data, start)[0]}{kind}", data, start + 4)


def _tables(data: bytes, table: Table, slot: int) -> list[Table]:
    start = _follow(data, _field(data, table, slot))
    count = struct.unpack_from("<I", data, start)[0]
    return [_follow(data, at) for at in range(start + 4, start + 4 + 4 * count, 4)]
