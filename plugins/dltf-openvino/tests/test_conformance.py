"""Every promise of a backend and of converters, tested by the kit that ships with dltf."""

import numpy as np
import onnx

from dltf.testing import ConversionExample, Examples, ModelExample, conformance
from dltf_openvino.from_onnx import FromOnnx

SCORES = """
    <ir_version: 8, opset_import: ["": 17]>
    scores (float[n, 3] x) => (float[n, 3] y) <float[3, 3] w = {1, 2, 3, 4, 5, 6, 7, 8, 9}> {
        h = MatMul(x, w)
        y = Softmax(h)
    }
"""


@conformance("openvino")
def test_conformance(folder):
    (folder / "source").mkdir(exist_ok=True)
    (folder / "model").mkdir(exist_ok=True)
    source, model = folder / "source" / "scores.onnx", folder / "model" / "scores.xml"
    onnx.save(onnx.parser.parse_model(SCORES), source)
    FromOnnx().convert(source, model, None)
    inputs = {"x": np.random.default_rng(0).random((5, 3), dtype=np.float32)}
    seeds = [{"x": row[None]} for row in inputs["x"]]
    return Examples(
        models={"openvino": [ModelExample(model, inputs)]},
        conversions={
            "openvino.from_onnx": [ConversionExample(source)],
            "openvino.int8": [ConversionExample(model, seeds)],
        },
    )
