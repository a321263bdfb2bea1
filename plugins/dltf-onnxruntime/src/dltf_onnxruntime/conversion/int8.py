"""The steps that dynamic and static quantisation have in common."""

from __future__ import annotations

import tempfile
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from dltf.plugin import ConversionError, DltfError, MissingPackageError
from dltf_onnxruntime.conversion import files
from dltf_onnxruntime.conversion.nodes import OF_GEMM, check_nodes, check_operators, name_nodes, not_quantised
from dltf_onnxruntime.conversion.quiet import quiet
from dltf_onnxruntime.conversion.tensors import conversion_of, operators, sizes
from dltf_onnxruntime.reason import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PREPARATIONS: tuple[tuple[str, dict[str, bool]], ...] = (
    ("shapes inferred, graph optimised", {}),
    ("shapes inferred without symbols, graph optimised", {"skip_symbolic_shape": True}),
    ("shapes inferred without symbols", {"skip_symbolic_shape": True, "skip_optimization": True}),
)
_NO_OPTIMISATION = "Model Optimization Failed"


class Choice(Protocol):
    """Which operators are to be quantised: fields of both converters."""

    @property
    def only_operators(self) -> Sequence[str]: ...
    @property
    def only_nodes(self) -> Sequence[str]: ...
    @property
    def except_nodes(self) -> Sequence[str]: ...


def quantise(
    source: Path, out: Path, choice: Choice, registry: str, act: Callable[[Path, Path, dict[str, Any]], None]
) -> Mapping[str, Any]:
    """Prepare the model, let `act` quantise it from one file to another, and write what came of it to `out`.

    `registry` is the name of ONNX Runtime's table of the operators that it takes for this.
    """
    files.onnx_package()
    with quiet() as said, tempfile.TemporaryDirectory(prefix="dltf-") as folder:
        taken = _operators_of(registry)
        prepared, preparation = _prepare(files.read(source), Path(folder), said)
        check_nodes(prepared, source, (*choice.only_nodes, *choice.except_nodes))
        check_operators(prepared, source, choice.only_operators, taken)
        given, made = Path(folder) / "prepared.onnx", Path(folder) / "quantised.onnx"
        files.write(prepared, given)
        try:
            act(given, made, _chosen(choice, prepared, taken))
            result = files.read(made)
        except DltfError:
            raise
        except Exception as error:  # those of onnx and ONNX Runtime have no common base
            raise ConversionError(f"{source} cannot be quantised: {reason(error)}") from error
    left = not_quantised(prepared, result)
    if left == not_quantised(prepared, prepared):
        raise ConversionError(
            f"nothing of {source} can be quantised so: it has {', '.join(operators(prepared))}",
            hint=f"ONNX Runtime takes {', '.join(taken)}",
        )
    files.write(result, out)
    facts = {**conversion_of(prepared, result), "not_quantised": left, "preparation": preparation}
    return {**facts, **sizes(source, out)}


def _operators_of(registry: str) -> list[str]:
    try:
        from onnxruntime.quantization import registry as registries
    except ImportError as error:  # sympy, which not every version asks for at once
        raise MissingPackageError(f"quantisation needs a package: {error}", hint=files.INSTALL) from error
    dynamic = registry == "IntegerOpsRegistry"
    return sorted({*getattr(registries, registry), *(("Gemm",) if dynamic else ())})


def _chosen(choice: Choice, model: Any, taken: Sequence[str]) -> dict[str, Any]:
    """Return the arguments of ONNX Runtime's functions, in a fixed order, so that the files are equal.

    Dynamic quantisation makes a MatMul and an Add of a Gemm and forgets what was said of its name and type, so both
    names are told, and nodes of other types are excluded by their names.
    """
    types = set(choice.only_operators or taken)
    others = [node.name for node in model.graph.node if node.op_type not in types]
    return {
        "op_types_to_quantize": sorted(types | {"MatMul"} if "Gemm" in types else types),
        "nodes_to_quantize": _both(choice.only_nodes),
        "nodes_to_exclude": _both([*choice.except_nodes, *others]),
        "use_external_data_format": files.is_large(model),
    }


def _both(names: Sequence[str]) -> list[str]:
    return [*names, *(name + OF_GEMM for name in names)]


def _prepare(model: Any, folder: Path, said: list[str]) -> tuple[Any, str]:
    """Return the model as ONNX Runtime's own preparation leaves it, as much of it as works, and how much that was."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    folder = folder.absolute()
    given, made = folder / "source.onnx", folder / "inferred.onnx"
    files.write(model, given)
    large = {"save_as_external_data": True, "all_tensors_to_one_file": True} if files.is_large(model) else {}
    for told, skipped in _PREPARATIONS:
        said.clear()
        try:
            with chdir(folder):  # where it leaves what it could not infer
                quant_pre_process(str(given), str(made), auto_merge=True, **skipped, **large)
        except Exception:  # whatever it stumbles over, the next one does without
            continue
        prepared = files.read(made)
        name_nodes(prepared)
        failed = any(_NO_OPTIMISATION in line for line in said)
        return prepared, told.removesuffix(", graph optimised") if failed else told
    name_nodes(model)
    return model, "none"
