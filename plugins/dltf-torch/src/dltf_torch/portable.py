"""An exported program as converters take it: tensors in by name, tensors out by name, nothing else in it.

It is read as the backend reads it, so that no file runs code of its own here, either; and what is written says nothing
of the machine that wrote it, and is the same, byte for byte, when it is written again.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.plugin import ConversionError, TensorSpec
from dltf_torch.archive import read_archive, rewritten
from dltf_torch.devices import runtime
from dltf_torch.int8 import hushed
from dltf_torch.network import Sizes
from dltf_torch.program import load_program, sizes_of, tensors_of
from dltf_torch.reason import reason
from dltf_torch.state import check_file, holds_program
from dltf_torch.tree import name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z_]\w*")


@frozen(eq=False)
class Portable:
    """`module` maps tensors, by the inputs' names, to a dictionary of tensors."""

    module: Any
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[str, ...]
    sizes: Sizes
    example: Mapping[str, Any]  # a tensor for each input, of sizes that the program takes
    dynamic_shapes: Mapping[str, Any]  # as torch.export takes them

    def export(self) -> Any:
        """Trace the module again, as it is now; return the `ExportedProgram`."""
        torch = runtime()
        with hushed(), torch.no_grad():
            return torch.export.export(
                self.module, (), kwargs=dict(self.example), dynamic_shapes=dict(self.dynamic_shapes)
            )

    def save(self, out: Path) -> None:
        """Write the module, as it is now, as a .pt2 file."""
        torch = runtime()
        buffer = io.BytesIO()
        with hushed():
            torch.export.save(self.export(), buffer)
        buffer.seek(0)
        out.write_bytes(rewritten(buffer, self.outputs))


def open_portable(source: Path) -> Portable:
    """Read a .pt2 file; raise `ModelFileError` where it is none, `ConversionError` where it holds a state dict."""
    torch = runtime()
    check_file(source)
    if not holds_program(source):
        raise ConversionError(
            f"{source} holds weights, and not what to compute with them",
            hint="torch.export.save(torch.export.export(model.eval(), inputs), 'model.pt2') makes what is converted",
        )
    archive = read_archive(source, torch.device("cpu"))
    program, module = load_program(archive, source)
    inputs, tensors = tensors_of(program, archive, source)
    names = tuple(name(path) for path in archive.outputs)
    _, sizes = sizes_of(tensors, inputs, program.range_constraints, source)
    _by_name(module, [spec.name for spec in inputs], archive.constants, names, source)
    ranges = program.range_constraints
    example = {spec.name: _example(tensor, ranges) for spec, tensor in zip(inputs, tensors, strict=True)}
    open_sizes = {spec.name: _open(tensor, ranges, sizes) for spec, tensor in zip(inputs, tensors, strict=True)}
    return Portable(module, inputs, names, sizes, example, open_sizes)


def cannot(source: Path, what: str, error: Exception) -> ConversionError:
    """Return the error for a program that a library does not convert, with its reason in one line."""
    return ConversionError(f"{source.name} cannot be converted by {what}: {type(error).__name__}: {reason(error)}")


def _by_name(
    module: Any, inputs: Sequence[str], constants: Mapping[int, Any], outputs: tuple[str, ...], source: Path
) -> None:
    """Let the module take its inputs by name alone, without those that were constants, and give outputs by name."""
    from torch.fx.graph import CodeGen

    graph, names = module.graph, iter(inputs)
    for position, node in enumerate([node for node in graph.nodes if node.op == "placeholder"]):
        if position in constants:
            graph.erase_node(node)
        else:
            node.target = next(names)
    output = graph.output_node()
    given = output.args[0]
    if len(set(outputs)) != len(outputs):
        raise ConversionError(f"{source} gives two outputs of one name: {', '.join(outputs)}")
    output.args = (dict(zip(outputs, given if isinstance(given, (tuple, list)) else [given], strict=True)),)
    graph.set_codegen(CodeGen())
    module.recompile()


def _example(tensor: Any, ranges: Mapping[Any, Any]) -> Any:
    torch = runtime()
    sizes = [size if isinstance(size, int) else max(2, _least(size, ranges)) for size in tensor.shape]
    return torch.zeros(sizes, dtype=tensor.dtype)


def _open(tensor: Any, ranges: Mapping[Any, Any], sizes: Sizes) -> dict[int, Any] | None:
    """Return the axes that are open, each by one name with those that it is always as long as."""
    torch = runtime()
    found = {}
    for axis, size in enumerate(tensor.shape):
        if isinstance(size, int):
            continue
        text = str(size.node.expr)
        if not _NAME.fullmatch(text):
            found[axis] = torch.export.Dim.AUTO  # made of other sizes: PyTorch finds out again how
        elif axis == 0:
            found[axis] = torch.export.Dim("batch", min=sizes.least, max=sizes.most)
        else:
            found[axis] = torch.export.Dim(text, min=_least(size, ranges), max=_most(size, ranges))
    return found or None


def _least(size: Any, ranges: Mapping[Any, Any]) -> int:
    return _bound(ranges, size, "lower") or 1


def _most(size: Any, ranges: Mapping[Any, Any]) -> int | None:
    return _bound(ranges, size, "upper")


def _bound(ranges: Mapping[Any, Any], size: Any, end: str) -> int | None:
    bound: Any = getattr(ranges.get(size.node.expr), end, None)
    return int(bound) if getattr(bound, "is_Integer", False) else None
