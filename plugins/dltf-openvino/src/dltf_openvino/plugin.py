"""The shelves of this plugin."""

from __future__ import annotations

from dltf.plugin import Component, hookimpl


@hookimpl
def dltf_model_backends() -> list[Component]:
    """OpenVINO."""
    return [
        Component(
            "openvino", "dltf_openvino.backend:OpenVINO", "OpenVINO IR, ONNX and TFLite files, on Intel's runtime."
        ),
    ]


@hookimpl
def dltf_converters() -> list[Component]:
    """To OpenVINO IR, and to 8 bits there."""
    return [
        Component("openvino.from_onnx", "dltf_openvino.from_onnx:FromOnnx", "An ONNX file as OpenVINO IR."),
        Component("openvino.int8", "dltf_openvino.int8:Int8", "8-bit weights and activations, by NNCF."),
    ]
