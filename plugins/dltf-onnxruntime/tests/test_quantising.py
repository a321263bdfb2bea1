"""Integers in place of real numbers: what is quantised, how, and what is said of the rest."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from dltf.plugin import ConversionError, MissingPackageError
from dltf_onnxruntime.backend import OnnxRuntime
from dltf_onnxruntime.conversion import files
from dltf_onnxruntime.conversion.dynamic_int8 import DynamicInt8
from dltf_onnxruntime.conversion.static_int8 import StaticInt8

LIMIT = 0.15  # of outputs of about 3
NETWORK = """
    <ir_version: 8, opset_import: ["": 17]>
    network (float[BATCH, 1, 6, 6] x) => (float[BATCH, 4] y) {
        [Filter] c = Conv <pads = [1, 1, 1, 1]> (x, k)
        r = Relu(c)
        p = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (r)
        f = Flatten(p)
        [Dense] g = Gemm(f, w, b)
        y = Softmax(g)
    }
"""


@pytest.fixture
def network(tmp_path):
    def network(batch="n", **changed):
        rng = np.random.default_rng(1)
        tensors = {
            "k": rng.normal(size=(5, 1, 3, 3)) / 3,
            "w": rng.normal(size=(45, 4)) / 7,
            "b": rng.normal(size=4) / 7,
            **changed,
        }
        model = onnx.parser.parse_model(NETWORK.replace("BATCH", str(batch)))
        model.graph.initializer.extend(numpy_helper.from_array(v.astype(np.float32), n) for n, v in tensors.items())
        file = tmp_path / "models" / "network.onnx"
        file.parent.mkdir(exist_ok=True)
        onnx.save(model, file)
        return file

    return network


@pytest.fixture
def out(tmp_path):
    return tmp_path / "converted.onnx"


def pictures(n):
    return np.random.default_rng(2).normal(size=(n, 1, 6, 6)).astype(np.float32)


def seeds(n=32):
    return lambda: ({"x": picture[None]} for picture in pictures(n))


def answers(file, n=8):
    with OnnxRuntime().open(file, "cpu") as runner:
        return runner.run({"x": pictures(n)})["y"]


def tensors(file):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(file).graph.initializer}


# --- dynamic -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", ["uint8", "int8"])
def test_dynamic_quantisation_turns_weights_into_integers_and_answers_alike(network, out, bits):
    facts = DynamicInt8(weight_type=bits).convert(network(), out, None)
    assert {values.dtype.name for name, values in tensors(out).items() if name.endswith("_quantized")} == {bits}
    assert np.abs(answers(out) - answers(network())).max() < LIMIT
    assert facts["not_quantised"] == {"Flatten": 1, "MaxPool": 1, "Relu": 1, "Softmax": 1}
    assert facts["operators_before"] == {"Conv": 1, "Flatten": 1, "Gemm": 1, "MaxPool": 1, "Relu": 1, "Softmax": 1}
    assert (facts["operators_after"]["ConvInteger"], facts["operators_after"]["MatMulInteger"]) == (1, 1)
    assert (facts["tensors"], facts["tensors_changed"], facts["weights"]) == (3, 2, 45 + 180 + 4)
    assert facts["weights_changed"] == pytest.approx(225 / 229)
    assert facts["bytes_before"] == network().stat().st_size
    assert facts["bytes_after"] == out.stat().st_size


def test_only_the_operators_and_nodes_that_were_chosen_are_quantised(network, out):
    for chosen, left in (
        ({"only_operators": ("Conv",)}, "Gemm"),
        ({"except_nodes": ("Dense",)}, "Gemm"),
        ({"only_nodes": ("Dense",)}, "Conv"),
        ({"only_operators": ("Gemm",)}, "Conv"),
    ):
        for converter in (DynamicInt8(**chosen), StaticInt8(**chosen)):
            found = converter.convert(network(), out, seeds())["not_quantised"]
            assert {"Conv", "Gemm"} & set(found) == {left}


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ({"only_nodes": ("Filtre",)}, 'no node "Filtre"; did you mean "Filter"'),
        ({"except_nodes": ("Filtre",)}, 'no node "Filtre"; did you mean "Filter"'),
        ({"only_operators": ("Softmax",)}, 'does not quantise the operator "Softmax"'),
        ({"only_operators": ("LSTM",)}, 'no operator "LSTM"'),
    ],
)
def test_a_choice_of_nothing_is_refused(network, out, chosen, why):
    with pytest.raises(ConversionError, match=why):
        DynamicInt8(**chosen).convert(network(), out, None)
    assert not out.exists()


def test_a_model_without_anything_to_quantise_is_refused_with_its_operators(models, out):
    file = models.save(
        "soft", [onnx.helper.make_node("Softmax", ["x"], ["y"])], {"x": (1, ["n", 3])}, {"y": (1, ["n", 3])}
    )
    with pytest.raises(ConversionError, match="can be quantised so: it has Softmax"):
        DynamicInt8().convert(file, out, None)
    assert not out.exists()


def test_an_operator_that_onnx_runtime_does_not_know_is_named(tmp_path, out):
    strange = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["": 17, "mine": 1]>
        strange (float[n, 2] x) => (float[n, 2] y) <float[2, 2] w = {1, 2, 3, 4}>
        { h = MatMul(x, w) y = mine.Strange(h) }
    """)
    onnx.save(strange, tmp_path / "strange.onnx")
    with pytest.raises(ConversionError, match="mine:Strange"):
        StaticInt8().convert(tmp_path / "strange.onnx", out, lambda: ({"x": np.ones((1, 2), np.float32)} for _ in "ab"))


