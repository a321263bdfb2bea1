"""The shelves of this plugin."""

from __future__ import annotations

from dltf.plugin import Component, hookimpl


@hookimpl
def dltf_model_backends() -> list[Component]:
    """TensorFlow Lite."""
    return [
        Component("tflite", "dltf_tflite.backend:TFLite", "TFLite files, on LiteRT's kernels or an external delegate."),
    ]
