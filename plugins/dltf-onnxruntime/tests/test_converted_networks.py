"""Converters on a network that was trained: the digits are read as before."""

from __future__ import annotations

import numpy as np
import pytest

from dltf_onnxruntime.backend import OnnxRuntime
from dltf_onnxruntime.conversion.dynamic_int8 import DynamicInt8
from dltf_onnxruntime.conversion.float16 import Float16
from dltf_onnxruntime.conversion.static_int8 import StaticInt8
from dltf_onnxruntime.conversion.weights import Alter, Prune

CONVERTERS = {
    "dynamic": DynamicInt8(),
    "dynamic, per channel": DynamicInt8(weight_type="int8", per_channel=True),
    "float16": Float16(),
    **{
        f"static, {form}, {method}": StaticInt8(format=form, method=method, samples=64)
        for form in ("QDQ", "QOperator")
        for method in ("minmax", "entropy", "percentile")
    },
    "static, per channel": StaticInt8(per_channel=True, samples=64),
    "static, signed": StaticInt8(activation_type="int8", samples=64),
    "pruned": Prune(share=0.3),
    "altered": Alter(share=0.1),
}


@pytest.fixture
def digits(data):
    file = data / "models" / "zoo" / "mnist-cnn.onnx"
    if not file.exists():
        pytest.skip(f"needs {file.name}, which DLTF_DATA has in models/zoo")
    with np.load(data / "mnist.npz") as arrays:
        test, train = (arrays[name][:200, None].astype(np.float32) for name in ("x_test", "x_train"))
    return file, test, train


def labels(file, pictures):
    with OnnxRuntime().open(file, "cpu") as runner:
        (scores,) = runner.run({runner.inputs[0].name: pictures}).values()
    return scores.argmax(axis=1)


@pytest.mark.parametrize("name", CONVERTERS)
def test_at_least_99_of_100_digits_are_read_alike(digits, tmp_path, name):
    file, pictures, others = digits
    facts = CONVERTERS[name].convert(file, tmp_path / "out.onnx", lambda: ({"input": row[None]} for row in others))
    assert (labels(tmp_path / "out.onnx", pictures) == labels(file, pictures)).mean() >= 0.99
    if name not in {"pruned", "altered"}:
        assert facts["weights_changed"] > 0.99
        assert facts["bytes_after"] < {"float16": 0.51}.get(name, 0.27) * facts["bytes_before"]
