"""What a model's input wants: the settings, and what its file says where they are silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from dltf.plugin import MisfitError

if TYPE_CHECKING:
    from dltf.plugin import TensorSpec
    from dltf_image.tensors.settings import Colour, ImageInput, Layout, Resize

_CHANNELS: dict[str, Literal[1, 3]] = {"RGB": 3, "BGR": 3, "grey": 1}


@frozen
class Plan:
    """Everything about an input's shape, decided."""

    layout: Layout
    colour: Colour
    converts: bool  # whether pictures of other channels are turned into these
    height: int | None  # None where the model takes any
    width: int | None
    resize: Resize | None

    @property
    def channels(self) -> Literal[1, 3]:
        return _CHANNELS[self.colour]


def plan(spec: TensorSpec, settings: ImageInput) -> Plan:
    """Decide; raise `MisfitError` where the file leaves something open, or says otherwise than the settings."""
    if len(spec.shape) != 4:
        raise MisfitError(
            f"a picture goes into an input of 4 dimensions (count, channels, height, width); this one is {spec}",
            hint="does the model take pictures? if it does, give it as one that takes them unflattened",
        )
    layout = settings.layout or _layout(spec)
    channels, height, width = spec.shape[1:] if layout == "NCHW" else (spec.shape[3], *spec.shape[1:3])
    colour = _colour(spec, settings, layout, channels)
    height, width = _size(spec, settings, height, width)
    return Plan(layout, colour, settings.colour is not None, height, width, settings.resize)


def _layout(spec: TensorSpec) -> Layout:
    first, last = spec.shape[1] in (1, 3), spec.shape[3] in (1, 3)
    if first != last:
        return "NCHW" if first else "NHWC"
    why = "both the second and the last size" if first else "neither the second nor the last size"
    raise MisfitError(
        f"{why} of {spec} could be 1 or 3 channels, so its layout is not clear",
        hint='add layout = "NHWC" or layout = "NCHW" to the model\'s input table',
    )


def _colour(spec: TensorSpec, settings: ImageInput, layout: str, channels: int | None) -> Colour:
    if channels not in (None, 1, 3):
        raise MisfitError(
            f"{spec} has {channels} channels where its layout is {layout}; a picture has 1 or 3",
            hint="check layout in the model's input table" if settings.layout else "",
        )
    if settings.colour is None:
        if channels is None:
            raise MisfitError(
                f"{spec} leaves the number of channels open",
                hint='add colour = "RGB", "BGR" or "grey" to the model\'s input table',
            )
        return "grey" if channels == 1 else "RGB"
    if channels not in (None, _CHANNELS[settings.colour]):
        raise MisfitError(
            f'colour = "{settings.colour}" has {_CHANNELS[settings.colour]} channels, and {spec} has {channels}',
            hint='leave colour out, or set it to "grey"' if channels == 1 else 'set colour to "RGB" or "BGR"',
        )
    return settings.colour


def _size(
    spec: TensorSpec, settings: ImageInput, height: int | None, width: int | None
) -> tuple[int | None, int | None]:
    if settings.size is not None:
        wanted: tuple[Any, Any] = settings.size
        if height not in (None, wanted[0]) or width not in (None, wanted[1]):
            raise MisfitError(
                f"size = {list(wanted)} is not the size that {spec} takes", hint="leave size out of the input table"
            )
        return wanted
    if settings.resize is not None and (height is None or width is None):
        raise MisfitError(
            f'resize = "{settings.resize}" needs a size, and {spec} leaves it open',
            hint="add size = [height, width] to the model's input table",
        )
    return height, width
