"""What clips are labelled with: the numbers of classes, and what to do where a clip or its transcript is missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, get_args

from attrs import validators

from dltf.plugin import SeedSourceError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Missing = Literal["refuse", "skip"]

known_missing = validators.in_(get_args(Missing))

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_FEW = 3  # names in a message


def class_numbers(names: Iterable[str], classes: Sequence[str] = ()) -> dict[str, int]:
    """Return the number of each class: its position in `classes` where these are given, and all names are there.

    Else it is the name itself where all are numbers, else its position when sorted.
    """
    ordered = sorted(set(names))
    if classes:
        strange = [name for name in ordered if name not in classes]
        if strange:
            raise SeedSourceError(
                f'the class "{strange[0]}" is not among classes = {list(classes)}{nearest(strange[0], classes)}',
                hint="name every class that there is, in the order of the model's outputs",
            )
        return {name: position for position, name in enumerate(classes)}
    if all(_INTEGER.fullmatch(name) for name in ordered):
        return {name: int(name) for name in ordered}
    return {name: position for position, name in enumerate(ordered)}


def different(_: object, attribute: object, classes: Sequence[str]) -> None:
    """Refuse classes of which two are the same."""
    twice = sorted({name for name in classes if list(classes).count(name) > 1})
    if twice:
        raise ValueError(f"'classes' names {', '.join(twice)} more than once")


def refuse_or_count(missing: Missing, what: str, names: Sequence[str], hint: str) -> int:
    """Return how many are missing where they may be; else raise `SeedSourceError` that names the first."""
    if names and missing == "refuse":
        raise SeedSourceError(f"{what}: {few(names)}", hint=f'{hint}, or set missing = "skip" to leave these out')
    return len(names)


def few(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return f"{', '.join(names[:_FEW])}{more}"
