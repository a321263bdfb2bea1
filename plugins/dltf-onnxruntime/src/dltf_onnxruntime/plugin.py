"""The shelves of this plugin."""

from __future__ import annotations

from dltf.plugin import Component, hookimpl


@hookimpl
def dltf_model_backends() -> list[Component]:
    """ONNX Runtime."""
    return [
        Component("onnxruntime", "dltf_onnxruntime.backend:OnnxRuntime", "ONNX files, on ONNX Runtime's providers."),
    ]


@hookimpl
def dltf_converters() -> list[Component]:
    """From ONNX to ONNX."""
    return [
        Component(
            "onnx.dynamic_int8",
            "dltf_onnxruntime.conversion.dynamic_int8:DynamicInt8",
            "Integer weights; scales of activations chosen for each batch.",
        ),
        Component(
            "onnx.static_int8",
            "dltf_onnxruntime.conversion.static_int8:StaticInt8",
            "Integer weights and activations, calibrated on seeds.",
        ),
        Component("onnx.float16", "dltf_onnxruntime.conversion.float16:Float16", "Half precision."),
        Component("onnx.prune", "dltf_onnxruntime.conversion.weights:Prune", "The smallest weights set to 0."),
        Component(
            "onnx.alter", "dltf_onnxruntime.conversion.weights:Alter", "A share of the weights changed by a factor."
        ),
    ]
