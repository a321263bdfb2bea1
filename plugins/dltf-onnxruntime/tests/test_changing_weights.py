"""Half precision, pruning and alteration: which weights change, and into what."""

from __future__ import annotations

import sys

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, numpy_helper

from dltf.plugin import ConversionError, MissingPackageError, ModelFileError
from dltf_onnxruntime.backend import OnnxRuntime
from dltf_onnxruntime.conversion.float16 import Float16
from dltf_onnxruntime.conversion.weights import Alter, Prune, _without_least

NETWORK = """
    <ir_version: 8, opset_import: ["": 17]>
    network (float[n, 2] x) => (float[n, 2] y)
    <float[2, 2] a = {1, -2, 3, -4}, float[2, 2] b = {0.5, -6, 7, 8}, float[2] c = {0.25, 0}, float[1, 2] d = {1, 1}>
    {
        [First] h = MatMul(x, a)
        i = Add(h, c)
        [Middle] r = Relu(i)
        m = Mul(r, d)
        [Last] y = MatMul(m, b)
    }
"""
ROWS = np.array([[1, 2], [-3, 4], [0.5, -0.25]], np.float32)


@pytest.fixture
def network(tmp_path):
    file = tmp_path / "network.onnx"
    onnx.save(onnx.parser.parse_model(NETWORK), file)
    return file


@pytest.fixture
def out(tmp_path):
    return tmp_path / "converted.onnx"


def tensors(file):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(file).graph.initializer}


# --- pruning -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "a", "b"),
    [
        ("layer", [[0, 0], [3, -4]], [[0, 0], [7, 8]]),
        ("global", [[0, 0], [0, -4]], [[0, -6], [7, 8]]),
    ],
)
def test_the_smallest_half_is_pruned(network, out, scope, a, b):
    facts = Prune(share=0.5, scope=scope).convert(network, out, None)
    pruned = tensors(out)
    assert (pruned["a"].tolist(), pruned["b"].tolist()) == (a, b)
    assert (pruned["c"].tolist(), pruned["d"].tolist()) == ([0.25, 0], [[1, 1]])
    assert (facts["tensors"], facts["weights"], facts["weights_changed"]) == (2, 8, 0.5)
    assert (facts["zeros_before"], facts["zeros_after"]) == (0, 0.5)
    assert facts["bytes_after"] == out.stat().st_size


def test_weights_that_are_excepted_stay(network, out):
    assert Prune(share=0.5, except_tensors=("b",)).convert(network, out, None)["weights"] == 4
    assert tensors(out)["b"].tolist() == [[0.5, -6], [7, 8]]
    with pytest.raises(ConversionError, match='no weights "c"'):
        Prune(except_tensors=("c",)).convert(network, out, None)


@given(
    arrays(np.float32, st.integers(1, 60), elements=st.floats(-9, 9, width=32)),
    st.floats(0, 1, exclude_min=True, exclude_max=True),
)
def test_what_is_kept_is_larger_than_what_is_not(values, share):
    pruned = _without_least(values, share)
    count = int(share * values.size + 0.5)
    assert (pruned == 0).sum() >= count
    assert set(np.flatnonzero(pruned != values)) <= set(np.argsort(np.abs(values), kind="stable")[:count])
    gone, kept = np.abs(values[pruned != values]), np.abs(pruned[pruned != 0])
    assert not gone.size or not kept.size or gone.max() <= kept.min()


def test_constants_are_weights_too(models, out):
    value = onnx.helper.make_tensor("", TensorProto.FLOAT, [3, 2], [1, 2, 3, 4, 5, 6])
    file = models.save(
        "constant",
        [
            onnx.helper.make_node("Constant", [], ["w"], value=value),
            onnx.helper.make_node("MatMul", ["x", "w"], ["y"]),
        ],
        {"x": (TensorProto.FLOAT, ["n", 3])},
        {"y": (TensorProto.FLOAT, ["n", 2])},
    )
    assert Prune(share=0.5).convert(file, out, None)["tensors_changed"] == 1
    with OnnxRuntime().open(out, "cpu") as runner:
        assert runner.run({"x": np.ones((1, 3), np.float32)})["y"].tolist() == [[5, 10]]


@pytest.mark.parametrize("converter", [Prune(), Alter()])
def test_a_model_without_weights_is_refused(models, out, converter):
    file = models.save(
        "soft", [onnx.helper.make_node("Softmax", ["x"], ["y"])], {"x": (1, ["n", 3])}, {"y": (1, ["n", 3])}
    )
    with pytest.raises(ConversionError, match="no weights"):
        converter.convert(file, out, None)


# --- alteration --------------------------------------------------------------------------------------------------


def test_alteration_is_that_of_the_study(network, out):
    facts = Alter(share=0.3, factor=0.1, seed=2).convert(network, out, None)
    rng, changed = np.random.default_rng([30, 2]), 0
    altered, before = tensors(out), tensors(network)
    for name in ("a", "b"):
        factors = 1 + 0.1 * rng.choice([-1, 1], (2, 2))
        touched = rng.random((2, 2)) < 0.3
        expected = np.where(touched, before[name] * factors, before[name]).astype(np.float32)
        assert altered[name].tolist() == expected.tolist()
        changed += touched.sum()
    assert 0 < facts["weights_changed"] == changed / 8


