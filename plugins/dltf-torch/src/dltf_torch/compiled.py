"""Models compiled by TorchInductor, once for all batch sizes."""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve

from dltf.plugin import MisfitError, ModelFileError
from dltf_torch.devices import runtime
from dltf_torch.network import Network, Sizes, quiet
from dltf_torch.reason import reason

if TYPE_CHECKING:
    from pathlib import Path

_COMPILING = threading.Lock()  # the compiler is one for all threads


def keep_in(folder: Path) -> None:
    """Have TorchInductor keep what it makes in this folder, from now on: it has one for the whole process."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MisfitError(f"compile_cache cannot be used: {error}", hint="name a folder that can be written") from error
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder.resolve())


def compiled(module: Any) -> Any:
    """Return the module, to be compiled when it is first called; a part that cannot be is an error."""
    torch = runtime()
    alone = {"isolate_recompiles": True} if "isolate_recompiles" in inspect.signature(torch.compile).parameters else {}
    return torch.compile(module, fullgraph=True, **alone)


def warmed_up(network: Network, file: Path, device: Any) -> Network:
    """Compile it now, for batches of two or more: of size one, PyTorch would make a second program with other sums."""
    call, dynamic = network.call, network.dynamic

    def marked(tensors: Sequence[Any]) -> Sequence[Any]:
        torch = runtime()
        for tensor, axes in zip(tensors, dynamic, strict=True):
            for axis in axes:
                if tensor.shape[axis] > 1:
                    torch._dynamo.mark_dynamic(tensor, axis)
        return call(tensors)

    sizes, note = network.sizes, "compiled by TorchInductor"
    if sizes.least == 1 and sizes.most != 1:
        sizes = Sizes(2, sizes.most)
        note += ", once for all batches: an input alone is run twice in one batch"
    network = evolve(network, sizes=sizes, notes=(*network.notes, note), call=marked)
    if all(None not in spec.shape[1:] for spec in network.inputs):
        _compile(network, file, device)
    return network


def _compile(network: Network, file: Path, device: Any) -> None:
    torch = runtime()
    n = network.sizes.most if network.sizes.least == network.sizes.most else max(network.sizes.least, 2)
    try:
        with _COMPILING, quiet(), torch.inference_mode():  # as they are in a run, or it would be compiled again there
            zeros = [
                torch.zeros((n, *spec.shape[1:]), dtype=dtype, device=device)
                for spec, dtype in zip(network.inputs, network.dtypes, strict=True)
            ]
            network.call(zeros)
    except Exception as error:  # its exceptions have no common base
        raise ModelFileError(
            f"PyTorch cannot compile {file}: {reason(error)}", hint='set mode = "eager", which needs no compiler'
        ) from error
