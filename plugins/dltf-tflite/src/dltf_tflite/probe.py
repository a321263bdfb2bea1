"""What a model takes and gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.plugin import ModelFileError, TargetUnavailableError
from dltf_tflite.batches import try_batches
from dltf_tflite.build import allocate
from dltf_tflite.reason import cure
from dltf_tflite.specs import NUMBERS, open_shape, read_spec, unique

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dltf.plugin import TensorSpec
    from dltf_tflite.build import Build, Ready


@frozen
class Layout:
    """The tensors of a model. `batch`: its fixed batch size, or None where it can be resized to any.

    `kept`: which outputs are given (those that are arrays with one row for each input). `open_inputs`: which inputs
    have open sizes beside the batch. `indices`: the tensor index of each input.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    indices: tuple[int, ...]
    kept: tuple[int, ...]
    open_inputs: tuple[int, ...]
    batch: int | None
    notes: tuple[str, ...]


def probe(build: Build) -> tuple[Layout, Mapping[int, Ready]]:
    """Return the layout, and the interpreters made on the way, by the batch size they are ready for."""
    interpreter = build.bare()
    taken = _inputs(build, interpreter)
    declared = _declared_batch(taken, build)
    open_inputs = tuple(i for i, detail in enumerate(taken) if None in open_shape(detail)[1:])
    first = _allocate(build, interpreter, forgiving=bool(open_inputs))
    if first is None or open_inputs:
        refusal, ready = "its inputs have other open sizes", {}
    else:
        refusal, resized = try_batches(build, first, taken)
        ready = {declared: first} if refusal else dict(zip((1, 2), resized, strict=True))
    batch = declared if refusal else None
    given = interpreter.get_output_details()  # only now: some files leave it to the runtime to find the shapes
    kept = tuple(i for i, detail in enumerate(given) if _has_rows(detail, declared))
    if not kept:
        raise ModelFileError(f"{build.file} gives no array with one row for each input")
    layout = Layout(
        inputs=_specs(taken, range(len(taken)), batch),
        outputs=_specs(given, kept, batch),
        indices=tuple(detail["index"] for detail in taken),
        kept=kept,
        open_inputs=open_inputs,
        batch=batch,
        notes=(*_batch_notes(batch, refusal), *_output_notes(given, kept), *_kernel_notes(build, first)),
    )
    return layout, ready


def _inputs(build: Build, interpreter: Any) -> Sequence[Mapping[str, Any]]:
    try:
        interpreter.get_output_details()
        details: Sequence[Mapping[str, Any]] = interpreter.get_input_details()
        return details
    except ValueError as error:  # a name that is no text, say
        raise build.refusal(error) from error


def _declared_batch(details: Sequence[Mapping[str, Any]], build: Build) -> int:
    shapes = ", ".join(f'"{detail["name"]}" {detail["shape"].tolist()}' for detail in details)
    sizes = {int(size) for detail in details for size in detail["shape"][:1]}
    if len(sizes) != 1 or 0 in sizes or not all(len(detail["shape"]) for detail in details):
        raise ModelFileError(
            f"{build.file} has no one batch size: {shapes or 'it has no input'}",
            hint="the first axis of every input has to be the batch",
        )
    strange = [detail["name"] for detail in details if np.dtype(detail["dtype"]).kind not in NUMBERS]
    if strange:
        raise ModelFileError(f'{build.file} cannot be fed: "{strange[0]}" takes no numbers')
    return sizes.pop()


def _allocate(build: Build, interpreter: Any, *, forgiving: bool) -> Ready | None:
    """Make it ready for the declared sizes; None where some are open, and what stands in for them does not fit."""
    try:
        ready = allocate(interpreter)
    except (RuntimeError, ValueError) as error:
        if forgiving and not cure(error):
            return None
        raise build.refusal(error) from error
    if build.delegate and not ready.delegated:
        raise TargetUnavailableError(
            f"the delegate {build.delegate.library} takes no operator of {build.file}",
            hint='prepare the model for it (many have a compiler), or use target = "cpu"',
        )
    return ready


def _has_rows(detail: Mapping[str, Any], declared: int) -> bool:
    return np.dtype(detail["dtype"]).kind in NUMBERS and tuple(detail["shape"][:1]) == (declared,)


def _specs(details: Sequence[Mapping[str, Any]], kept: Sequence[int], batch: int | None) -> tuple[TensorSpec, ...]:
    names = unique(detail["name"] for detail in details)
    return tuple(read_spec(details[i], names[i], batch) for i in kept)


def _batch_notes(batch: int | None, refusal: str) -> tuple[str, ...]:
    if batch is None:
        return ()
    if batch == 1:
        return (f"the model refuses batches, so one by one: {refusal}",)
    return (f"the model takes {batch} inputs at a time: in chunks of {batch}, the last one filled up by repetition",)


def _output_notes(given: Sequence[Mapping[str, Any]], kept: tuple[int, ...]) -> tuple[str, ...]:
    left_out = [f'"{detail["name"]}"' for i, detail in enumerate(given) if i not in kept]
    if not left_out:
        return ()
    return (f"outputs that are no arrays with one row for each input are left out: {', '.join(left_out)}",)


def _kernel_notes(build: Build, first: Ready | None) -> tuple[str, ...]:
    if build.resolver != "AUTO" or first is None or first.delegated:
        return ()
    return (f"{build.runtime.distribution} applies no delegate to this model: its kernels are those of cpu-builtin",)
