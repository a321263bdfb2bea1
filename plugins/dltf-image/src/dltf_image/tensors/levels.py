"""What each grey level becomes: one table of 256 entries for each channel, computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.plugin import MisfitError
from dltf_image.tensors.settings import as_tuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import Quantisation, TensorSpec
    from dltf_image.tensors.settings import ImageInput

_FLOATS = ("float16", "float32", "float64")
_QUANTISED = ("uint8", "int8", "uint16", "int16")


@frozen(eq=False)
class Levels:
    """`((lo + level × (hi - lo) / 255) - mean) / std` in float64, rounded once to the tensor's dtype.

    `table`: [1, 256] where all channels are treated alike, else [channels, 256].
    """

    range: tuple[float, float]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    table: NDArray[Any]


def levels(spec: TensorSpec, settings: ImageInput, channels: int) -> Levels:
    """Return the tables for this input; raise `MisfitError` where its dtype and the settings do not go together."""
    dtype = _tensor_dtype(spec)
    lo, hi = settings.range or _default_range(spec, settings)
    mean = _per_channel(spec, "mean", settings.mean, 0.0, channels)
    std = _per_channel(spec, "std", settings.std, 1.0, channels)
    scaled = lo + np.arange(256) * (hi - lo) / 255
    table = (scaled - np.array(mean)[:, np.newaxis]) / np.array(std)[:, np.newaxis]
    if dtype == "uint8" and not np.array_equal(table, np.broadcast_to(np.arange(256.0), table.shape)):
        raise MisfitError(
            f"{spec} takes integers and declares no quantisation, so its pictures cannot be scaled",
            hint="leave range, mean and std out of the model's input table: it is given raw grey levels",
        )
    alike = len(set(mean)) == len(set(std)) == 1
    return Levels((lo, hi), mean, std, np.ascontiguousarray((table[:1] if alike else table).astype(dtype)))


def _tensor_dtype(spec: TensorSpec) -> str:
    if spec.dtype in _FLOATS:
        return spec.dtype
    if spec.quantisation is not None and spec.dtype in _QUANTISED:
        return "float32"  # real numbers: the host quantises
    if spec.quantisation is None and spec.dtype == "uint8":
        return "uint8"
    known = "quantisation" if spec.quantisation is None else "picture in this dtype"
    raise MisfitError(
        f"{spec} is an integer input without a {known}: what a grey level becomes is not known",
        hint="pictures go into float16, float32 or float64, into 8 or 16 bits with a quantisation, or into plain uint8",
    )


def _default_range(spec: TensorSpec, settings: ImageInput) -> tuple[float, float]:
    if spec.dtype in _FLOATS:
        return 0.0, 1.0
    if spec.quantisation is None:
        return 0.0, 255.0
    if settings.mean is not None or settings.std is not None:
        return 0.0, 1.0
    return _full_span(spec.dtype, spec.quantisation)


def _full_span(dtype: str, quantisation: Quantisation) -> tuple[float, float]:
    """Return the real numbers that the dtype's smallest and largest integer stand for: uint8 then gets raw levels."""
    span = np.iinfo(dtype)
    return (
        (span.min - quantisation.zero_point) * quantisation.scale,
        (span.max - quantisation.zero_point) * quantisation.scale,
    )


def _per_channel(
    spec: TensorSpec, key: str, numbers: float | tuple[float, ...] | None, default: float, channels: int
) -> tuple[float, ...]:
    given = as_tuple(default if numbers is None else numbers)
    if len(given) == 1:
        return given * channels
    if len(given) != channels:
        raise MisfitError(
            f"{key} = {list(given)} has {len(given)} numbers, and {spec} has {channels} channels",
            hint=f"give {key} one number, or {channels}" if channels > 1 else f"give {key} one number",
        )
    return given
