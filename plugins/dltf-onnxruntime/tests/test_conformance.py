"""Every promise of a backend and of converters, tested by the kit that ships with dltf."""

import numpy as np
import onnx

from dltf.testing import ConversionExample, Examples, ModelExample, conformance


@conformance("onnxruntime")
def test_conformance(folder):
    softmax = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["": 17]>
        scores (float[n, 3] x) => (float[n, 3] y) { y = Softmax(x) }
    """)
    onnx.save(softmax, folder / "scores.onnx")
    inputs = {"x": np.random.default_rng(0).random((5, 3), dtype=np.float32)}
    dense = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["": 17]>
        network (float[n, 3] x) => (float[n, 2] y)
        <float[3, 4] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, float[4, 2] v = {-4, -3, -2, -1, 1, 2, 3, 4}>
        { h = MatMul(x, w) r = Relu(h) y = MatMul(r, v) }
    """)
    onnx.save(dense, folder / "network.onnx")
    network = ConversionExample(folder / "network.onnx")
    names = ("onnx.dynamic_int8", "onnx.float16", "onnx.prune", "onnx.alter")
    seeded = ConversionExample(folder / "network.onnx", [{"x": row[None]} for row in inputs["x"]])
    return Examples(
        models={"onnxruntime": [ModelExample(folder / "scores.onnx", inputs)]},
        conversions={"onnx.static_int8": [seeded], **{name: [network] for name in names}},
    )
