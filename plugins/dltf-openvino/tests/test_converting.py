"""What the converters write answers as its source does, within what 16 and 8 bits allow."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from xml.etree import ElementTree

import numpy as np
import pytest
from onnx import TensorProto, helper

from dltf.plugin import ConversionError, MissingPackageError
from dltf_openvino.backend import OpenVINO
from dltf_openvino.from_onnx import FromOnnx
from dltf_openvino.int8 import Int8


@pytest.fixture
def needs_nncf():
    if find_spec("nncf") is None:  # importing it here would report that
        pytest.skip("quantises: pip install nncf")


def draw(n):
    return np.random.default_rng(n).normal(size=(n, 3, 8, 8)).astype(np.float32)


def seeds(n=20, name="x"):
    return lambda: ({name: row[None]} for row in draw(n))


def answers(file, tensor, target="cpu"):
    with OpenVINO().open(file, target) as runner:
        return runner.run({"x": tensor})["y"]


def test_ir_answers_what_its_source_does(models, tmp_path):
    source = models.convolution()
    facts = FromOnnx().convert(source, tmp_path / "ir.xml", None)
    np.testing.assert_allclose(answers(tmp_path / "ir.xml", draw(5)), answers(source, draw(5)), rtol=1e-5, atol=1e-7)
    assert facts["weights"] == "as they were"
    assert facts["operators"] >= 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["convolution.onnx", "ir.bin", "ir.xml"]


def test_ir_in_16_bits_is_smaller_and_a_little_off(models, tmp_path):
    source = models.convolution()
    for name, float16 in (("whole", False), ("half", True)):
        FromOnnx(float16=float16).convert(source, tmp_path / f"{name}.xml", None)
    assert (tmp_path / "half.bin").stat().st_size < 0.7 * (tmp_path / "whole.bin").stat().st_size
    error = np.abs(answers(tmp_path / "half.xml", draw(5)) - answers(source, draw(5))).max()
    assert 0 < error < 1e-2


def test_equal_models_give_equal_files_whatever_the_process_did_before(models, tmp_path):
    written = []
    for name in ("first", "second"):
        FromOnnx().convert(models.convolution(), tmp_path / f"{name}.xml", None)
        written.append([(tmp_path / f"{name}{suffix}").read_bytes() for suffix in (".xml", ".bin")])
    assert written[0] == written[1]
    assert b"first" in written[0][0]  # the name of the convolution in the source
    assert b"convolution.onnx" not in written[0][0]


@pytest.mark.usefixtures("needs_nncf")
@pytest.mark.parametrize("preset", ["performance", "mixed"])
def test_8_bits_answer_nearly_as_float_does(models, tmp_path, preset, capfd):
    source = models.convolution()
    facts = Int8(preset=preset, subset_size=12).convert(source, tmp_path / "int8.xml", seeds())
    assert facts["seeds"] == 12
    assert facts["quantised_tensors"] >= 2
    assert b'<data element_type="i8" shape="4, 3, 3, 3"' in (tmp_path / "int8.xml").read_bytes()
    expected = answers(source, draw(20))
    error = np.abs(answers(tmp_path / "int8.xml", draw(20)) - expected).max()
    assert 0 < error < 0.05 * np.abs(expected).max()
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("needs_nncf")
@pytest.mark.parametrize(
    ("how", "fast", "off"), [("fast", "True", False), ("exact", "False", False), ("none", "True", True)]
)
def test_nncf_is_told_how_to_correct_biases(models, tmp_path, how, fast, off):
    Int8(bias_correction=how).convert(models.convolution(), tmp_path / "int8.xml", seeds())
    record = ElementTree.parse(tmp_path / "int8.xml").find("rt_info/nncf/quantization")
    assert record.find("fast_bias_correction").get("value") == fast
    assert ("'disable_bias_correction': True" in record.find("advanced_parameters").get("value")) == off
    expected = answers(models.convolution(), draw(20))
    np.testing.assert_allclose(answers(tmp_path / "int8.xml", draw(20)), expected, atol=0.05 * np.abs(expected).max())


@pytest.mark.usefixtures("needs_nncf")
def test_a_model_made_for_four_is_quantised_all_the_same(models, tmp_path):
    rows = np.random.default_rng(0).random((8, 3), dtype=np.float32)
    rows[:, 1] = 1  # NNCF takes the mean of the seeds' largest values for the range
    Int8().convert(models.dense(4), tmp_path / "int8.xml", lambda: ({"x": row[None]} for row in rows))
    np.testing.assert_allclose(answers(tmp_path / "int8.xml", rows), 2 * rows + [0, 1, 2], atol=0.05)


@pytest.mark.usefixtures("needs_nncf")
def test_what_cannot_be_quantised_says_why(models, tmp_path):
    out = tmp_path / "int8.xml"
    nothing = models.save(
        "nothing",
        [helper.make_node("Identity", ["x"], ["y"])],
        {"x": (TensorProto.FLOAT, ["n", 3])},
        {"y": (TensorProto.FLOAT, ["n", 3])},
    )
    row = {"x": np.ones((1, 3), np.float32)}
    for source, calibration, why in [
        (nothing, lambda: iter([row]), "nothing to quantise"),
        (models.convolution(), lambda: iter(()), "no seeds"),
        (models.convolution(), None, "needs seeds"),
        (models.convolution(), seeds(name="z"), r"takes \"x\", and the seeds come as \['z'\]"),
        (models.convolution(), lambda: iter([row]), "cannot quantise convolution.onnx"),
    ]:
        with pytest.raises(ConversionError, match=why) as caught:
            Int8().convert(source, out, calibration)
        assert "\n" not in caught.value.message
        assert not out.exists()


def test_an_operator_that_openvino_lacks_is_a_conversion_error(models, tmp_path):
    file = models.save(
        "strange",
        [helper.make_node("Strange", ["x"], ["y"], domain="mine")],
        {"x": (TensorProto.FLOAT, ["n", 3])},
        {"y": (TensorProto.FLOAT, ["n", 3])},
        domains=["mine"],
    )
    with pytest.raises(ConversionError, match="Strange"):
        FromOnnx().convert(file, tmp_path / "ir.xml", None)


def test_a_file_that_cannot_be_written_is_a_conversion_error(models, tmp_path):
    (tmp_path / "taken").write_text("a file where a folder should be")
    with pytest.raises(ConversionError, match="cannot write"):
        FromOnnx().convert(models.dense("n"), tmp_path / "taken" / "ir.xml", None)


@pytest.mark.usefixtures("needs_nncf")
def test_conversions_are_reported_to_nobody(models, tmp_path):
    source, home = models.convolution(), tmp_path / "home"
    home.mkdir()
    check = (
        "import sys, numpy; from pathlib import Path; from dltf_openvino.int8 import Int8;"
        "Int8().convert(Path(sys.argv[1]), Path(sys.argv[2]), lambda: iter([{'x': numpy.ones((1, 3, 8, 8), 'f')}]));"
        "sys.exit('openvino_telemetry' in sys.modules)"
    )
    environment = {"HOME": str(home), "PATH": "", "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    command = [sys.executable, "-c", check, source, tmp_path / "int8.xml"]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert not list(home.iterdir())


def test_without_nncf_the_install_line_is_named(models, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(MissingPackageError, match="pip install nncf"):
        Int8().convert(models.dense("n"), tmp_path / "int8.xml", seeds())


def test_versions_name_the_distributions():
    assert FromOnnx().versions() == {"openvino": version("openvino")}
    assert Int8().versions()["openvino"] == version("openvino")


@pytest.mark.usefixtures("needs_nncf")
def test_resnet20_keeps_most_labels_in_8_bits(data, pictures, tmp_path):
    tensor = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)).astype(np.float32)
    source = data / "models" / "zoo" / "cifar10-resnet20.onnx"
    Int8(subset_size=100, bias_correction="none").convert(
        source, tmp_path / "int8.xml", lambda: ({"input": row[None]} for row in tensor)
    )
    labels = []
    for file in (source, tmp_path / "int8.xml"):
        with OpenVINO().open(file, "cpu") as runner:
            labels.append(runner.run({"input": tensor})["logits"].argmax(axis=1))
    assert (labels[0] != labels[1]).mean() < 0.03
