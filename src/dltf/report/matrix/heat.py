"""How many labels differ between each pair of variants: a table whose cells are darker where more do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from attrs import frozen

from dltf.report.matrix.reading import amount, listed
from dltf.report.wording import counted, number, percent, short

SHADES = 7  # above none, as the style sheet has them
_MOST_NUMBERS = 32  # variants up to which cells hold their count


@frozen
class Cell:
    """One pair: what is written, the class of its shade, and what it says when pointed at."""

    text: str
    css: str
    told: str


@frozen
class Heat:
    """The table: a row for each of `names`, which are (number, name)."""

    names: tuple[tuple[int, str], ...]
    rows: tuple[tuple[Cell, ...], ...]
    crowded: bool
    most: str  # in words: the pair that differs most


def heat(differences: Any, order: Sequence[int], names: Sequence[str], seeds: float | None) -> Heat | None:
    """Return the table of the pairs, in the order given, or None where there is not one count."""
    counts = [[_count(differences, i, j) for j in order] for i in order]
    known = [
        (count, i, j) for i, row in enumerate(counts) for j, count in enumerate(row) if count is not None and i < j
    ]
    if not known:
        return None
    most, first, second = max(known, key=lambda one: one[0])
    ordered = [names[place] for place in order]
    crowded = len(order) > _MOST_NUMBERS
    rows = tuple(
        tuple(_cell(count, most, seeds, (ordered[i], ordered[j]), same=i == j) for j, count in enumerate(row))
        for i, row in enumerate(counts)
    )
    told = f"{short(ordered[first], 60)} and {short(ordered[second], 60)} differ most: on {_told(most, seeds)}."
    return Heat(
        tuple((number + 1, name) for number, name in enumerate(ordered)),
        rows,
        crowded,
        told if most else "No two variants differ on a single seed.",
    )


def _count(differences: Any, i: int, j: int) -> int | None:
    """Return the count of a pair; one that is known in one direction alone is known."""
    for first, second in ((i, j), (j, i)):
        row = listed({"": differences}, "")
        inner = listed({"": row[first]}, "") if first < len(row) else []
        found = amount({"": inner[second]}, "") if second < len(inner) else None
        if found is not None and found >= 0:
            return int(found)
    return None


def _cell(count: int | None, most: int, seeds: float | None, pair: tuple[str, str], *, same: bool) -> Cell:
    names = " · ".join(short(name, 40) for name in pair)
    if count is None:
        return Cell("", "none", f"{names}: not compared")
    if same:
        return Cell("", "self", short(pair[0], 40))
    shade = math.ceil(SHADES * math.sqrt(count / most)) if most else 0
    return Cell(_written(count), f"shade{shade}", f"{names}: {_told(count, seeds)}")


def _told(count: int, seeds: float | None) -> str:
    share = f" ({percent(count / seeds)})" if seeds else ""
    return f"{counted(count, 'seed')}{share}"


def _written(count: int) -> str:
    """Write a count in four characters."""
    return str(count) if count < 10_000 else f"{number(count / 1000)}k" if count < 1_000_000 else f"{count / 1e6:.2g}M"
