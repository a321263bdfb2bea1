"""What a variant takes beside time: its file, its loading, its memory, each as a bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from dltf.report.matrix.lines import bar_line
from dltf.report.matrix.reading import amount
from dltf.report.matrix.rows import Row
from dltf.report.wording import number, size

if TYPE_CHECKING:
    from markupsafe import Markup


def seconds(value: float) -> str:
    """Write a duration with a unit that suits it."""
    unit, factor = ("s", 1.0) if value >= 1 else ("ms", 1e3) if value >= 1e-3 else ("µs", 1e6)
    return f"{number(value * factor)} {unit}"


_COLUMNS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("file size", "bytes", lambda value: size(int(value))),
    ("time to load", "load_s", seconds),
    ("peak memory", "peak_memory_bytes", lambda value: size(int(value))),
)


@frozen
class Amounts:
    """One variant's amounts, in the order of the titles: each with its bar, or None."""

    row: Row
    cells: tuple[tuple[str, Markup] | None, ...]


def amounts_of(rows: Sequence[Row]) -> tuple[list[str], list[Amounts]]:
    """Return the titles of the columns that have anything to tell, and the variants that have."""
    kept = [
        (title, key, written, max(known))
        for title, key, written in _COLUMNS
        if (known := [value for row in rows if (value := amount(row.written, key)) is not None])
    ]
    told = [
        Amounts(row, cells)
        for row in rows
        if any(cells := tuple(_cell(row, key, written, most) for _, key, written, most in kept))
    ]
    return [title for title, *_ in kept], told


def _cell(row: Row, key: str, written: Callable[[float], str], most: float) -> tuple[str, Markup] | None:
    value = amount(row.written, key)
    return None if value is None or value < 0 else (written(value), bar_line(value / most if most else 0.0))
