"""The shelves of this plugin."""

from __future__ import annotations

from dltf.plugin import Component, hookimpl


@hookimpl
def dltf_model_backends() -> list[Component]:
    """ONNX Runtime."""
    return [
        Component("onnxruntime", "dltf_onnxruntime.backend:OnnxRuntime", "ONNX files, on ONNX Runtime's providers."),
    ]
