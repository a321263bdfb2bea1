"""Whether a model can be resized to batches.

Many files are converted at batch size one. Most of them can be resized; some refuse (a reshape to a constant), and a
few accept and mix up their rows. So two made-up inputs go through alone and together when a model is opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf_tflite.reason import reason
from dltf_tflite.specs import NUMBERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf_tflite.build import Build, Ready

Details = Sequence[Mapping[str, Any]]

_SAME = 0.01  # of the largest value: kernels may round differently by batch size; mixed up rows are far beyond it


def try_batches(build: Build, first: Ready, details: Details) -> tuple[str, list[Ready]]:
    """Return why the model cannot be resized, or "" and the interpreters for one and for two inputs."""
    pair = _made_up(details)
    try:
        one = first if details[0]["shape"][0] == 1 else build.ready(_shapes(details, 1))
        alone = [one([rows[i : i + 1] for rows in pair]) for i in range(2)]
        two = build.ready(_shapes(details, 2))
        together = two(pair)
    except (MemoryError, RuntimeError, ValueError) as error:
        return reason(error), []
    if one.delegated != two.delegated:
        return "the runtime would take other kernels for them", []
    for first_row, second_row, both in zip(*alone, together, strict=True):
        if both.dtype.kind not in NUMBERS:
            continue
        if (
            first_row.shape[:1] != (1,)
            or second_row.shape != first_row.shape
            or both.shape != (2, *first_row.shape[1:])
        ):
            return "an output does not follow", []
        if not _close(np.concatenate([first_row, second_row]), both):
            return "their rows come out otherwise than alone", []
    return "", [one, two]


def _shapes(details: Details, batch: int) -> dict[int, tuple[int, ...]]:
    return {detail["index"]: (batch, *(int(size) for size in detail["shape"][1:])) for detail in details}


def _made_up(details: Details) -> list[NDArray[Any]]:
    stream = np.random.default_rng(0)
    return [_values(stream, np.dtype(detail["dtype"]), (2, *detail["shape"][1:])) for detail in details]


def _values(stream: np.random.Generator, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    if dtype.kind in "iu" and dtype.itemsize == 1:
        info = np.iinfo(dtype)
        return stream.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    if dtype.kind in "biu":
        return stream.integers(0, 2, shape).astype(dtype)  # wider ones may be indices: these are safe
    return stream.random(shape).astype(dtype)


def _close(alone: NDArray[Any], together: NDArray[Any]) -> bool:
    if alone.dtype.kind == "b":
        return bool((alone == together).all())
    ours, theirs = (
        array.astype(np.complex128 if array.dtype.kind == "c" else np.float64) for array in (alone, together)
    )
    step = 1.0 if alone.dtype.kind in "iu" else 0.0
    largest = np.abs(ours[np.isfinite(ours)]).max(initial=0.0)
    return bool(np.allclose(ours, theirs, rtol=0.0, atol=max(step, _SAME * largest), equal_nan=True))
