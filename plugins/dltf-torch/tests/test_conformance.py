"""Every promise of a backend and of converters, tested by the kit that ships with dltf."""

import numpy as np
import torch

from dltf.testing import ConversionExample, Examples, ModelExample, conformance
from dltf_torch.tflite_int8 import DynamicInt8
from dltf_torch.to_tflite import ToTFLite

LITERT = "litert-torch" in ToTFLite().versions() and "ai-edge-quantizer" in DynamicInt8().versions()
ABSENT = (
    "needs litert-torch and ai-edge-quantizer: pip install them, into an environment of their own if you like, and set "
    "DLTF_LITERT_PYTHON to its interpreter"
)
ELSEWHERE = ("torch.to_tflite", "tflite.dynamic_int8", "tflite.static_int8")


@conformance("torch", without={} if LITERT else dict.fromkeys(ELSEWHERE, ABSENT))
def test_conformance(folder):
    network = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 4), torch.nn.Softmax(-1))
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(network.eval(), (torch.zeros(2, 3),), dynamic_shapes=({0: batch},))
    source = folder / "scores.pt2"
    torch.export.save(program, source)
    rows = np.random.default_rng(0).random((5, 3), dtype=np.float32)
    calibrated = ConversionExample(source, [{"input": row[None]} for row in rows])
    conversions = {name: [calibrated] for name in ("torch.int8", "torch.to_onnx", "torch.to_tflite")}
    if LITERT:
        converted = folder / "tflite" / "scores.tflite"
        converted.parent.mkdir()
        ToTFLite().convert(source, converted, None)
        seeds = [{"serving_default_input": row[None]} for row in rows]
        conversions |= {name: [ConversionExample(converted, seeds)] for name in ELSEWHERE[1:]}
    else:
        conversions = {name: examples for name, examples in conversions.items() if name not in ELSEWHERE}
    return Examples(models={"torch": [ModelExample(source, {"input": rows})]}, conversions=conversions)
