"""Batches of every size through models that resize and models that do not."""

from __future__ import annotations

import numpy as np
import pytest

from dltf.plugin import Quantisation, RuntimeFailedError, TensorSpec
from dltf_tflite.backend import TFLite

KERNELS = ["cpu", "cpu-builtin", "cpu-reference"]


def rows(n, columns=3):
    return np.random.default_rng(n).random((n, columns), dtype=np.float32)


@pytest.mark.parametrize("n", [1, 2, 7, 33, 100])
@pytest.mark.parametrize("target", KERNELS)
def test_every_row_of_any_batch_is_answered(tiny, dense_answers, target, n):
    with TFLite().open(tiny.dense(), target) as runner:
        answers = runner.run({"x": rows(n)})
    assert list(answers) == ["y"]
    assert answers["y"].dtype == np.float32
    np.testing.assert_allclose(answers["y"], dense_answers(rows(n)), rtol=1e-5)


def test_a_model_that_resizes_has_an_open_batch_and_says_nothing_of_it(tiny):
    with TFLite().open(tiny.dense(), "cpu-builtin") as runner:
        assert runner.inputs == (TensorSpec("x", (None, 3), "float32"),)
        assert runner.outputs == (TensorSpec("y", (None, 4), "float32"),)
        assert runner.notes == ()


def test_a_model_made_for_four_is_resized_as_well(tiny, dense_answers):
    with TFLite().open(tiny.dense(batch=4), "cpu") as runner:
        np.testing.assert_allclose(runner.run({"x": rows(3)})["y"], dense_answers(rows(3)), rtol=1e-5)
    assert runner.inputs[0].shape == (None, 3)


@pytest.mark.parametrize("target", KERNELS)
def test_a_model_that_refuses_batches_runs_one_by_one_and_says_so(tiny, target):
    with TFLite().open(tiny.reshaped([1, 4], [1, 2, 2]), target) as runner:
        answers = runner.run({"x": rows(5, 4)})
    np.testing.assert_array_equal(answers["y"], rows(5, 4).reshape(5, 2, 2))
    assert runner.inputs[0].shape == (1, 4)
    assert any("one by one" in note for note in runner.notes)


def test_a_model_that_takes_four_and_no_other_number_runs_in_chunks(tiny):
    with TFLite().open(tiny.reshaped([4, 4], [4, 2, 2]), "cpu-builtin") as runner:
        answers = runner.run({"x": rows(6, 4)})
    np.testing.assert_array_equal(answers["y"], rows(6, 4).reshape(6, 2, 2))
    assert "in chunks of 4" in runner.notes[0]


@pytest.mark.parametrize("target", KERNELS)
def test_a_model_that_would_mix_up_rows_runs_one_by_one(tiny, target):
    x = rows(3, 4)
    with TFLite().open(tiny.mixing(), target) as runner:
        answers = runner.run({"x": x})
    np.testing.assert_allclose(answers["y"], np.exp(x) / np.exp(x).sum(axis=1, keepdims=True), rtol=1e-5)
    assert any("their rows come out otherwise" in note for note in runner.notes)


def test_declared_quantisation_is_told_and_left_to_the_host(tiny):
    with TFLite().open(tiny.requantised(), "cpu") as runner:
        (answers,) = runner.run({"x": np.array([[3, 5, 1], [7, 3, 3]], dtype=np.int8)}).values()
    assert runner.inputs == (TensorSpec("x", (None, 3), "int8", Quantisation(0.5, 3)),)
    assert runner.outputs == (TensorSpec("y", (None, 3), "uint8", Quantisation(0.25, 131)),)
    np.testing.assert_array_equal(answers, [[131, 135, 127], [139, 131, 131]])
    assert answers.dtype == np.uint8


def test_several_tensors_of_one_name_are_told_apart(tiny):
    def build(graph):
        a, b = graph.tensor("x", [1, 2]), graph.tensor("x", [1, 2])
        total, difference = graph.tensor("", [1, 2]), graph.tensor("d", [1, 2])
        graph.operator("ADD", [a, b], [total], options="AddOptions")
        graph.operator("SUB", [a, b], [difference], options="SubOptions")
        return [a, b], [total, difference]

    with TFLite().open(tiny.of(build), "cpu") as runner:
        assert [spec.name for spec in runner.inputs] == ["x", "x_2"]
        assert [spec.name for spec in runner.outputs] == ["tensor_0", "d"]
        answers = runner.run({"x_2": rows(3, 2), "x": 3 * rows(3, 2)})
    np.testing.assert_allclose(answers["tensor_0"], 4 * rows(3, 2), rtol=1e-6)
    np.testing.assert_allclose(answers["d"], 2 * rows(3, 2), rtol=1e-6)


def test_inputs_of_open_length_run_at_the_length_they_have(tiny):
    def build(graph):
        x, y = graph.tensor("x", [1, 1], signature=[-1, -1]), graph.tensor("y", [1, 1], signature=[-1, -1])
        graph.operator("ABS", [x], [y], options="AbsOptions")
        return [x], [y]

    with TFLite().open(tiny.of(build), "cpu") as runner:
        for length in (5, 2, *range(3, 30)):
            np.testing.assert_array_equal(runner.run({"x": -rows(2, length)})["y"], rows(2, length))
    assert runner.inputs[0].shape == (1, None)
    assert "other open sizes" in runner.notes[0]


def test_an_output_without_a_row_for_each_input_is_left_out_and_named(tiny):
    def build(graph):
        x, y, t = graph.tensor("x", [1, 3]), graph.tensor("y", [1, 3]), graph.tensor("t", [3, 1])
        graph.operator("ABS", [x], [y], options="AbsOptions")
        order = graph.constant("order", [1, 0], "int32")
        graph.operator("TRANSPOSE", [x, order], [t], options="TransposeOptions")
        return [x], [y, t]

    with TFLite().open(tiny.of(build), "cpu") as runner:
        assert list(runner.run({"x": rows(2)})) == ["y"]
    assert 'left out: "t"' in runner.notes[1]


def test_answers_outlive_the_next_run_and_the_model(tiny, dense_answers):
    with TFLite().open(tiny.dense(), "cpu") as runner:
        first = runner.run({"x": rows(2)})["y"]
        runner.run({"x": rows(2) + 100})
    np.testing.assert_allclose(first, dense_answers(rows(2)), rtol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"x": np.zeros((2, 5), np.float32)}, "Dimension mismatch|other shapes"),
        ({"x": np.zeros((9, 5), np.float32)}, "Dimension mismatch|other shapes"),
        ({"x": np.zeros((2, 3), np.int8)}, "INT8"),
        ({"z": np.zeros((2, 3), np.float32)}, r"takes \['x'\], not \['z'\]"),
    ],
    ids=["shape", "shape of a new batch size", "type", "name"],
)
def test_a_failure_while_running_is_one_clear_line(tiny, wrong, why):
    with TFLite().open(tiny.dense(), "cpu") as runner, pytest.raises(RuntimeFailedError, match=why) as caught:
        runner.run(wrong)
    assert "\n" not in caught.value.message


def test_a_closed_model_says_so(tiny):
    with TFLite().open(tiny.dense(), "cpu") as runner:
        pass
    with pytest.raises(RuntimeFailedError, match="closed"):
        runner.run({"x": rows(1)})
