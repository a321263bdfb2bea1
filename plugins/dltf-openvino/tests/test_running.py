"""Batches of every size through models of every kind of batch axis."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from dltf.plugin import ModelFileError, RuntimeFailedError, TensorSpec
from dltf_openvino.backend import OpenVINO
from dltf_openvino.from_onnx import FromOnnx

FLOAT = TensorProto.FLOAT


def expected(x):
    return 2 * x + np.array([0, 1, 2], dtype=np.float32)


@pytest.mark.parametrize("n", [1, 2, 7, 64])
@pytest.mark.parametrize("streams", [1, 2, 3])
@pytest.mark.parametrize("batch", ["n", 1, 4], ids=["open", "one", "four"])
def test_every_row_is_answered_whatever_the_batch_axis(models, rows, batch, streams, n):
    with OpenVINO(streams=streams, threads=streams).open(models.dense(batch), "cpu") as runner:
        answers = runner.run({"x": rows(n)})
    assert list(answers) == ["y"]
    assert answers["y"].dtype == np.float32
    np.testing.assert_allclose(answers["y"], expected(rows(n)), rtol=1e-6)
    assert runner.inputs == (TensorSpec("x", (None, 3), "float32"),)
    assert runner.outputs == (TensorSpec("y", (None, 3), "float32"),)
    assert runner.notes == ()


@pytest.mark.parametrize("n", [1, 4, 5, 11])
@pytest.mark.parametrize("declared", ["n", 1, 4])
def test_a_model_made_for_a_batch_runs_in_chunks_of_it(models, rows, declared, n):
    with OpenVINO(batch=4, streams=2).open(models.dense(declared), "cpu") as runner:
        np.testing.assert_allclose(runner.run({"x": rows(n)})["y"], expected(rows(n)), rtol=1e-6)
    assert runner.inputs[0].shape == (4, 3)
    assert "in chunks of 4" in runner.notes[0]


def test_ir_answers_what_its_onnx_file_answers(models, rows, tmp_path):
    FromOnnx().convert(models.dense("n"), tmp_path / "dense.xml", None)
    with (
        OpenVINO().open(tmp_path / "dense.onnx", "cpu") as source,
        OpenVINO().open(tmp_path / "dense.xml", "cpu") as converted,
    ):
        assert (source.inputs, source.outputs) == (converted.inputs, converted.outputs)
        np.testing.assert_array_equal(source.run({"x": rows(9)})["y"], converted.run({"x": rows(9)})["y"])


@pytest.mark.parametrize("batch", [1, 2])
def test_a_model_that_refuses_other_batches_runs_at_its_own_and_says_so(models, batch):
    x = np.arange(20, dtype=np.float32).reshape(5, 4)
    with OpenVINO().open(models.reshaped(batch, [batch, 2, 2]), "cpu") as runner:
        np.testing.assert_array_equal(runner.run({"x": x})["y"], x.reshape(5, 2, 2))
    assert runner.inputs[0].shape == (batch, 4)
    assert ("one by one: " if batch == 1 else "in chunks of 2") in runner.notes[0]


def test_a_batch_that_a_model_cannot_be_made_for_is_an_error(models):
    with pytest.raises(ModelFileError, match=r"made for batches of 3|compile"):
        OpenVINO(batch=3).open(models.reshaped(1, [1, 2, 2]), "cpu")


def test_a_model_that_would_mix_up_rows_runs_one_by_one(models):
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    with OpenVINO().open(models.mixing(), "cpu") as runner:
        np.testing.assert_allclose(runner.run({"x": x})["y"], 1 + x)
    assert "their rows come out otherwise than alone" in runner.notes[0]


def test_names_types_and_several_tensors_are_kept(models):
    file = models.save(
        "several",
        [
            helper.make_node("Add", ["a", "a"], ["twice"]),
            helper.make_node("Cast", ["b"], ["real"], to=FLOAT),
            helper.make_node("Identity", ["real"], ["again"]),
        ],
        {"a": (TensorProto.INT64, ["n", 2]), "b": (TensorProto.INT8, ["n"])},
        {"real": (FLOAT, ["n"]), "twice": (TensorProto.INT64, ["n", 2]), "again": (FLOAT, ["n"])},
    )
    a, b = np.array([[1, 2], [3, 4]]), np.array([-5, 6], dtype=np.int8)
    with OpenVINO().open(file, "cpu") as runner:
        answers = runner.run({"b": b, "a": a})
    assert [str(spec) for spec in runner.inputs] == ["a int64[?×2]", "b int8[?]"]
    assert [spec.name for spec in runner.outputs] == ["real", "twice", "again"]
    np.testing.assert_array_equal(answers["twice"], 2 * a)
    np.testing.assert_array_equal(answers["real"], b.astype(np.float32))
    np.testing.assert_array_equal(answers["again"], b.astype(np.float32))
    assert (answers["twice"].dtype, answers["real"].dtype) == (np.int64, np.float32)


def test_weights_listed_as_inputs_are_no_inputs(models, rows):
    file = models.save(
        "old",
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        {"x": (FLOAT, ["n", 3]), "w": (FLOAT, [3, 3])},
        {"y": (FLOAT, ["n", 3])},
        constants={"w": np.diag(np.float32([2, 2, 2]))},
    )
    with OpenVINO().open(file, "cpu") as runner:
        np.testing.assert_allclose(runner.run({"x": rows(2)})["y"], 2 * rows(2))


def test_inputs_of_open_length_run_at_the_length_they_have(models):
    file = models.save(
        "open", [helper.make_node("Abs", ["x"], ["y"])], {"x": (FLOAT, [1, "t"])}, {"y": (FLOAT, [1, "t"])}
    )
    with OpenVINO().open(file, "cpu") as runner:
        for length in (5, 2, 9):
            x = -np.random.default_rng(length).random((3, length), dtype=np.float32)
            np.testing.assert_array_equal(runner.run({"x": x})["y"], -x)
    assert runner.inputs[0].shape == (1, None)
    assert "other open sizes" in runner.notes[0]


def test_an_output_without_a_row_for_each_input_is_left_out_and_named(models, rows):
    file = models.save(
        "turned",
        [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Transpose", ["x"], ["t"])],
        {"x": (FLOAT, ["n", 3])},
        {"y": (FLOAT, ["n", 3]), "t": (FLOAT, [3, "n"])},
    )
    with OpenVINO().open(file, "cpu") as runner:
        assert list(runner.run({"x": rows(3)})) == ["y"]
    assert runner.notes[-1].endswith('are left out: "t"')


def test_an_output_that_does_not_follow_the_batch_is_refused(models):
    file = models.reshaped("n", [-1, 2])
    with (
        OpenVINO().open(file, "cpu") as runner,
        pytest.raises(RuntimeFailedError, match=r'"y" the shape \(4, 2\) for a batch of 2'),
    ):
        runner.run({"x": np.zeros((2, 4), np.float32)})


def test_low_precision_is_low_and_float32_is_not(models):
    usable = {target.name for target in OpenVINO().targets() if target.usable}
    file = models.convolution()
    pictures = np.random.default_rng(0).normal(size=(4, 3, 8, 8)).astype(np.float32)
    answers = {}
    for target in sorted(usable):
        with OpenVINO().open(file, target) as runner:
            answers[target] = runner.run({"x": pictures})["y"]
    weights = read_constants(file)
    exact = by_hand(pictures, weights["w"], weights["b"])
    np.testing.assert_allclose(answers["cpu"], exact, rtol=1e-5, atol=1e-6)
    for target in usable - {"cpu", "gpu"}:
        error = np.abs(answers[target] - exact).max()
        assert 1e-5 < error < 0.05


def read_constants(file):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(str(file)).graph.initializer}


def by_hand(x, w, b):
    """Convolve, rectify and average in float64."""
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), (3, 3), axis=(2, 3))
    convolved = np.einsum("nchwij,ocij->nohw", windows, w.astype(np.float64)) + b[None, :, None, None]
    return np.maximum(convolved, 0).mean(axis=(2, 3))


def test_answers_outlive_the_next_run_and_the_model(models, rows):
    with OpenVINO().open(models.dense("n"), "cpu") as runner:
        first = runner.run({"x": rows(3)})["y"]
        runner.run({"x": rows(3) + 100})
    np.testing.assert_allclose(first, expected(rows(3)), rtol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"x": np.zeros((4, 5), np.float32)}, r"takes x float32\[\?×3\], and was given float32\[4, 5\]"),
        ({"x": np.zeros((4, 3), np.float64)}, r"takes x float32.*given float64"),
        ({"z": np.zeros((4, 3), np.float32)}, r"takes \['x'\], not \['z'\]"),
    ],
    ids=["shape", "type", "name"],
)
def test_a_failure_while_running_is_one_clear_line(models, wrong, why):
    with OpenVINO().open(models.dense("n"), "cpu") as runner, pytest.raises(RuntimeFailedError, match=why) as caught:
        runner.run(wrong)
    assert "\n" not in caught.value.message
    assert "src/" not in caught.value.message


def test_a_closed_model_says_so(models, rows):
    with OpenVINO().open(models.dense("n"), "cpu") as runner:
        pass
    with pytest.raises(RuntimeFailedError, match="closed"):
        runner.run({"x": rows(1)})
