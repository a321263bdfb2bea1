"""Batches of every size through programs of every kind of batch axis, tensor and precision."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dltf.plugin import RuntimeFailedError, TensorSpec
from dltf_torch.backend import Torch
from dltf_torch.network import Sizes
from dltf_torch.rules import Rules, in_force

OPEN = torch.export.Dim("batch", min=1)


def expected(x):
    return 2 * x + np.array([0, 1, 2], dtype=np.float32)


class Several(nn.Module):
    """Two inputs, and outputs by name, by position and nested."""

    def forward(self, a, b, *, scale: bool = True):
        real = b.to(torch.float32)
        return {"twice": 2 * a, "real": real, "both": (a.sum(1), [b > 0])}


@pytest.mark.parametrize("n", [1, 2, 7, 64])
@pytest.mark.parametrize(
    ("batch", "note"), [(None, None), (1, "one by one"), (4, "in chunks of 4")], ids=["open", "one", "four"]
)
def test_every_row_is_answered_whatever_the_batch_axis(models, rows, batch, note, n):
    with Torch().open(models.dense(batch), "cpu") as runner:
        answers = runner.run({"x": rows(n)})
    assert list(answers) == ["output_0"]
    assert answers["output_0"].dtype == np.float32
    np.testing.assert_allclose(answers["output_0"], expected(rows(n)), rtol=1e-6)
    assert len(runner.notes) == (note is not None)
    assert all(note in text for text in runner.notes)


@pytest.mark.parametrize("n", [1, 5, 8, 13])
def test_a_bounded_batch_is_kept_within_its_bounds(models, rows, n):
    module = nn.Linear(3, 3)
    file = models.save("bounded", module, (torch.zeros(4, 3),), ({0: torch.export.Dim("n", min=4, max=6)},))
    with Torch().open(file, "cpu") as runner:
        answer = runner.run({"input": rows(n)})["output_0"]
    assert "up to 6 inputs" in runner.notes[0]
    np.testing.assert_allclose(answer, module(torch.tensor(rows(n))).detach(), rtol=1e-5, atol=1e-6)


@given(n=st.integers(1, 50), least=st.integers(1, 5), more=st.none() | st.integers(0, 9))
def test_chunks_cover_every_row_once_within_the_bounds(n, least, more):
    most = None if more is None else least + more
    chunks = list(Sizes(least, most).chunks(n))
    starts = [start for start, _ in chunks]
    covered = [row for (start, size), end in zip(chunks, [*starts[1:], n], strict=True) for row in range(start, end)]
    assert covered == list(range(n))
    assert all(least <= size <= (most or size) for _, size in chunks)
    assert all(start + size >= end for (start, size), end in zip(chunks, [*starts[1:], n], strict=True))


def test_specs_leave_open_sizes_open(models):
    class Mean(nn.Module):
        def forward(self, x):
            return x.mean(1)

    shapes = {"x": {0: OPEN, 1: torch.export.Dim("frames", min=2)}}
    with Torch().open(models.save("frames", Mean(), (torch.zeros(2, 9, 4),), shapes), "cpu") as runner:
        assert runner.inputs == (TensorSpec("x", (None, None, 4), "float32"),)
        assert runner.outputs == (TensorSpec("output_0", (None, 4), "float32"),)
        for frames in (3, 17):
            assert runner.run({"x": np.ones((2, frames, 4), np.float32)})["output_0"].tolist() == [[1.0] * 4] * 2


def test_names_types_and_several_tensors_are_kept(models):
    shapes = {"a": {0: OPEN}, "b": {0: OPEN}}
    inputs = (torch.zeros(2, 2, dtype=torch.int64), torch.zeros(2, dtype=torch.int8))
    a, b = np.array([[1, 2], [3, 4]]), np.array([-5, 6], dtype=np.int8)
    with Torch().open(models.save("several", Several(), inputs, shapes), "cpu") as runner:
        answers = runner.run({"b": b, "a": a})
    assert [str(spec) for spec in runner.inputs] == ["a int64[?×2]", "b int8[?]"]
    assert [spec.dtype for spec in runner.outputs] == ["int64", "float32", "int64", "bool"]
    told = {name: array.tolist() for name, array in answers.items()}
    assert told == {"twice": [[2, 4], [6, 8]], "real": [-5.0, 6.0], "both.0": [3, 7], "both.1.0": [False, True]}


def test_inputs_that_were_constants_of_the_export_stay_so(models, rows):
    class Scaled(nn.Module):
        def forward(self, scale, x, shift=None):
            return x * scale if shift is None else x

    file = models.save("scaled", Scaled(), (2.5, torch.zeros(2, 3), None), (None, {0: OPEN}, None))
    with Torch().open(file, "cpu") as runner:
        assert [spec.name for spec in runner.inputs] == ["x"]
        np.testing.assert_allclose(runner.run({"x": rows(3)})["output_0"], 2.5 * rows(3), rtol=1e-6)


def test_a_named_tuple_that_is_not_known_here_gives_its_fields(models, rows):
    class Pair(nn.Module):
        def forward(self, x):
            return x + 1, x.sum(1)

    def named(program):
        module = program["graph_module"]
        signature = module["module_call_graph"][0]["signature"]
        signature["out_spec"] = signature["out_spec"].replace("builtins.tuple", "elsewhere.Pair")
        module["treespec_namedtuple_fields"] = {"elsewhere.Pair": {"field_names": ["scores", "features"]}}

    file = models.save("pair", Pair(), (torch.zeros(2, 3),), ({0: OPEN},))
    with Torch().open(models.rewrite(file, "named", {"models/model.json": named}), "cpu") as runner:
        assert list(runner.run({"x": rows(2)})) == ["scores", "features"]


def test_an_output_without_a_row_for_each_input_is_left_out_and_named(models, rows):
    class Turned(nn.Module):
        def forward(self, x):
            return {"y": x + 1, "t": x.T, "whole": x.sum()}

    with Torch().open(models.save("turned", Turned(), (torch.zeros(2, 3),), ({0: OPEN},)), "cpu") as runner:
        assert list(runner.run({"x": rows(3)})) == ["y"]
    assert runner.notes[-1].endswith('are left out: "t", "whole"')


def test_a_program_in_training_mode_is_noted(models):
    module = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout())
    file = models.save("training", module, (torch.zeros(4, 3),), ({0: OPEN},), train=True)
    with Torch().open(file, "cpu") as runner:
        assert "training mode (batch_norm, dropout)" in " ".join(runner.notes)
        assert "changes buffers of its own" in " ".join(runner.notes)
    with Torch().open(models.save("evaluating", module, (torch.zeros(4, 3),), ({0: OPEN},)), "cpu") as runner:
        assert runner.notes == ()


@pytest.mark.parametrize(("precision", "step"), [("bfloat16", 2**-8), ("float16", 2**-11)])
def test_a_lower_precision_rounds_and_says_so(models, precision, step):
    module = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 4))
    torch.manual_seed(0)
    for parameter in module.parameters():
        nn.init.uniform_(parameter, -1, 1)
    file = models.save("tanh", module, (torch.zeros(2, 3),), ({0: OPEN},))
    x = np.random.default_rng(0).random((9, 3), dtype=np.float32)
    with Torch().open(file, "cpu") as exact, Torch(precision=precision).open(file, "cpu") as rounded:
        ours, theirs = exact.run({"input": x})["output_0"], rounded.run({"input": x})["output_0"]
    assert theirs.dtype == np.float32
    assert 0 < np.abs(ours - theirs).max() < 32 * step
    assert any(precision in note for note in rounded.notes)


def test_bfloat16_tensors_are_fed_and_given_back_as_float32(models):
    file = models.save("bf16", nn.Linear(3, 3).bfloat16(), (torch.zeros(2, 3, dtype=torch.bfloat16),), ({0: OPEN},))
    with Torch().open(file, "cpu") as runner:
        assert (runner.inputs[0].dtype, runner.outputs[0].dtype) == ("float32", "float32")
        assert runner.run({"input": np.ones((2, 3), np.float32)})["output_0"].dtype == np.float32


def test_answers_outlive_the_next_run_and_the_model(models, rows):
    class Same(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("kept", torch.zeros(3))

        def forward(self, x):
            return x, x + self.kept

    file = models.save("same", Same(), (torch.zeros(2, 3),), ({0: OPEN},))
    given = rows(3)
    with Torch().open(file, "cpu") as runner:
        first = runner.run({"x": given})["output_0"]
        first += 1
        runner.run({"x": rows(3) + 100})
    np.testing.assert_array_equal(given, rows(3))
    np.testing.assert_array_equal(first, rows(3) + 1)


@pytest.mark.parametrize("batch", [None, 4])
def test_an_input_that_does_not_fit_is_one_clear_line(models, rows, batch):
    with Torch().open(models.dense(batch), "cpu") as runner:
        with pytest.raises(RuntimeFailedError, match=r"takes x float32\[.×3\], not float32\[4, 5\]"):
            runner.run({"x": np.zeros((4, 5), np.float32)})
        with pytest.raises(RuntimeFailedError, match=r"not float64\[4, 3\]"):
            runner.run({"x": np.zeros((4, 3))})
        with pytest.raises(RuntimeFailedError, match=r"takes \['x'\], not \['z'\]"):
            runner.run({"z": rows(4)})


def test_a_failure_while_running_is_one_clear_line(models):
    class Looked(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(5, 2)

        def forward(self, words):
            return self.table(words)

    file = models.save("looked", Looked(), (torch.zeros(2, 3, dtype=torch.int64),), ({0: OPEN},))
    with (
        Torch().open(file, "cpu") as runner,
        pytest.raises(RuntimeFailedError, match=r"failed on a batch of 1: .*out of range") as caught,
    ):
        runner.run({"words": np.array([[1, 2, 9]])})
    assert "\n" not in caught.value.message


def test_memory_that_is_not_there_is_an_error_with_a_cure(models):
    torch.save(nn.Linear(3, 3).state_dict(), models.folder / "wide.pt")
    settings = models.factory(
        "wide_model",
        "class Wide(nn.Linear):\n"
        "    def forward(self, x):\n"
        "        return x if x.sum() == 0 else x.new_zeros(x.shape[0], 10**14)\n"
        "def build(): return Wide(3, 3)",
    )
    with (
        Torch(**settings).open(models.folder / "wide.pt", "cpu") as runner,
        pytest.raises(RuntimeFailedError, match=r"campaign\.batch"),
    ):
        runner.run({"x": np.ones((2, 3), np.float32)})


def test_a_closed_model_says_so(models, rows):
    with Torch().open(models.dense(), "cpu") as runner:
        pass
    with pytest.raises(RuntimeFailedError, match="closed"):
        runner.run({"x": rows(1)})


def test_what_pytorch_keeps_for_the_process_comes_back_after_a_run(models, rows):
    assert not torch.are_deterministic_algorithms_enabled()
    with Torch().open(models.dense(), "cpu") as runner:
        runner.run({"x": rows(2)})
        assert not torch.are_deterministic_algorithms_enabled()


def test_runs_under_other_rules_wait_for_each_other():
    def seen(deterministic):
        with in_force(Rules(deterministic, tf32=False), threads=1):
            return [torch.are_deterministic_algorithms_enabled() for _ in range(50)]

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(seen, [True, False] * 20))
    assert all(set(each) == {deterministic} for each, deterministic in zip(told, [True, False] * 20, strict=True))


def test_two_models_run_at_the_same_time(models, rows):
    with Torch().open(models.dense(), "cpu") as one, Torch(precision="bfloat16").open(models.dense(), "cpu") as other:
        alone = [runner.run({"x": rows(9)})["output_0"] for runner in (one, other)]
        with ThreadPoolExecutor(2) as pool:
            for _ in range(20):
                both = list(pool.map(lambda runner: runner.run({"x": rows(9)})["output_0"], (one, other)))
                np.testing.assert_array_equal(both, alone)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_is_that_of_the_setting(models, rows, threads):
    with Torch(threads=threads).open(models.dense(), "cpu") as runner, ThreadPoolExecutor(1) as pool:
        pool.submit(runner.run, {"x": rows(2)}).result()
        assert pool.submit(torch.get_num_threads).result() == threads