def test_a_share_of_the_weights_is_altered_by_the_factor(models, out):
    before = np.random.default_rng(0).normal(size=(100, 100)).astype(np.float32)
    file = models.save(
        "large",
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        {"x": (TensorProto.FLOAT, ["n", 100])},
        {"y": (TensorProto.FLOAT, ["n", 100])},
        initialisers=[numpy_helper.from_array(before, "w")],
    )
    made = {}
    for seed in (0, 1):
        facts = Alter(share=0.2, factor=0.5, seed=seed).convert(file, out, None)
        made[seed] = tensors(out)["w"]
        ratios = made[seed] / before
        assert np.unique(ratios.round(5)).tolist() == [0.5, 1, 1.5]
        assert facts["weights_changed"] == pytest.approx(0.2, abs=0.012)  # three standard errors
        assert (ratios > 1.2).mean() == pytest.approx(0.1, abs=0.01)
    assert (made[0] != made[1]).any()


@pytest.mark.parametrize("settings", [{"share": 0.0}, {"share": 1.5}, {"factor": 0.0}, {"seed": -1}])
def test_alteration_of_nothing_is_no_setting(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        Alter(**settings)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_pruning_of_nothing_or_all_is_no_setting(share):
    with pytest.raises(ValueError, match="share"):
        Prune(share=share)


# --- half precision ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("keep", "dtype", "casts"), [(True, "float32", 2), (False, "float16", 0)])
def test_half_precision_answers_alike_with_the_inputs_of_choice(network, out, keep, dtype, casts):
    facts = Float16(keep_io_types=keep).convert(network, out, None)
    with OnnxRuntime().open(network, "cpu") as runner:
        expected = runner.run({"x": ROWS})["y"]
    with OnnxRuntime().open(out, "cpu") as runner:
        assert runner.inputs[0].dtype == dtype
        np.testing.assert_allclose(runner.run({"x": ROWS.astype(dtype)})["y"], expected, rtol=2e-3)
    assert {values.dtype.name for values in tensors(out).values()} == {"float16"}
    assert facts["operators_after"].get("Cast", 0) == casts
    assert (facts["tensors"], facts["tensors_changed"], facts["weights_changed"]) == (4, 4, 1)


def test_operators_and_nodes_that_are_excepted_stay_float32(network, out):
    Float16(except_operators=("MatMul",)).convert(network, out, None)
    assert {name: values.dtype.name for name, values in tensors(out).items()} == {
        "a": "float32",
        "b": "float32",
        "c": "float16",
        "d": "float16",
    }
    facts = Float16(except_nodes=("Last",)).convert(network, out, None)
    assert tensors(out)["b"].dtype == np.float32
    assert facts["weights_changed"] == pytest.approx(8 / 12)
    with pytest.raises(ConversionError, match='no node "Lost"; did you mean "Last"'):
        Float16(except_nodes=("Lost",)).convert(network, out, None)


def test_what_float16_cannot_hold_is_counted(models, out):
    weights = np.array([[1e6, -1e7], [1e-9, 2]], np.float32)
    file = models.save(
        "wide",
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        {"x": (TensorProto.FLOAT, ["n", 2])},
        {"y": (TensorProto.FLOAT, ["n", 2])},
        initialisers=[numpy_helper.from_array(weights, "w")],
    )
    facts = Float16().convert(file, out, None)
    assert (facts["too_large"], facts["too_small"]) == (2, 1)
    assert tensors(out)["w"].tolist() == [[65504, -65504], [pytest.approx(5.96e-8, rel=0.01), 2]]


def test_a_model_of_whole_numbers_has_no_half_precision(models, out):
    file = models.save(
        "whole",
        [onnx.helper.make_node("Add", ["x", "x"], ["y"])],
        {"x": (TensorProto.INT64, ["n"])},
        {"y": (TensorProto.INT64, ["n"])},
    )
    with pytest.raises(ConversionError, match="nothing of"):
        Float16().convert(file, out, None)


# --- all ---------------------------------------------------------------------------------------------------------


def test_weights_that_lie_outside_the_file_are_converted_with_it(network, out, tmp_path):
    beside = tmp_path / "apart" / "network.onnx"
    beside.parent.mkdir()
    model = onnx.load(network)
    for tensor in model.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))  # raw, to be put outside
    onnx.save(model, beside, save_as_external_data=True, location="network.bin", size_threshold=0)
    facts = Prune(share=0.5).convert(beside, out, None)
    assert tensors(out)["a"].tolist() == [[0, 0], [3, -4]]
    assert facts["bytes_before"] == sum(file.stat().st_size for file in beside.parent.iterdir())
    (beside.parent / "network.bin").unlink()
    with pytest.raises(ModelFileError, match=r"network\.bin"):
        Prune(share=0.5).convert(beside, out, None)


@pytest.mark.parametrize("converter", [Prune(), Alter(), Float16()])
def test_without_onnx_the_install_line_is_named(network, out, monkeypatch, converter):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingPackageError, match=r"dltf-onnxruntime\[convert\]"):
        converter.convert(network, out, None)
