"""Every promise of a backend, tested by the kit that ships with dltf."""

import numpy as np
from tiny_tflite import TinyModels

from dltf.testing import Examples, ModelExample, conformance


@conformance("tflite")
def test_conformance(folder):
    inputs = {"x": np.random.default_rng(0).random((5, 3), dtype=np.float32)}
    file = TinyModels(folder).dense()
    targets = ("cpu", "cpu-builtin", "cpu-reference")
    return Examples(models={"tflite": [ModelExample(file, inputs, target) for target in targets]})
