"""PyTorch's devices for models of speech, and why one is not usable here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dltf.plugin import MissingPackageError, Target, TargetUnavailableError, nearest

CPU, CUDA = "cpu", "cuda"
_SUMMARIES = {
    CPU: "the processor",
    CUDA: "NVIDIA GPUs through CUDA, or AMD GPUs through ROCm: the first that is visible",
}
CURE = "pip install 'dltf-speech[transformers]'"


def torch() -> Any:
    """Import PyTorch, or say how to install it."""
    try:
        import torch as runtime
    except ImportError as error:
        raise MissingPackageError(f'the backend "transformers" cannot import torch: {error}', hint=CURE) from error
    return runtime


def targets() -> Sequence[Target]:
    """List the devices, each with the reason where it is not usable."""
    try:
        runtime = torch()
    except MissingPackageError as error:
        return [Target(name, summary, f"{error.message}: {error.hint}") for name, summary in _SUMMARIES.items()]
    why_not = {CPU: "", CUDA: _no_cuda(runtime)}
    return [Target(name, summary, why_not[name]) for name, summary in _SUMMARIES.items()]


def usable(name: str) -> str:
    """Return the name of a device that is here; raise `TargetUnavailableError` otherwise."""
    known = {target.name: target for target in targets()}
    if name not in known:
        raise TargetUnavailableError(f'the backend "transformers" has no target "{name}"{nearest(name, known)}')
    if not known[name].usable:
        raise TargetUnavailableError(f'the target "{name}" is not usable here', hint=known[name].why_not)
    return name


def _no_cuda(runtime: Any) -> str:
    if runtime.cuda.is_available():
        return ""
    if runtime.version.cuda is None and runtime.version.hip is None:
        return f"PyTorch {runtime.__version__} is built without CUDA: install one with it, see pytorch.org/get-started"
    return "PyTorch sees no GPU: check the driver (nvidia-smi) and CUDA_VISIBLE_DEVICES"
