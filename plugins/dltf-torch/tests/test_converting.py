"""What converters make of exported programs: the same names, the same answers as far as the bits go, nothing else."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from dltf.plugin import ConversionError, MissingPackageError, ModelFileError
from dltf_torch.backend import Torch
from dltf_torch.to_int8 import ToInt8
from dltf_torch.to_onnx import ToOnnx
from dltf_torch.to_tflite import ToTFLite

OPEN = torch.export.Dim("batch", min=1)


class Small(nn.Module):
    """Convolution, batch normalisation and a linear layer."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
        self.head = nn.Linear(8 * 4 * 4, 4)

    def forward(self, picture):
        return {"scores": torch.softmax(self.head(self.features(picture).flatten(1)), 1)}


class Several(nn.Module):
    """Inputs of two kinds, one that is a constant, and outputs by name, by position and nested."""

    def forward(self, a, b, *, scale=2):
        return {"scaled": scale * a, "both": (a.sum(1), [b > 0])}


@pytest.fixture
def small(models):
    return models.save("small", Small(), (torch.zeros(2, 1, 8, 8),), {"picture": {0: OPEN}})


@pytest.fixture
def pictures():
    return np.random.default_rng(0).random((40, 1, 8, 8), dtype=np.float32)


def calibration(pictures):
    return lambda: ({"picture": one[None]} for one in pictures)


def answers(file, x, **settings):
    with Torch(**settings).open(file, "cpu") as runner:
        return runner.run({"picture": x})["scores"]


@pytest.mark.parametrize(("per_channel", "text"), [(True, "output channel"), (False, "tensor")])
def test_int8_is_a_program_like_any_other_and_smaller(small, pictures, tmp_path, per_channel, text):
    out = tmp_path / "int8.pt2"
    facts = ToInt8(per_channel=per_channel).convert(small, out, calibration(pictures))
    assert facts["quantised"] == {"conv2d": 1, "linear": 1}
    assert facts["left_in_float"] == {}
    assert facts["calibrated_on"] == 40
    assert text in facts["scheme"]
    exact, rounded = answers(small, pictures), answers(out, pictures)
    assert 0 < np.abs(exact - rounded).max() < 0.02
    with torch.no_grad():
        program = torch.export.load(out)
    stored = {name: tensor.dtype for name, tensor in {**program.state_dict, **program.constants}.items()}
    assert {name for name, dtype in stored.items() if dtype == torch.float32} <= {
        "features.0.bias",
        "head.bias",
        *(name for name in stored if "scale" in name),
    }
    with Torch().open(out, "cpu") as runner:
        assert (runner.inputs[0].shape, list(runner.run({"picture": pictures[:3]}))) == ((None, 1, 8, 8), ["scores"])
        assert "8-bit values are turned into float32" in " ".join(runner.notes)
        alone = np.concatenate([runner.run({"picture": one[None]})["scores"] for one in pictures])
    np.testing.assert_allclose(alone, rounded, atol=1e-6)


def test_int8_of_what_has_nothing_to_quantise_says_so(models, tmp_path):
    file = models.save("several", Several(), (torch.zeros(2, 3), torch.zeros(2)), {"a": {0: OPEN}, "b": {0: OPEN}})
    rows = [{"a": np.ones((1, 3), np.float32), "b": np.ones(1, np.float32)}]
    with pytest.raises(ConversionError, match="no convolution, no linear layer"):
        ToInt8().convert(file, tmp_path / "out.pt2", lambda: iter(rows))
    assert not (tmp_path / "out.pt2").exists()


