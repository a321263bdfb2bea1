"""The shelves of this plugin."""

from __future__ import annotations

from dltf.plugin import Component, hookimpl


@hookimpl
def dltf_model_backends() -> list[Component]:
    """PyTorch."""
    return [
        Component("torch", "dltf_torch.backend:Torch", "Exported programs and state dicts, on PyTorch's devices."),
    ]
