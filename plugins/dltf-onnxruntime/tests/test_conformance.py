"""Every promise of a backend, tested by the kit that ships with dltf."""

import numpy as np
import onnx

from dltf.testing import Examples, ModelExample, conformance


@conformance("onnxruntime")
def test_conformance(folder):
    model = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["": 17]>
        scores (float[n, 3] x) => (float[n, 3] y) { y = Softmax(x) }
    """)
    onnx.save(model, folder / "scores.onnx")
    inputs = {"x": np.random.default_rng(0).random((5, 3), dtype=np.float32)}
    return Examples(models={"onnxruntime": [ModelExample(folder / "scores.onnx", inputs)]})
