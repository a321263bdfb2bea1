"""Exported programs (.pt2): a graph of plain operators, with the sizes that it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dltf.plugin import ModelFileError, TensorSpec
from dltf_torch import compiled as inductor
from dltf_torch.archive import read_archive
from dltf_torch.int8 import Int8, with_8_bits
from dltf_torch.network import Network, Sizes, dtype_name, kept_outputs, quiet
from dltf_torch.reason import reason
from dltf_torch.tree import name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dltf_torch.archive import Archive

_OPEN_FROM = 2  # torch.export says 2 of a size that was left open without a bound: it takes 1 as well


def open_program(file: Path, device: Any, *, compiled: bool, int8: Int8 = "none") -> Network:
    """Load an exported program onto a device; raise `ModelFileError` where that cannot be, or not safely."""
    archive = read_archive(file, device)
    program, module = load_program(archive, file)
    layers = with_8_bits(module, int8, file)
    module = inductor.compiled(module) if compiled else module
    inputs, tensors = tensors_of(program, archive, file)
    batch, sizes = sizes_of(tensors, inputs, program.range_constraints, file)
    nodes = {node.name: node for node in program.graph.nodes}
    given = [spec for spec in program.graph_signature.output_specs if spec.kind.name == "USER_OUTPUT"]
    metas = [_meta(nodes, spec.arg) for spec in given]
    named = [(name(path), _output(name(path), meta)) for path, meta in zip(archive.outputs, metas, strict=True)]
    follows = {spec.name for (_, spec), meta in zip(named, metas, strict=True) if spec and _follows(meta, batch)}
    kept, outputs, notes = kept_outputs(named, lambda spec: spec.name in follows, file)
    return Network(
        inputs,
        outputs,
        sizes,
        (*sizes.notes(), *archive.notes, *notes, *layers),
        _caller(module, archive.constants, kept),
        tuple(tensor.dtype for tensor in tensors),
        tuple(tuple(axis for axis, size in enumerate(spec.shape) if size is None) for spec in inputs),
    )


def load_program(archive: Archive, file: Path) -> tuple[Any, Any]:
    """Let PyTorch load what has been vetted; return the program, and its module."""
    from torch.export.pt2_archive._package import load_pt2  # torch.export.load hides the reason of a failure in a log

    try:
        with quiet():
            program = load_pt2(archive.content).exported_programs["model"]
            module: Any = program.module(check_guards=False)
    except Exception as error:  # its exceptions have no common base
        raise ModelFileError(
            f"PyTorch cannot load {file}: {reason(error)}",
            hint="save it again with torch.export.save, by the PyTorch that is installed here or an older one",
        ) from error
    module.validate_inputs = False  # the runner does, and says more
    return program, module


def tensors_of(program: Any, archive: Archive, file: Path) -> tuple[tuple[TensorSpec, ...], list[Any]]:
    """Return the inputs that are tensors, and for each the stand-in that has its shape and dtype."""
    nodes = {node.name: node for node in program.graph.nodes}
    fed = [spec for spec in program.graph_signature.input_specs if spec.kind.name == "USER_INPUT"]
    tensors = [_meta(nodes, spec.arg) for i, spec in enumerate(fed) if i not in archive.constants]
    names = [spec.arg.name for i, spec in enumerate(fed) if i not in archive.constants]
    return tuple(_input(name, tensor, file) for name, tensor in zip(names, tensors, strict=True)), tensors


def _caller(module: Any, constants: Mapping[int, Any], kept: tuple[int, ...]) -> Any:
    """Return a function of tensors alone, for the outputs that are kept alone."""

    def call(tensors: Sequence[Any]) -> list[Any]:
        feed = list(tensors)
        for position in sorted(constants):
            feed.insert(position, constants[position])
        outputs = module(*feed)
        return [outputs[i] for i in kept]

    return call


def _meta(nodes: Mapping[str, Any], argument: Any) -> Any:
    """Return the stand-in that has a tensor's shape and dtype, or None for what is no tensor."""
    node = nodes.get(getattr(argument, "name", ""))
    value = None if node is None else node.meta.get("val")
    return value if hasattr(value, "shape") and hasattr(value, "dtype") else None


def _input(name: str, tensor: Any, file: Path) -> TensorSpec:
    dtype = None if tensor is None else dtype_name(tensor.dtype)
    if dtype is None:
        raise ModelFileError(f'{file} cannot be fed: no numpy type fits "{name}"')
    return TensorSpec(name, _shape(tensor), dtype)


def _output(name: str, tensor: Any) -> TensorSpec | None:
    dtype = None if tensor is None else dtype_name(tensor.dtype)
    return None if dtype is None else TensorSpec(name, _shape(tensor), dtype)


def _shape(tensor: Any) -> tuple[int | None, ...]:
    return tuple(size if isinstance(size, int) else None for size in tensor.shape)


def sizes_of(
    tensors: Sequence[Any], inputs: tuple[TensorSpec, ...], ranges: Mapping[Any, Any], file: Path
) -> tuple[object, Sizes]:
    """Return the first axis that all inputs share, and which sizes of it the program takes."""
    first = {_size(tensor) for tensor in tensors if len(tensor.shape)}
    if len(first) != 1 or any(not spec.shape for spec in inputs) or 0 in first:
        raise ModelFileError(
            f"{file} has no one batch size: {', '.join(map(str, inputs)) or 'it has no input'}",
            hint="the first axis of every input has to be the batch: give all of them the same torch.export.Dim",
        )
    (batch,) = first
    if isinstance(batch, int):
        return batch, Sizes(batch, batch)
    found = ranges.get(batch)
    if found is None:
        raise ModelFileError(
            f"{file} takes batches of {batch} inputs, whatever {batch} is made of",
            hint="leave the first axis open by a plain torch.export.Dim, or fix it",
        )
    least, most = _bound(found.lower), _bound(found.upper)
    return batch, Sizes(least if least and least > _OPEN_FROM else 1, most)


def _size(tensor: Any) -> Any:
    """Return a first axis as a number, or as the expression that it is open by."""
    size = tensor.shape[0]
    return size if isinstance(size, int) else size.node.expr


def _bound(bound: Any) -> int | None:
    return int(bound) if getattr(bound, "is_Integer", False) else None


def _follows(tensor: Any, batch: object) -> bool:
    return bool(len(tensor.shape)) and _size(tensor) == batch
