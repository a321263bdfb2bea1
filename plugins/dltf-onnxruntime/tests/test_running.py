"""Batches of every size through models of every kind of batch axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from dltf.plugin import RuntimeFailedError, TensorSpec
from dltf_onnxruntime.backend import OnnxRuntime

if TYPE_CHECKING:
    from pathlib import Path


def expected(x):
    return 2 * x + np.array([0, 1, 2], dtype=np.float32)


@pytest.mark.parametrize("n", [1, 2, 7, 64])
@pytest.mark.parametrize(
    ("batch", "note"), [("n", None), (1, "one by one"), (4, "in chunks of 4")], ids=["open", "one", "four"]
)
def test_every_row_is_answered_whatever_the_batch_axis(models, rows, batch, note, n):
    with OnnxRuntime().open(models.dense(batch), "cpu") as runner:
        answers = runner.run({"x": rows(n)})
    assert list(answers) == ["y"]
    assert answers["y"].dtype == np.float32
    np.testing.assert_allclose(answers["y"], expected(rows(n)), rtol=1e-6)
    assert len(runner.notes) == (note is not None)
    assert all(note in text for text in runner.notes)


def test_specs_leave_open_sizes_open_and_initialisers_out(models):
    with OnnxRuntime().open(models.dense("n"), "cpu") as runner:
        assert runner.inputs == (TensorSpec("x", (None, 3), "float32"),)
        assert runner.outputs == (TensorSpec("y", (None, 3), "float32"),)
    with OnnxRuntime().open(models.dense(4), "cpu") as runner:
        assert runner.inputs == (TensorSpec("x", (4, 3), "float32"),)


def test_an_output_of_fixed_batch_is_believed(models, rows):
    with OnnxRuntime().open(models.dense("n", out_batch=1), "cpu") as runner:
        np.testing.assert_allclose(runner.run({"x": rows(5)})["y"], expected(rows(5)), rtol=1e-6)
    assert "one by one" in runner.notes[0]


def test_names_types_and_several_tensors_are_kept(models):
    file = models.save(
        "several",
        [
            helper.make_node("Add", ["a", "a"], ["twice"]),
            helper.make_node("Cast", ["b"], ["real"], to=TensorProto.FLOAT),
        ],
        {"a": (TensorProto.INT64, ["n", 2]), "b": (TensorProto.INT8, ["n"])},
        {"real": (TensorProto.FLOAT, ["n"]), "twice": (TensorProto.INT64, ["n", 2])},
    )
    a, b = np.array([[1, 2], [3, 4]]), np.array([-5, 6], dtype=np.int8)
    with OnnxRuntime().open(file, "cpu") as runner:
        answers = runner.run({"b": b, "a": a})
    assert [str(spec) for spec in runner.inputs] == ["a int64[?×2]", "b int8[?]"]
    np.testing.assert_array_equal(answers["twice"], 2 * a)
    np.testing.assert_array_equal(answers["real"], b.astype(np.float32))
    assert (answers["twice"].dtype, answers["real"].dtype) == (np.int64, np.float32)


def test_answers_outlive_the_next_run_and_the_session(models, rows):
    with OnnxRuntime().open(models.dense("n"), "cpu") as runner:
        first = runner.run({"x": rows(3)})["y"]
        runner.run({"x": rows(3) + 100})
    np.testing.assert_allclose(first, expected(rows(3)), rtol=1e-6)


def test_outputs_that_are_no_arrays_are_left_out_and_named(models, rows):
    file = models.save(
        "sequence",
        [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("SequenceConstruct", ["y"], ["s"])],
        {"x": (TensorProto.FLOAT, ["n", 3])},
        {"y": (TensorProto.FLOAT, ["n", 3])},
    )
    model = onnx.load(str(file))
    model.graph.output.append(helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, ["n", 3]))
    file.write_bytes(model.SerializeToString())
    with OnnxRuntime().open(file, "cpu") as runner:
        assert list(runner.run({"x": rows(2)})) == ["y"]
    assert runner.notes[-1].endswith('are left out: "s"')


@pytest.mark.parametrize("batch", ["n", 4])
def test_a_failure_while_running_is_one_clear_line(models, batch):
    wide = np.zeros((4, 5), np.float32)
    with OnnxRuntime().open(models.dense(batch), "cpu") as runner:
        with pytest.raises(RuntimeFailedError, match=r"batch of 4: .*Got: 5 Expected: 3") as caught:
            runner.run({"x": wide})
        with pytest.raises(RuntimeFailedError, match="missing"):
            runner.run({"z": wide})
    assert "\n" not in caught.value.message
    assert "ONNXRuntimeError" not in caught.value.message


@pytest.mark.parametrize("batch", ["n", 1])
def test_an_output_without_a_row_for_each_input_is_left_out_and_named(models, rows, batch):
    file = models.save(
        "turned",
        [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Transpose", ["x"], ["t"])],
        {"x": (TensorProto.FLOAT, [batch, 3])},
        {"y": (TensorProto.FLOAT, [batch, 3]), "t": (TensorProto.FLOAT, [3, batch])},
    )
    with OnnxRuntime().open(file, "cpu") as runner:
        assert list(runner.run({"x": rows(3)})) == ["y"]
    assert runner.notes[-1].endswith('are left out: "t"')


def test_an_output_that_does_not_follow_the_batch_is_refused(models, rows):
    file = models.save(
        "halved",
        [helper.make_node("Reshape", ["x", "to"], ["y"])],
        {"x": (TensorProto.FLOAT, ["n", 3])},
        {"y": (TensorProto.FLOAT, ["m", 6])},
        initialisers=[helper.make_tensor("to", TensorProto.INT64, [2], [-1, 6])],
    )
    with (
        OnnxRuntime().open(file, "cpu") as runner,
        pytest.raises(RuntimeFailedError, match=r'"y" the shape \(1, 6\) for a batch of 2'),
    ):
        runner.run({"x": rows(2)})


def test_a_closed_model_says_so(models, rows):
    with OnnxRuntime().open(models.dense("n"), "cpu") as runner:
        pass
    with pytest.raises(RuntimeFailedError, match="closed"):
        runner.run({"x": rows(1)})


def test_lenet5_is_as_accurate_as_published(data: Path):
    arrays = np.load(data / "mnist.npz")
    images = arrays["x_test"][:1000, :, :, None].astype(np.float32) / 255
    with OnnxRuntime().open(data / "models" / "dflare" / "lenet5.onnx", "cpu") as runner:
        (spec,) = runner.inputs
        (scores,) = runner.run({spec.name: images}).values()
    assert spec.shape == (None, 28, 28, 1)
    assert (scores.argmax(axis=1) == arrays["y_test"][:1000]).mean() == pytest.approx(0.985, abs=0.01)