def test_onnx_has_the_same_names_the_open_batch_and_nothing_of_this_machine(small, pictures, tmp_path):
    out = tmp_path / "small.onnx"
    facts = ToOnnx(opset=18).convert(small, out, None)
    assert facts["opset"] == 18
    assert facts["operators"]["Conv"] == 1
    assert "BatchNormalization" not in facts["operators"]
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    assert [(each.name, each.shape) for each in session.get_inputs()] == [("picture", ["batch", 1, 8, 8])]
    assert [(each.name, each.shape) for each in session.get_outputs()] == [("scores", ["batch", 4])]
    np.testing.assert_allclose(session.run(None, {"picture": pictures})[0], answers(small, pictures), atol=1e-6)
    for word in (b"/site-packages", b"stack_trace", __file__.encode()):
        assert word not in out.read_bytes()


def test_an_int8_program_becomes_onnx_with_its_scales(small, pictures, tmp_path):
    ToInt8().convert(small, tmp_path / "int8.pt2", calibration(pictures))
    facts = ToOnnx().convert(tmp_path / "int8.pt2", tmp_path / "int8.onnx", None)
    assert facts["operators"]["DequantizeLinear"] >= 4
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(tmp_path / "int8.onnx", options, providers=["CPUExecutionProvider"])
    ours = answers(tmp_path / "int8.pt2", pictures)
    np.testing.assert_allclose(session.run(None, {"picture": pictures})[0], ours, atol=5e-3)


def test_every_output_keeps_its_name_and_constants_are_inputs_no_more(models, tmp_path):
    inputs, shapes = (torch.zeros(2, 3), torch.zeros(2)), {"a": {0: OPEN}, "b": {0: OPEN}}
    ToOnnx().convert(models.save("several", Several(), inputs, shapes), tmp_path / "several.onnx", None)
    graph = onnx.load(tmp_path / "several.onnx").graph
    assert [each.name for each in graph.input] == ["a", "b"]
    assert [each.name for each in graph.output] == ["scaled", "both.0", "both.1.0"]


def test_weights_without_a_graph_are_refused_with_the_way_to_one(models, tmp_path):
    with pytest.raises(ConversionError, match=r"torch\.export\.save"):
        ToOnnx().convert(models.state(), tmp_path / "out.onnx", None)


def test_a_file_that_is_not_safe_is_not_converted(models, small, tmp_path):
    def unsafe(program):
        program["graph_module"]["graph"]["nodes"][0]["target"] = "torch.ops.aten.from_file.default"

    file = models.rewrite(small, "unsafe", {"models/model.json": unsafe})
    with pytest.raises(ModelFileError, match="is refused"):
        ToOnnx().convert(file, tmp_path / "out.onnx", None)


def test_a_converter_says_nothing(small, tmp_path):
    code = (
        "import sys; from pathlib import Path; from dltf_torch.to_onnx import ToOnnx; from dltf_torch.to_int8 import "
        "ToInt8; import numpy as np; source, out = map(Path, sys.argv[1:]); "
        "ToOnnx().convert(source, out / 'a.onnx', None); "
        "ToInt8().convert(source, out / 'a.pt2', lambda: iter([{'picture': np.ones((1, 1, 8, 8), np.float32)}]))"
    )
    told = subprocess.run([sys.executable, "-c", code, small, tmp_path], capture_output=True, text=True, check=True)
    assert (told.stdout, told.stderr) == ("", "")


def test_tflite_takes_one_batch_and_says_which_programs_it_cannot_take(models, tmp_path):
    file = models.dense(4)
    with pytest.raises(ConversionError, match="takes no batch of 1") as caught:
        ToTFLite(batch=1).convert(file, tmp_path / "out.tflite", None)
    assert "batch = 4" in caught.value.hint


def test_an_interpreter_that_is_none_or_lacks_the_package_is_named(small, tmp_path):
    with pytest.raises(ConversionError, match="no-such-python cannot be run"):
        ToTFLite(python=tmp_path / "no-such-python").convert(small, tmp_path / "out.tflite", None)
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(MissingPackageError, match="litert-torch is not installed for") as caught:
        ToTFLite(python=bare).convert(small, tmp_path / "out.tflite", None)
    assert "DLTF_LITERT_PYTHON" in caught.value.hint
    assert ToTFLite(python=bare).versions() == {}
