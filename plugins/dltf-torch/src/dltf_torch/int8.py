"""8 bits for the linear layers of a model, by torchao, when it is opened; convolutions stay as they are.

Weights are int8, symmetric, one scale for each output. "dynamic" rounds what goes in to int8, too, with one scale for
each row, so that an answer depends on its own input alone. It takes no calibration; `torch.int8` does, and covers
convolutions.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal

from dltf.plugin import MisfitError, MissingPackageError, ModelFileError
from dltf_torch.devices import runtime
from dltf_torch.reason import reason

if TYPE_CHECKING:
    from pathlib import Path

Int8 = Literal["none", "weight_only", "dynamic"]
_CONFIGS = {"weight_only": "Int8WeightOnlyConfig", "dynamic": "Int8DynamicActivationInt8WeightConfig"}
_LOGGERS = ("torch", "torchao")


def torchao(name: str) -> Any:
    """Import a module of torchao, without what it logs of kernels that it has not been built for."""
    import importlib

    try:
        with hushed():
            return importlib.import_module(f"torchao.{name}")
    except ImportError as error:
        raise MissingPackageError(
            f"8 bits need a package that is not installed: {error}", hint="pip install 'dltf-torch[int8]'"
        ) from error


@contextmanager
def hushed() -> Iterator[None]:
    """Keep warnings of all modules, and what libraries log below an error, from users."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def version() -> dict[str, str]:
    """Return the version of torchao, where it is installed."""
    try:
        return {"torchao": metadata.version("torchao")}
    except metadata.PackageNotFoundError:
        return {}


def with_8_bits(module: Any, kind: Int8, file: Path) -> tuple[str, ...]:
    """Quantise the linear layers of a module in place; return the note that says so."""
    if kind == "none":
        return ()
    torch, quantization = runtime(), torchao("quantization")
    if isinstance(module, torch.fx.GraphModule):
        _restore_layers(module)
    layers = [layer for layer in module.modules() if isinstance(layer, torch.nn.Linear)]
    if not layers:
        raise MisfitError(
            f'{file} has no linear layer, which is all that int8 = "{kind}" changes',
            hint='convert a .pt2 file by "torch.int8", which covers convolutions',
        )
    config = getattr(quantization, _CONFIGS[kind])(set_inductor_config=False)  # it is one for all models
    try:
        with hushed(), torch.inference_mode(False):
            quantization.quantize_(module, config)
    except Exception as error:  # its exceptions have no common base
        raise ModelFileError(f"torchao cannot quantise {file}: {reason(error)}") from error
    what = "weights, and what goes in by row" if kind == "dynamic" else "weights"
    count = f"{len(layers)} linear layer{'s' if len(layers) > 1 else ''}"
    return (f"{count} in int8 by torchao's {_CONFIGS[kind]} ({what}); all else as it is",)


def _restore_layers(module: Any) -> None:
    """Put linear layers back for the operators that they were exported to, since torchao looks for layers."""
    torch = runtime()
    graph = module.graph
    for node in list(graph.nodes):
        if node.target is not torch.ops.aten.linear.default or node.args[1].op != "get_attr":
            continue
        bias = node.args[2] if len(node.args) > 2 else None
        layer = torch.nn.Linear(1, 1, bias=bias is not None, device="meta").eval()
        layer.weight = _parameter(module, node.args[1])
        layer.out_features, layer.in_features = layer.weight.shape
        if bias is not None:
            layer.bias = _parameter(module, bias)
        name = f"_layer_{node.name}"
        module.add_submodule(name, layer)
        with graph.inserting_before(node):
            called = graph.call_module(name, (node.args[0],))
        node.replace_all_uses_with(called)
        graph.erase_node(node)
    graph.eliminate_dead_code()
    module.recompile()


def _parameter(module: Any, node: Any) -> Any:
    torch = runtime()
    found = module
    for part in node.target.split("."):
        found = getattr(found, part)
    return torch.nn.Parameter(found.detach(), requires_grad=False)
