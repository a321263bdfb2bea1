"""What a model takes and gives, and whether it can be resized to batches.

Many files are converted at batch size one. Most of them can be resized; some refuse (a reshape to a constant), and a few
accept and mix up their rows. So two made-up inputs go through alone and together when a model is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.plugin import ModelFileError, TargetUnavailableError, TensorSpec
from dltf_tflite.build import Build, Ready
from dltf_tflite.reason import cure, reason
from dltf_tflite.specs import NUMBERS, open_shape, read_spec, unique

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_SAME = 0.01  # of the largest output; kernels round differently by batch size, mixed up rows are far beyond it


@frozen
class Layout:
    """The tensors of a model. `batch`: its fixed batch size, or None where it can be resized to any.

    `kept`: which outputs are given (those that are arrays with one row for each input). `open_inputs`: the inputs with
    more open sizes than the batch.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    batch: int | None
    kept: tuple[int, ...]
    open_inputs: tuple[int, ...]
    notes: tuple[str, ...]


def probe(build: Build) -> tuple[Layout, list[Ready]]:
    """Return the layout, and the interpreters made on the way: as declared, and of one and two inputs where it resizes."""
    bare = build.bare()
    details = _checked(bare.get_input_details(), build)
    declared = next(iter({int(detail["shape"][0]) for detail in details}))
    open_inputs = tuple(i for i, detail in enumerate(details) if None in open_shape(detail)[1:])
    if open_inputs:
        _check_operators(build)
        refusal, ready = "sizes other than the batch are open", []
    else:
        first = _allocate(build)
        _check_delegate(build, first)
        refusal, ready = _try_batches(build, first, details)
    batch = None if not refusal else (1 if open_inputs else declared)
    outputs = (ready[0].interpreter if ready else bare).get_output_details()
    kept = _kept(outputs, declared)
    if not kept:
        raise ModelFileError(f"{build.file} gives no array with one row for each input")
    names = unique(detail["name"] for detail in outputs)
    layout = Layout(
        inputs=_specs(details, unique(detail["name"] for detail in details), batch),
        outputs=_specs([outputs[i] for i in kept], [names[i] for i in kept], batch),
        batch=batch,
        kept=kept,
        open_inputs=open_inputs,
        notes=(
            *_batch_notes(batch, refusal),
            *_output_notes([name for i, name in enumerate(names) if i not in kept]),
            *_kernel_notes(build, ready),
        ),
    )
    return layout, ready
