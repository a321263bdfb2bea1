"""Reading what a matrix wrote: whatever is missing, null, or of another kind is not told, and breaks nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_EMPTY: Mapping[str, Any] = {}


def part(of: Any, *path: str) -> Any:
    """Return what stands at a path of keys, or None."""
    for key in path:
        if not isinstance(of, Mapping):
            return None
        of = of.get(key)
    return of


def table(of: Any, *path: str) -> Mapping[str, Any]:
    """Return the table at a path, or an empty one."""
    found = part(of, *path)
    return found if isinstance(found, Mapping) else _EMPTY


def listed(of: Any, *path: str) -> list[Any]:
    """Return the list at a path, or an empty one."""
    found = part(of, *path)
    return list(found) if isinstance(found, (list, tuple)) else []


def tables(of: Any, *path: str) -> list[Mapping[str, Any]]:
    """Return the tables of the list at a path."""
    return [one for one in listed(of, *path) if isinstance(one, Mapping)]


def words(of: Any, *path: str) -> str:
    """Return what stands at a path as text; nothing is an empty one."""
    found = part(of, *path)
    return "" if found is None else str(found)


def amount(of: Any, *path: str) -> float | None:
    """Return the finite number at a path, or None."""
    found = part(of, *path)
    known = isinstance(found, (int, float)) and not isinstance(found, bool) and math.isfinite(found)
    return found if known else None


def interval(of: Any, *path: str) -> tuple[float, float] | None:
    """Return the two finite bounds at a path in their order, or None."""
    bounds = [amount({"": bound}, "") for bound in listed(of, *path)]
    if len(bounds) != 2 or bounds[0] is None or bounds[1] is None:
        return None
    return min(bounds[0], bounds[1]), max(bounds[0], bounds[1])
