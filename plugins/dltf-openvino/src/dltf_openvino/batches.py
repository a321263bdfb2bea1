"""How many inputs a model takes at a time: any number where it can be made to.

Many files are made for one input. Most of them can be reshaped; some refuse (a reshape to a constant), and a few
accept and mix up their rows. So two made-up inputs go through alone and together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.plugin import DltfError, ModelFileError
from dltf_openvino.reason import reason
from dltf_openvino.specs import sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf_openvino.build import Build

_SAME = 0.01  # of the largest value: kernels may round differently by batch size; mixed up rows are far beyond it


@frozen(eq=False)
class Fitted:
    """A compiled model; `model` tells its ports. `batch`: its fixed batch size, or None where any goes in at once.

    `refusal`: why the batch size is fixed, empty where it is not, or was asked for.
    """

    model: Any
    compiled: Any
    batch: int | None
    refusal: str


def fit(build: Build, wanted: int | None) -> Fitted:
    """Compile the file for batches of `wanted`, for any where it is None; for its own where it refuses."""
    model = build.read()
    declared = _declared_batch(model, build)
    if wanted is not None:
        return _fixed(build, model, wanted, "")
    if declared is None:
        stuck = {size for port in model.outputs for size in _first(port)} - {None}
        if stuck == {1}:
            return _fixed(build, model, 1, "an output has one row only")
        return _compiled(build, model, None, "")
    if any(None in sizes(port)[1:] for port in model.inputs):
        return _compiled(build, model, declared, "its inputs have other open sizes")
    opened = build.read()
    try:
        _reshape(opened, -1)
        compiled = build.compile(opened)
        refusal = _mixes(compiled)
    except DltfError:
        raise
    except Exception as error:  # OpenVINO's exceptions have no common base
        refusal = reason(error)
    if not refusal:
        return Fitted(opened, compiled, None, "")
    return _compiled(build, model, declared, refusal)


def _declared_batch(model: Any, build: Build) -> int | None:
    ports = model.inputs
    if any(port.get_partial_shape().rank.is_dynamic or not len(port.get_partial_shape()) for port in ports):
        raise ModelFileError(
            f"{build.file} has an input without a batch axis", hint="give every input a first axis for it"
        )
    found = {sizes(port)[0] for port in ports}
    fixed = found - {None}
    if not found or len(fixed) > 1 or 0 in fixed:
        shapes = ", ".join(str(port.get_partial_shape()) for port in ports)
        raise ModelFileError(
            f"{build.file} has no one batch size: {shapes or 'it has no input'}",
            hint="the first axis of every input has to be the batch",
        )
    return next(iter(fixed), None)


def _first(port: Any) -> tuple[int | None, ...]:
    return () if port.get_partial_shape().rank.is_dynamic else sizes(port)[:1]


def _fixed(build: Build, model: Any, batch: int, refusal: str) -> Fitted:
    try:
        _reshape(model, batch)
    except Exception as error:  # OpenVINO's exceptions have no common base
        raise ModelFileError(
            f"{build.file} cannot be made for batches of {batch}: {reason(error)}", hint="leave `batch` out"
        ) from error
    return _compiled(build, model, batch, refusal)


def _compiled(build: Build, model: Any, batch: int | None, refusal: str) -> Fitted:
    try:
        return Fitted(model, build.compile(model), batch, refusal)
    except DltfError:
        raise
    except Exception as error:  # OpenVINO's exceptions have no common base
        raise build.refusal(error) from error


def _reshape(model: Any, batch: int) -> None:
    shapes = {}
    for port in model.inputs:
        shape = port.get_partial_shape()
        shape[0] = batch
        shapes[port] = shape
    model.reshape(shapes)


def _mixes(compiled: Any) -> str:
    """Return why batches would come out wrong, or nothing."""
    stream = np.random.default_rng(0)
    pair = [_values(stream, port.get_element_type().to_dtype(), (2, *sizes(port)[1:])) for port in compiled.inputs]
    request = compiled.create_infer_request()
    alone = [_answers(request, [rows[i : i + 1] for rows in pair]) for i in range(2)]
    together = _answers(request, pair)
    for first_row, second_row, both in zip(*alone, together, strict=True):
        row = first_row.shape[1:]
        if first_row.shape[:1] != (1,) or second_row.shape != first_row.shape or both.shape != (2, *row):
            return "an output does not follow"
        if not _close(np.concatenate([first_row, second_row]), both):
            return "their rows come out otherwise than alone"
    return ""


def _answers(request: Any, arrays: list[NDArray[Any]]) -> list[NDArray[Any]]:
    request.infer(arrays)
    return [tensor.data.copy() for tensor in request.output_tensors]


def _values(stream: np.random.Generator, dtype: Any, shape: tuple[int | None, ...]) -> NDArray[Any]:
    kind = np.dtype(dtype)
    if kind.kind in "iu" and kind.itemsize == 1:
        info = np.iinfo(kind)
        return stream.integers(info.min, info.max, shape, dtype=kind, endpoint=True)  # type: ignore[arg-type]
    if kind.kind in "biu":
        return stream.integers(0, 2, shape).astype(kind)  # type: ignore[arg-type]  # wider ones may be indices
    return stream.random(shape).astype(kind)  # type: ignore[arg-type]


def _close(alone: NDArray[Any], together: NDArray[Any]) -> bool:
    ours, theirs = alone.astype(np.float64), together.astype(np.float64)
    step = 1.0 if alone.dtype.kind in "iu" else 0.0
    largest = np.abs(ours[np.isfinite(ours)]).max(initial=0.0)
    return bool(np.allclose(ours, theirs, rtol=0.0, atol=max(step, _SAME * largest), equal_nan=True))
