"""TFLite files: the quantisation that OpenVINO keeps to itself, and what is known of public models."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

import numpy as np
import pytest

from dltf.plugin import ConversionError, ModelFileError, Quantisation, TensorSpec
from dltf_openvino.backend import OpenVINO
from dltf_openvino.int8 import Int8
from dltf_openvino.quantised import quantisations

tiny_tflite = pytest.importorskip(
    "tiny_tflite", reason="makes TFLite models: pip install ai-edge-litert, run from the root"
)


@pytest.fixture
def tiny(tmp_path):
    return tiny_tflite.TinyModels(tmp_path)


def answers(file, target, tensor, **settings):
    with OpenVINO(**settings).open(file, target) as runner:
        (scores,) = runner.run({runner.inputs[0].name: tensor}).values()
    return scores


def test_declared_quantisation_is_told_and_left_to_the_host(tiny):
    with OpenVINO().open(tiny.requantised(), "cpu") as runner:
        (given,) = runner.run({"x": np.array([[3, 5, 1], [7, 3, 3]], dtype=np.int8)}).values()
    assert runner.inputs == (TensorSpec("x", (None, 3), "int8", Quantisation(0.5, 3)),)
    assert runner.outputs == (TensorSpec("y", (None, 3), "uint8", Quantisation(0.25, 131)),)
    np.testing.assert_array_equal(given, [[131, 135, 127], [139, 131, 131]])


def test_a_damaged_file_has_no_quantisation_and_raises_nothing(tiny):
    whole = tiny.requantised().read_bytes()
    assert quantisations(whole) == {"x": Quantisation(0.5, 3), "y": Quantisation(0.25, 131)}
    for length in range(len(whole)):
        assert set(quantisations(whole[:length])) <= {"x", "y"}
        quantisations(whole[:length] + bytes([whole[length] ^ 0xFF]) + whole[length + 1 :])


def test_every_truncation_is_refused(tiny):
    whole = tiny.dense().read_bytes()
    file = tiny.folder / "cut.tflite"
    for length in range(0, len(whole) - 1, 13):
        file.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            OpenVINO().open(file, "cpu")


def test_the_older_suffix_is_read_as_well(tiny):
    x = np.random.default_rng(0).random((5, 3), dtype=np.float32)
    older = shutil.copyfile(tiny.dense(), tiny.folder / "dense.lite")
    expected = x @ tiny_tflite.WEIGHTS.T + tiny_tflite.BIAS
    np.testing.assert_allclose(answers(older, "cpu", x), expected, rtol=1e-5)


def test_a_network_with_a_constant_reshape_runs_one_by_one(tiny):
    x = np.random.default_rng(0).random((5, 4), dtype=np.float32)
    with OpenVINO().open(tiny.reshaped([1, 4], [1, 2, 2]), "cpu") as runner:
        np.testing.assert_array_equal(next(iter(runner.run({"x": x}).values())), x.reshape(5, 2, 2))
    assert "one by one" in runner.notes[0]


def test_a_float_file_is_quantised_and_an_8_bit_one_is_not(tiny):
    if find_spec("nncf") is None:  # importing it here would report that
        pytest.skip("quantises: pip install nncf")
    x = np.random.default_rng(0).random((5, 3), dtype=np.float32)
    x[:, 0] = 1
    out = tiny.folder / "int8.xml"
    Int8().convert(tiny.dense(), out, lambda: ({"x": row[None]} for row in x))
    np.testing.assert_allclose(answers(out, "cpu", x), x @ tiny_tflite.WEIGHTS.T + tiny_tflite.BIAS, atol=0.05)
    with pytest.raises(ConversionError, match="8 bits already"):
        Int8().convert(tiny.requantised(), out, lambda: iter([{"x": np.ones((1, 3), np.int8)}]))


def test_resnet8_in_float32_gives_the_labels_of_litert(data, pictures):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="pip install ai-edge-litert")
    file = data / "models" / "mlperf_tiny" / "pretrainedResnet.tflite"
    real = pictures.astype(np.float32)
    ours = answers(file, "cpu", real)
    np.testing.assert_allclose(ours, litert(interpreter, file, real), atol=1e-5)
    np.testing.assert_array_equal(ours.argmax(axis=1), litert(interpreter, file, real).argmax(axis=1))


def test_8_bit_resnet8_deviates_from_litert_and_knows_its_scale(data, pictures):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="pip install ai-edge-litert")
    file = data / "models" / "mlperf_tiny" / "pretrainedResnet_quant.tflite"
    whole = (pictures.astype(np.int16) - 128).astype(np.int8)
    with OpenVINO().open(file, "cpu") as runner:
        assert runner.inputs[0].quantisation == Quantisation(1.0, -128)
        assert runner.outputs[0].quantisation == Quantisation(0.00390625, -128)
        (ours,) = runner.run({runner.inputs[0].name: whole}).values()
    differing = (ours.argmax(axis=1) != litert(interpreter, file, whole).argmax(axis=1)).mean()
    assert 0 < differing < 0.1


def test_an_open_batch_and_a_fixed_one_answer_alike(data, pictures):
    file = data / "models" / "mlperf_tiny" / "pretrainedResnet_quant.tflite"
    whole = (pictures[:64].astype(np.int16) - 128).astype(np.int8)
    together = answers(file, "cpu", whole)
    for batch in (1, 7):
        np.testing.assert_array_equal(answers(file, "cpu", whole, batch=batch), together)


def litert(interpreter, file, tensor):
    model = interpreter.Interpreter(str(file), num_threads=1)
    (taken,), (given,) = model.get_input_details(), model.get_output_details()
    model.resize_tensor_input(taken["index"], tensor.shape)
    model.allocate_tensors()
    model.set_tensor(taken["index"], tensor)
    model.invoke()
    return model.get_tensor(given["index"])
