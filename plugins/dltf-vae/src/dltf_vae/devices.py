"""Where PyTorch runs, on how many threads, and that it does the same thing twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from dltf.plugin import TargetUnavailableError

if TYPE_CHECKING:
    from dltf_vae.recipe import Device


def device_of(name: Device) -> torch.device:
    """Return the device; raise `TargetUnavailableError` where it is asked for by name and not to be had."""
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        built = "PyTorch sees no GPU" if torch.version.cuda else f"PyTorch {torch.__version__} is built without CUDA"
        raise TargetUnavailableError(
            'device = "cuda" is not usable here', hint=f'{built}; device = "cpu" runs anywhere'
        )
    return torch.device("cuda", torch.cuda.current_device())


@contextmanager
def steady(threads: int) -> Iterator[None]:
    """Run the block on this many threads, with kernels that repeat themselves; what was set before comes back."""
    before = torch.get_num_threads()
    kernels = (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32)
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    torch.backends.cudnn.allow_tf32 = False
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = kernels[:2]
        torch.backends.cudnn.allow_tf32 = kernels[2]
