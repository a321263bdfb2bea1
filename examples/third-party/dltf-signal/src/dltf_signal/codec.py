"""The file form: a column of numbers under a heading, which any spreadsheet opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from dltf.plugin import SeedError

if TYPE_CHECKING:
    from dltf.plugin import Sample

HEADING = "amplitude"


class Column:
    """A CSV file of one column; every float32 comes back bit for bit, as Python writes a float in full."""

    suffix: ClassVar[str] = ".csv"

    def encode(self, sample: Sample) -> bytes:
        return "\n".join([HEADING, *map(repr, sample.tolist()), ""]).encode("ascii")

    def decode(self, data: bytes) -> Sample:
        try:
            heading, *rows = data.decode("ascii").splitlines()
            values = np.array([float(row) for row in rows])
        except ValueError as error:
            raise SeedError(f"this is no column of numbers: {error}") from error
        if heading != HEADING or not len(values):
            raise SeedError(
                f'a signal begins with the line "{HEADING}" and has a number on each other, not {data[:40]!r}'
            )
        if not (np.abs(values) <= np.finfo(np.float32).max).all():
            raise SeedError("a signal is made of finite float32 numbers")
        return values.astype(np.float32)
