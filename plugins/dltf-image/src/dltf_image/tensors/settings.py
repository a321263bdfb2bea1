"""The table `[models.*.input]` for pictures."""

from __future__ import annotations

from math import isfinite
from typing import Any, Literal, get_args

from attrs import field, frozen, validators

Layout = Literal["NHWC", "NCHW"]
Colour = Literal["RGB", "BGR", "grey"]
Resize = Literal["nearest", "bilinear", "bicubic", "area"]
Numbers = float | tuple[float, ...]


def as_tuple(numbers: Numbers) -> tuple[float, ...]:
    """One number or several, as a tuple."""
    return tuple(numbers) if isinstance(numbers, (tuple, list)) else (numbers,)


def _range(_: object, attribute: Any, value: tuple[float, float] | None) -> None:
    if value is not None and (len(value) != 2 or not all(map(isfinite, value)) or value[0] == value[1]):
        raise ValueError(f"'{attribute.name}' must be two different numbers, what 0 and 255 map to: {list(value)}")


def _channel_numbers(_: object, attribute: Any, value: Numbers | None) -> None:
    if value is not None and (len(as_tuple(value)) not in (1, 3) or not all(map(isfinite, as_tuple(value)))):
        raise ValueError(f"'{attribute.name}' must be one number, or one for each of 3 channels: {value}")


def _positive(_: object, attribute: Any, value: Numbers | None) -> None:
    if value is not None and min(as_tuple(value)) <= 0:
        raise ValueError(f"'{attribute.name}' must be above 0: {value}")


def _size(_: object, attribute: Any, value: tuple[int, int] | None) -> None:
    if value is not None and (len(value) != 2 or min(value) < 1):
        raise ValueError(f"'{attribute.name}' must be [height, width] in pixels, each at least 1: {list(value)}")


@frozen
class ImageInput:
    """How one variant wants its pictures; a key left out is read from the model file.

    `range` is what 0 … 255 maps to; then `(x - mean) / std`, in the units of `range` and in the order of the model's
    channels. Without `resize`, a picture of another size is refused; without `colour`, one of other channels.
    """

    range: tuple[float, float] | None = field(default=None, validator=_range)
    mean: float | tuple[float, ...] | None = field(default=None, validator=_channel_numbers)
    std: float | tuple[float, ...] | None = field(default=None, validator=[_channel_numbers, _positive])
    layout: Layout | None = field(default=None, validator=validators.optional(validators.in_(get_args(Layout))))
    colour: Colour | None = field(default=None, validator=validators.optional(validators.in_(get_args(Colour))))
    size: tuple[int, int] | None = field(default=None, validator=_size)  # height, width
    resize: Resize | None = field(default=None, validator=validators.optional(validators.in_(get_args(Resize))))
