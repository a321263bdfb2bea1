"""An exported program to ONNX, by PyTorch's own exporter."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from importlib import metadata
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import field, frozen, validators

from dltf.plugin import MissingPackageError
from dltf_torch.devices import runtime
from dltf_torch.int8 import hushed
from dltf_torch.portable import cannot, open_portable

if TYPE_CHECKING:
    from pathlib import Path

    from dltf.plugin import Calibration
    from dltf_torch.network import Sizes

_PACKAGES = ("torch", "onnx", "onnxscript", "onnx-ir")
_MOST = 2**31 - 1  # bytes that one file of protobuf can have


@frozen
class ToOnnx:
    """The same graph with the same names of inputs and outputs; a batch that was open stays so."""

    opset: int = field(default=20, validator=[validators.ge(18), validators.le(25)])
    optimise: bool = True  # fold constants, and batch normalisation into convolutions, as PyTorch does by default

    reads: ClassVar[tuple[str, ...]] = (".pt2",)
    writes: ClassVar[str] = ".onnx"
    needs_seeds: ClassVar[bool] = False

    def convert(self, source: Path, out: Path, calibration: Calibration | None) -> Mapping[str, Any]:
        _installed()
        portable = open_portable(source)
        torch = runtime()
        try:
            with hushed(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                program = torch.onnx.export(
                    portable.export(),
                    dynamo=True,
                    opset_version=self.opset,
                    optimize=self.optimise,
                    input_names=[spec.name for spec in portable.inputs],
                    output_names=list(portable.outputs),
                    verbose=False,
                )
            model = _plain(program.model_proto)
            _name_the_batch(model, portable.sizes)
        except Exception as error:  # its exceptions have no common base
            raise cannot(source, "torch.onnx.export", error) from error
        _write(model, out)
        operators: dict[str, int] = {}
        for node in model.graph.node:
            operators[node.op_type] = operators.get(node.op_type, 0) + 1
        told = next(entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"})
        return {"opset": told, "ir_version": model.ir_version, "operators": dict(sorted(operators.items()))}

    def versions(self) -> Mapping[str, str]:
        return {name: found for name in _PACKAGES if (found := _version(name))}


def _installed() -> None:
    try:
        import onnxscript  # noqa: F401  # torch.onnx.export needs it; it needs onnx
    except ImportError as error:
        raise MissingPackageError(
            f"the converter to ONNX needs a package that is not installed: {error}",
            hint="pip install 'dltf-torch[onnx]'",
        ) from error


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _plain(model: Any) -> Any:
    """Remove what says where and by what the model was made: source lines, and folders of this machine."""
    for function in model.functions:
        del function.metadata_props[:]
        for node in function.node:
            _forget(node)
    del model.metadata_props[:]
    _forget(model.graph)
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info, *model.graph.initializer):
        _forget(value)
    _forget_nodes(model.graph)
    return model


def _name_the_batch(model: Any, sizes: Sizes) -> None:
    """Call the open batch "batch"; PyTorch calls it "s40" or so."""
    if sizes.least == sizes.most:
        return
    values = (*model.graph.input, *model.graph.output, *model.graph.value_info)
    first = [value.type.tensor_type.shape.dim[0] for value in values if value.type.tensor_type.shape.dim]
    name = next(dim.dim_param for dim in first if dim.dim_param)
    for value in values:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param == name:
                dim.dim_param = "batch"


def _forget_nodes(graph: Any) -> None:
    for node in graph.node:
        _forget(node)
        for attribute in node.attribute:
            for inner in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                _forget(inner)
                _forget_nodes(inner)


def _forget(thing: Any) -> None:
    del thing.metadata_props[:]
    thing.doc_string = ""


def _write(model: Any, out: Path) -> None:
    import onnx

    if model.ByteSize() < _MOST:
        out.write_bytes(model.SerializeToString(deterministic=True))
        return
    onnx.save(model, out, save_as_external_data=True, location=f"{out.stem}.data", all_tensors_to_one_file=True)
