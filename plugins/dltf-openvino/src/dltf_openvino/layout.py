"""What goes in and comes out of a compiled model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from dltf.plugin import ModelFileError, TensorSpec
from dltf_openvino.specs import read_specs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dltf.plugin import Quantisation
    from dltf_openvino.batches import Fitted


@frozen
class Layout:
    """The tensors of a model. `batch`: its fixed batch size, or None. `kept`: which of its outputs are given."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    kept: tuple[int, ...]
    batch: int | None
    notes: tuple[str, ...]


def read_layout(fitted: Fitted, file: Path, declared: Mapping[str, Quantisation]) -> Layout:
    """Read the specs; raise `ModelFileError` where batches of arrays cannot go through the model."""
    inputs = read_specs(fitted.model.inputs, declared)
    strange = [
        port.get_element_type().get_type_name()
        for port, spec in zip(fitted.model.inputs, inputs, strict=True)
        if spec is None
    ]
    if strange:
        raise ModelFileError(f"{file} cannot be fed: no numpy type fits {', '.join(strange)}")
    outputs = read_specs(fitted.model.outputs, declared)
    kept = tuple(i for i, spec in enumerate(outputs) if spec is not None and _follows(spec, fitted.batch))
    if not kept:
        raise ModelFileError(
            f"{file} gives no array with one row for each input: {', '.join(str(spec) for spec in outputs)}",
            hint="the first axis of an output has to be the batch: export the model with an open one, or 1",
        )
    left_out = [port.get_node().get_friendly_name() for i, port in enumerate(fitted.model.outputs) if i not in kept]
    return Layout(
        inputs=tuple(spec for spec in inputs if spec is not None),
        outputs=tuple(spec for i in kept if (spec := outputs[i]) is not None),
        kept=kept,
        batch=fitted.batch,
        notes=(*_batch_notes(fitted), *_output_notes(left_out)),
    )


def _follows(output: TensorSpec, batch: int | None) -> bool:
    return output.shape[:1] in {(None,), (batch,)}


def _batch_notes(fitted: Fitted) -> tuple[str, ...]:
    why = f": {fitted.refusal}" if fitted.refusal else ""
    if fitted.batch is None:
        return ()
    if fitted.batch == 1:
        return (f"the model takes one input at a time, so one by one{why}",)
    chunks = f"in chunks of {fitted.batch}, the last one filled up by repetition"
    return (f"the model takes {fitted.batch} inputs at a time, so {chunks}{why}",)


def _output_notes(left_out: list[str]) -> tuple[str, ...]:
    if not left_out:
        return ()
    listed = ", ".join(f'"{name.removesuffix("/sink_port_0")}"' for name in left_out)
    return (f"outputs that are no arrays with one row for each input are left out: {listed}",)
