"""Settings that bound a draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Check: TypeAlias = Callable[[Any, Any, float], None]


def within(low: float, high: float) -> Check:
    """Return a validator: this setting is from `low` to `high`, both included."""

    def check(_: Any, attribute: Any, value: float) -> None:
        if not low <= value <= high:  # nor is NaN
            raise ValueError(f"'{attribute.name}' must be from {low} to {high}: {value}")

    return check


def not_below(other: str) -> Check:
    """Return a validator: this setting is not below that of the name `other`."""

    def check(operator: Any, attribute: Any, value: float) -> None:
        if not value >= getattr(operator, other):  # nor is NaN
            raise ValueError(f"'{attribute.name}' must not be below {other}, {getattr(operator, other)}: {value}")

    return check