def test_seven_bits_are_seven_bits(network, out):
    whole, reduced = out.with_name("whole.onnx"), out
    DynamicInt8(weight_type="int8").convert(network(), whole, None)
    DynamicInt8(weight_type="int8", reduce_range=True).convert(network(), reduced, None)
    largest = [
        max(np.abs(v.astype(int)).max() for v in tensors(f).values() if v.dtype == np.int8) for f in (whole, out)
    ]
    assert largest == [127, 64]


# --- static ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["QDQ", "QOperator"])
@pytest.mark.parametrize("method", ["minmax", "entropy", "percentile"])
def test_static_quantisation_answers_alike(network, out, form, method):
    facts = StaticInt8(format=form, method=method).convert(network(), out, seeds())
    assert np.abs(answers(out) - answers(network())).max() < LIMIT
    made = {"QDQ": {"QuantizeLinear", "DequantizeLinear", "Conv"}, "QOperator": {"QLinearConv", "com.microsoft:QGemm"}}
    assert made[form] <= set(facts["operators_after"])
    assert facts["calibrated_on"] == 32
    assert facts["preparation"] == "shapes inferred, graph optimised"
    assert facts["not_quantised"] == {"QDQ": {"Softmax": 1}, "QOperator": {}}[form]


def test_where_shapes_cannot_be_inferred_nothing_is_left_behind(network, out, tmp_path, monkeypatch):
    model = onnx.load(network())
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    dense = next(node for node in model.graph.node if node.op_type == "Gemm")
    dense.output[0] = "before"
    model.graph.node.insert(5, onnx.helper.make_node("Trilu", ["before"], ["g"], domain="com.microsoft"))
    onnx.save(model, network())
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    facts = DynamicInt8().convert(tmp_path / "models" / "network.onnx", out, None)
    assert "without symbols" in facts["preparation"]
    assert not list((tmp_path / "here").iterdir())


def test_a_scale_for_each_channel_is_one_for_each(network, out):
    StaticInt8().convert(network(), out, seeds())
    assert tensors(out)["k_scale"].size == 1
    StaticInt8(per_channel=True).convert(network(), out, seeds())
    assert tensors(out)["k_scale"].size == 5


