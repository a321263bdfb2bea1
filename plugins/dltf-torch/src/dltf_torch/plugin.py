"""The shelves of this plugin."""

from __future__ import annotations

from dltf.plugin import Component, hookimpl


@hookimpl
def dltf_model_backends() -> list[Component]:
    """PyTorch."""
    return [
        Component("torch", "dltf_torch.backend:Torch", "Exported programs and state dicts, on PyTorch's devices."),
    ]


@hookimpl
def dltf_converters() -> list[Component]:
    """From exported programs, to 8 bits and to other formats."""
    return [
        Component(
            "torch.int8", "dltf_torch.to_int8:ToInt8", "Static int8 of a .pt2 file, calibrated on seeds (torchao)."
        ),
        Component("torch.to_onnx", "dltf_torch.to_onnx:ToOnnx", "A .pt2 file to ONNX, by PyTorch's own exporter."),
        Component("torch.to_tflite", "dltf_torch.to_tflite:ToTFLite", "A .pt2 file to TFLite, by litert-torch."),
        Component(
            "tflite.dynamic_int8",
            "dltf_torch.tflite_int8:DynamicInt8",
            "A TFLite file with weights in int8 (ai-edge-quantizer).",
        ),
        Component(
            "tflite.static_int8",
            "dltf_torch.tflite_int8:StaticInt8",
            "A TFLite file in int8 throughout, calibrated on seeds (ai-edge-quantizer).",
        ),
    ]
