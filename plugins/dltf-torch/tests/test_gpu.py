"""Models on a GPU, where there is one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dltf.plugin import RuntimeFailedError
from dltf_torch.backend import Torch

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a GPU that PyTorch sees: install a build with CUDA, and the driver"
)


@pytest.fixture
def convolutions(models):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.Flatten(), nn.Linear(64 * 144, 10))
    return models.save("conv", module, (torch.zeros(2, 3, 16, 16),), ({0: torch.export.Dim("batch", min=1)},))


@pytest.fixture
def pictures():
    return np.random.default_rng(0).random((8, 3, 16, 16), dtype=np.float32)


def answer(file, pictures, target="cuda", **settings):
    with Torch(**settings).open(file, target) as runner:
        return runner.run({"input": pictures})["output_0"]


def test_a_program_of_the_processor_runs_on_the_gpu_and_agrees(convolutions, pictures):
    assert all(target.usable for target in Torch().targets() if target.name.startswith("cuda"))
    ours = answer(convolutions, pictures)
    np.testing.assert_allclose(ours, answer(convolutions, pictures, "cpu"), rtol=0, atol=1e-4)
    np.testing.assert_array_equal(ours, answer(convolutions, pictures))


def test_tf32_and_bfloat16_round_and_are_off_unless_set(convolutions, pictures):
    exact = answer(convolutions, pictures, "cpu")
    error = {
        name: np.abs(answer(convolutions, pictures, **settings) - exact).max()
        for name, settings in {"float32": {}, "tf32": {"tf32": True}, "bfloat16": {"precision": "bfloat16"}}.items()
    }
    assert error["float32"] < 1e-5 < error["tf32"] < error["bfloat16"] < 0.1


def test_memory_that_is_not_there_is_an_error_with_a_cure(models):
    class Wide(nn.Module):
        def forward(self, x):
            return x[:, :1] + x.new_zeros(1, 10**13)

    file = models.save("wide", Wide(), (torch.zeros(2, 3),))
    with Torch().open(file, "cuda") as runner, pytest.raises(RuntimeFailedError, match=r"campaign\.batch"):
        runner.run({"x": np.ones((2, 3), np.float32)})


def test_a_state_dict_runs_on_the_gpu(models, rows):
    settings = models.factory("gpu_dense", "def build(): return nn.Linear(3, 3)")
    linear = nn.Linear(3, 3)
    torch.save(linear.state_dict(), models.folder / "linear.pt")
    with Torch(**{**settings, "input_shapes": {"input": (3,)}}).open(models.folder / "linear.pt", "cuda") as runner:
        ours = runner.run({"input": rows(4)})["output_0"]
    np.testing.assert_allclose(ours, linear(torch.tensor(rows(4))).detach(), rtol=0, atol=1e-5)