def test_a_percentile_narrows_the_range(network, out):
    ranges = []
    for settings in ({}, {"method": "percentile", "percentile": 90.0}):
        StaticInt8(**settings).convert(network(), out, seeds())
        ranges.append(float(tensors(out)["x_scale"]) * 255)
    largest, common = ranges
    values = pictures(32)
    assert largest == pytest.approx(float(values.max() - values.min()), rel=1e-3)
    assert common < 0.75 * largest


def test_no_more_seeds_are_read_than_asked_for(network, out):
    read = []

    def calibration():
        for number, inputs in enumerate(seeds()()):
            read.append(number)
            yield inputs

    assert StaticInt8(samples=5).convert(network(), out, calibration)["calibrated_on"] == 5
    assert read == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("batch", [1, 4])
def test_a_model_of_a_fixed_batch_is_calibrated_in_batches(network, out, batch):
    assert StaticInt8(samples=7).convert(network(batch), out, seeds())["calibrated_on"] == 7
    assert np.abs(answers(out) - answers(network(batch))).max() < LIMIT


@pytest.mark.parametrize("calibration", [None, lambda: iter(())])
def test_without_seeds_nothing_is_calibrated(network, out, calibration):
    with pytest.raises(ConversionError, match="without seeds"):
        StaticInt8().convert(network(), out, calibration)


def test_seeds_for_another_model_are_refused(network, out):
    with pytest.raises(ConversionError, match=r"cannot be quantised: .*'x'"):
        StaticInt8().convert(network(), out, lambda: iter([{"z": pictures(1)}]))


def test_types_that_do_not_go_together_are_no_settings():
    with pytest.raises(ValueError, match="no kernels"):
        StaticInt8(activation_type="int8", weight_type="uint8")


# --- all ---------------------------------------------------------------------------------------------------------


def test_nothing_is_said_and_no_handler_stays(network, out, capfd):
    root, path = logging.getLogger(), list(sys.path)
    before = list(root.handlers)
    for method in ("minmax", "entropy"):
        StaticInt8(method=method).convert(network(), out, seeds())
    DynamicInt8().convert(network(), out, None)
    assert capfd.readouterr() == ("", "")
    assert (root.handlers, sys.path) == (before, path)


def test_weights_of_a_large_model_lie_beside_it(network, out, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 100)
    facts = DynamicInt8().convert(
        network(w=np.random.default_rng(0).normal(size=(45, 400)), b=np.zeros(400)), out, None
    )
    beside = out.with_name("converted.weights")
    assert beside.stat().st_size > 10_000
    assert facts["bytes_after"] == out.stat().st_size + beside.stat().st_size
    with OnnxRuntime().open(out, "cpu") as runner:
        assert runner.run({"x": pictures(2)})["y"].shape == (2, 400)


def test_without_sympy_shapes_are_inferred_without_symbols_or_the_install_line_is_named(network, out):
    script = """
import sys
sys.modules["sympy"] = None
from pathlib import Path
from dltf.plugin import MissingPackageError
from dltf_onnxruntime.conversion.dynamic_int8 import DynamicInt8
try:
    print(DynamicInt8().convert(Path(sys.argv[1]), Path(sys.argv[2]), None)["preparation"])
except MissingPackageError as error:
    print(error.hint)
"""
    done = subprocess.run([sys.executable, "-c", script, network(), out], capture_output=True, text=True, check=True)
    told = {True: "shapes inferred without symbols, graph optimised", False: 'pip install "dltf-onnxruntime[convert]"'}
    assert done.stdout.strip() == told[out.exists()]


def test_without_onnx_the_install_line_is_named(network, out, monkeypatch):
    file = network()
    monkeypatch.setitem(sys.modules, "onnx", None)
    for converter in (DynamicInt8(), StaticInt8()):
        with pytest.raises(MissingPackageError, match=r"dltf-onnxruntime\[convert\]"):
            converter.convert(file, out, seeds())


def test_a_failure_leaves_no_temporary_file(network, out, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with pytest.raises(ConversionError):
        StaticInt8().convert(network(), out, lambda: iter([{"z": pictures(1)}]))
    assert list(Path(tempfile.gettempdir()).iterdir()) == []
