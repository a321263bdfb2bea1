"""Conversions: each that was made, once, with what it did and whose it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from dltf.report.matrix.amounts import seconds
from dltf.report.matrix.reading import amount, listed, table, tables, words
from dltf.report.matrix.rows import Row
from dltf.report.wording import number, short, size

_LONGEST = 300
_MOST_FACTS = 12


@frozen
class Step:
    """One conversion: what it stands after, what it did, and the variants that it was made for."""

    use: str
    after: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    seconds: str
    bytes: str
    rows: list[Row] = field(factory=list)


def chains_of(rows: Sequence[Row]) -> list[Step]:
    """Return every conversion in the order of the variants; one that several variants share stands there once."""
    steps: dict[str, Step] = {}
    for row in rows:
        before: list[Mapping[str, Any]] = []
        for step in tables(row.written, "conversions"):
            before.append(step)
            key = json.dumps(before, sort_keys=True, default=str)
            steps.setdefault(key, _step(step, before[:-1])).rows.append(row)
    return list(steps.values())


def _step(step: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> Step:
    took, made = amount(step, "seconds"), amount(step, "bytes")
    facts = tuple(flat(table(step, "facts")))
    more = len(facts) - _MOST_FACTS
    return Step(
        words(step, "use") or "–",
        tuple(words(one, "use") for one in before),
        facts[:_MOST_FACTS] + (((f"and {more} more", "in matrix.json"),) if more > 0 else ()),
        "–" if took is None else seconds(took),
        "–" if made is None else size(int(made)),
    )


def flat(facts: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, str]]:
    """Yield what a table holds, the names of inner tables before those within."""
    for key, value in facts.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{at}{key} ")
        else:
            yield short(f"{at}{key}".replace("_", " "), 80), short(told(value), _LONGEST)


def told(value: Any) -> str:
    """Write a value of a record for people."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(told, value)) or "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    return number(value, 4) if isinstance(value, float) else str(value)


@frozen
class Runtime:
    """How one variant ran: its runtime, target and file, the versions, and what is to be said of it."""

    row: Row
    backend: str
    target: str
    file: str
    sha256: str
    versions: str
    notes: tuple[str, ...]


def runtimes_of(rows: Sequence[Row]) -> list[Runtime]:
    """Return all variants."""
    return [
        Runtime(
            row,
            words(row.written, "backend") or "–",
            words(row.written, "target"),
            words(row.written, "file"),
            words(row.written, "sha256"),
            ", ".join(f"{name} {version}" for name, version in table(row.written, "versions").items()),
            tuple(str(note) for note in listed(row.written, "notes") if note),
        )
        for row in rows
    ]
