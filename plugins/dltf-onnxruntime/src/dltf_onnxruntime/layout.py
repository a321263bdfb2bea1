"""What goes in and comes out of a session: specs, and how many inputs it takes at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.plugin import ModelFileError, TensorSpec

if TYPE_CHECKING:
    from pathlib import Path

_DTYPES = {
    "tensor(bool)": "bool",
    "tensor(double)": "float64",
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(int8)": "int8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(uint8)": "uint8",
}


@frozen
class Layout:
    """The tensors of a model, and its fixed batch size, or None where a batch of any size goes in at once."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    batch: int | None
    notes: tuple[str, ...]


def read_layout(session: Any, file: Path) -> Layout:
    """Read what a session declares; raise `ModelFileError` where batches of arrays cannot go through it."""
    inputs = {node.name: _spec(node) for node in session.get_inputs()}  # ONNX Runtime leaves the initialisers out
    outputs = {node.name: _spec(node) for node in session.get_outputs()}
    strange = [name for name, spec in inputs.items() if spec is None]
    if strange or not inputs:
        why = f"no numpy type fits {_list(strange)}" if strange else "it has no input"
        raise ModelFileError(f"{file} cannot be fed: {why}")
    taken = tuple(spec for spec in inputs.values() if spec is not None)
    batch = _fixed_batch(taken, [spec for spec in outputs.values() if spec is not None], file)
    given = tuple(spec for spec in outputs.values() if spec is not None and _follows(spec, batch))
    left_out = [name for name in outputs if name not in {spec.name for spec in given}]
    if not given:
        listed = ", ".join(str(spec or name) for name, spec in outputs.items())
        raise ModelFileError(
            f"{file} gives no array with one row for each input: {listed or 'it has no output'}",
            hint="the first axis of an output has to be the batch: export the model with an open one, or 1",
        )
    notes = _batch_notes(batch)
    if left_out:
        notes = (*notes, f"outputs that are no arrays with one row for each input are left out: {_list(left_out)}")
    return Layout(taken, given, batch, notes)


def _spec(node: Any) -> TensorSpec | None:
    dtype = _DTYPES.get(node.type)
    if dtype is None:
        return None
    return TensorSpec(
        node.name, tuple(size if isinstance(size, int) and size >= 0 else None for size in node.shape), dtype
    )


def _fixed_batch(inputs: tuple[TensorSpec, ...], outputs: list[TensorSpec], file: Path) -> int | None:
    """Return the batch size that the graph is made for; an output of one row alone (a constant reshape) makes it 1."""
    sizes = {spec.shape[0] for spec in inputs if spec.shape} - {None}
    if len(sizes) > 1 or 0 in sizes:
        raise ModelFileError(
            f"{file} has no one batch size: {', '.join(map(str, inputs))}",
            hint="the first axis of every input has to be the batch",
        )
    return next(iter(sizes), 1 if any(spec.shape[:1] == (1,) for spec in outputs) else None)


def _follows(output: TensorSpec, batch: int | None) -> bool:
    return output.shape[:1] in {(), (None,), (batch,)}  # the shape is () where it is not declared


def _batch_notes(batch: int | None) -> tuple[str, ...]:
    if batch is None:
        return ()
    if batch == 1:
        return ("the model takes one input at a time: one by one",)
    return (f"the model takes {batch} inputs at a time: in chunks of {batch}, the last one filled up by repetition",)


def _list(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
