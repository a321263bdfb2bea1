"""Devices: which there are, and why one is not usable here."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from typing import Any

from dltf.plugin import MissingPackageError, Target, TargetUnavailableError, nearest

CPU, CUDA, MPS = "cpu", "cuda", "mps"
_SUMMARIES = {
    CPU: "the processor",
    CUDA: "NVIDIA GPUs through CUDA, or AMD GPUs through ROCm: the first one that is visible",
    MPS: "Apple GPUs, through Metal",
}


def runtime() -> Any:
    """Import PyTorch, or say how to install it."""
    try:
        import torch
    except ImportError as error:
        raise MissingPackageError(
            f'the backend "torch" cannot import its package: {error}', hint="pip install torch"
        ) from error
    return torch


def targets(*, compiled: bool) -> tuple[Target, ...]:
    """List every device, each with the reason where it is not usable here, or not for compiled models."""
    try:
        torch = runtime()
    except MissingPackageError as error:
        why_not = f"{error.message}: {error.hint}"
        return tuple(Target(name, summary, why_not) for name, summary in _SUMMARIES.items())
    found = [Target(name, summary, _why_not(torch, name, compiled)) for name, summary in _SUMMARIES.items()]
    further = torch.cuda.device_count() if torch.cuda.is_available() else 0
    found += [
        Target(f"{CUDA}:{i}", f"as cuda, GPU {i}: {torch.cuda.get_device_name(i)}", _why_not(torch, CUDA, compiled))
        for i in range(1, further)
    ]
    return tuple(found)


def usable(name: str, *, compiled: bool) -> Any:
    """Return the `torch.device` of this name; raise `TargetUnavailableError` where it is not to be had."""
    torch = runtime()
    known = {target.name: target for target in targets(compiled=compiled)}
    if name not in known:
        raise TargetUnavailableError(f'the backend "torch" has no target "{name}"{nearest(name, known)}')
    if not known[name].usable:
        raise TargetUnavailableError(f'the target "{name}" is not usable here', hint=known[name].why_not)
    return torch.device(f"{CUDA}:0" if name == CUDA else name)


def _why_not(torch: Any, name: str, compiled: bool) -> str:
    absent = {CPU: "", CUDA: _no_cuda(torch), MPS: _no_mps(torch)}[name]
    return absent or (_no_compiler(name) if compiled else "")


def _no_cuda(torch: Any) -> str:
    if torch.cuda.is_available():
        return ""
    if torch.version.cuda is None and torch.version.hip is None:
        return f"PyTorch {torch.__version__} is built without CUDA: install one with it, see pytorch.org/get-started"
    return "PyTorch sees no GPU: check the driver (nvidia-smi) and CUDA_VISIBLE_DEVICES"


def _no_mps(torch: Any) -> str:
    if torch.backends.mps.is_available():
        return ""
    if not torch.backends.mps.is_built():
        return "this build of PyTorch has no Metal: it comes with pip install torch, on macOS"
    return "Metal needs macOS 12.3 or newer, and an Apple or AMD GPU"


def _no_compiler(name: str) -> str:
    compiler = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(compiler) is None:
        return (
            f'mode = "compiled" needs a C++ compiler, and there is no {compiler}: '
            'apt-get install g++, name one by CXX, or set mode = "eager"'
        )
    if name == CUDA and importlib.util.find_spec("triton") is None:
        return 'mode = "compiled" on a GPU needs Triton: pip install triton, or set mode = "eager"'
    return ""


def versions_of_gpu(torch: Any) -> dict[str, str]:
    """Return the versions of the libraries that PyTorch brings for GPUs, where it has any."""
    found = {"cuda": torch.version.cuda, "rocm": torch.version.hip}
    if torch.version.cuda is not None and torch.backends.cudnn.is_available():
        found["cudnn"] = str(torch.backends.cudnn.version())
    return {name: re.sub(r"\s", "", version) for name, version in found.items() if version}
