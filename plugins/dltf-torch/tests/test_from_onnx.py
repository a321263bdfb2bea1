"""The example that rebuilds ONNX networks in PyTorch, held against ONNX Runtime."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dltf_torch.backend import Torch

onnx = pytest.importorskip("onnx", reason="needs onnx: pip install onnx")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install onnxruntime")

SCRIPT = Path(__file__).parents[3] / "examples" / "torch" / "from_onnx.py"

CONVOLUTIONS = """
    <ir_version: 8, opset_import: ["": 17]>
    network (float[n, 3, 13, 13] picture) => (float[n, 4] scores, float[n, 5] side)
    <float[6, 3, 3, 3] w0, float[6] b0, float[6, 3, 3, 3] w1, float[6] gain, float[6] shift, float[6] mean,
     float[6] spread, float[4, 6, 1, 1] w2, float[4, 4] fc, float[4] bias, float[4, 5] matrix,
     int64[8] wide = {0, 0, 1, 0, 0, 0, 0, 3}, int64[2] flat = {0, -1}, int64[2] last = {2, 3}, float low = {-1.0},
     float high = {1.5}, float half = {0.5}>
    {
      centred = Sub (picture, half)
      scaled = Div (centred, high)
      c0 = Conv <strides = [2, 2], pads = [0, 0, 1, 1], kernel_shape = [3, 3]> (scaled, w0, b0)
      n0 = BatchNormalization <epsilon = 0.001> (c0, gain, shift, mean, spread)
      r0 = Relu (n0)
      c1 = Conv <auto_pad = "SAME_UPPER", strides = [2, 2], dilations = [1, 1]> (scaled, w1)
      s1 = Sigmoid (c1)
      p1 = Pad <mode = "constant"> (r0, wide, half)
      m1 = MaxPool <kernel_shape = [2, 3], strides = [1, 1], pads = [1, 0, 0, 0]> (p1)
      a1 = AveragePool <kernel_shape = [3, 3], strides = [1, 1], pads = [1, 1, 1, 1]> (s1)
      a2 = AveragePool <kernel_shape = [2, 2], strides = [1, 1], pads = [0, 0, 1, 1]> (a1)
      a3 = AveragePool <kernel_shape = [2, 2], strides = [1, 1], pads = [0, 0, 1, 1], count_include_pad = 1> (a2)
      both = Mul (a3, a3)
      cut = MaxPool <kernel_shape = [1, 1], strides = [1, 1]> (m1)
      more = Concat <axis = 2> (cut, both)
      k1 = Clip (more, low, high)
      c2 = Conv <kernel_shape = [1, 1]> (k1, w2)
      l1 = LeakyRelu <alpha = 0.2> (c2)
      t1 = Tanh (l1)
      g1 = GlobalAveragePool (t1)
      f1 = Flatten (g1)
      y1 = Gemm <alpha = 0.5, beta = 2.0, transB = 1> (f1, fc, bias)
      g2 = GlobalMaxPool (l1)
      q2 = Squeeze (g2, last)
      u2 = Unsqueeze (q2, last)
      d2 = Dropout (u2)
      z2 = ReduceMean <axes = [2, 3], keepdims = 0> (d2)
      sum = Add (y1, z2)
      scores = Softmax (sum)
      e2 = Reshape (z2, flat)
      h2 = Transpose <perm = [0, 1]> (e2)
      o2 = MatMul (h2, matrix)
      side = Identity (o2)
    }
"""
OLDER = """
    <ir_version: 7, opset_import: ["": 11]>
    network (float[n, 4, 2, 3] maps) => (float[n, 4, 2, 3] shares, float[n, 24] rest)
    <int64[2] flat = {-1, 24}>
    {
      one = Constant <value = float {1.0}> ()
      moved = Add (maps, one)
      shares = Softmax <axis = 1> (moved)
      lifted = Unsqueeze <axes = [1]> (shares)
      same = Squeeze <axes = [1]> (lifted)
      kept = Clip (same)
      rest = Reshape (kept, flat)
    }
"""


def filled(text):
    """Give the weights, of which the text says the shape alone, some numbers."""
    model = onnx.parser.parse_model(text)
    numbers = np.random.default_rng(7)
    for item in model.graph.value_info:
        shape = [size.dim_value for size in item.type.tensor_type.shape.dim]
        values = numbers.uniform(0.1, 0.9, shape) - (0.4 if len(shape) > 1 else 0)
        model.graph.initializer.append(onnx.numpy_helper.from_array(values.astype(np.float32), item.name))
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    return model


def rebuilt(file, *, status=0):
    target = file.with_suffix(".pt2")
    done = subprocess.run([sys.executable, SCRIPT, file, target], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return target, done


def session(file):
    return onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(("text", "shape"), [(CONVOLUTIONS, (3, 13, 13)), (OLDER, (4, 2, 3))], ids=["17", "11"])
def test_every_operator_answers_as_onnx_runtime_does(tmp_path, text, shape):
    file = tmp_path / "network.onnx"
    onnx.save(filled(text), file)
    target, _ = rebuilt(file)
    reference = session(file)
    (spec,) = reference.get_inputs()
    for n in (1, 5):
        x = np.random.default_rng(n).normal(size=(n, *shape)).astype(np.float32)
        with Torch().open(target, "cpu") as runner:
            answers = runner.run({spec.name: x})
        for output, expected in zip(reference.get_outputs(), reference.run(None, {spec.name: x}), strict=True):
            np.testing.assert_allclose(answers[output.name], expected, rtol=1e-5, atol=1e-5)


def test_the_two_models_have_every_operator_that_is_known(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    from onnx_operators import OPERATORS

    models = [onnx.parser.parse_model(text) for text in (CONVOLUTIONS, OLDER)]
    assert {node.op_type for model in models for node in model.graph.node} - {"Constant"} == set(OPERATORS)


def test_weights_keep_the_names_of_their_nodes(tmp_path):
    model = filled(OLDER)
    model.graph.node[1].name = "model_1/add_1/add"
    onnx.save(model, tmp_path / "named.onnx")
    target, _ = rebuilt(tmp_path / "named.onnx")
    assert b"model_1_add_1_add.constant_1" in target.read_bytes()


def test_an_operator_that_is_not_known_is_named(tmp_path):
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 17]> odd (float[n, 3] x) => (float[n, 3] y) { y = Erf (x) }'
    )
    onnx.save(model, tmp_path / "odd.onnx")
    _, done = rebuilt(tmp_path / "odd.onnx", status=2)
    assert 'there is no "Erf" here' in done.stderr
    assert "AveragePool" in done.stderr


def test_resnet20_answers_as_onnx_runtime_does(data, tmp_path):
    file = tmp_path / "resnet.onnx"
    file.write_bytes((data / "models" / "dflare" / "resnet.onnx").read_bytes())
    target, _ = rebuilt(file)
    x = np.random.default_rng(0).normal(size=(32, 32, 32, 3)).astype(np.float32)
    (expected,) = session(file).run(None, {"input": x})
    with Torch().open(target, "cpu") as runner:
        np.testing.assert_allclose(runner.run({"input": x})["activation_20"], expected, rtol=0, atol=1e-5)
