"""Compiled models: by the real compiler, where there is one."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from dltf.plugin import MisfitError, ModelFileError
from dltf_torch.backend import Torch

pytestmark = pytest.mark.skipif(
    shutil.which(os.environ.get("CXX", "g++")) is None, reason="needs a C++ compiler: apt-get install g++"
)


def test_a_compiled_model_answers_as_the_eager_one_for_every_batch_without_compiling_again(models):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 4), nn.Softmax(-1))
    file = models.save("small", module, (torch.zeros(2, 3),), ({0: torch.export.Dim("batch", min=1)},))
    x = np.random.default_rng(0).random((64, 3), dtype=np.float32)
    with Torch().open(file, "cpu") as eager, Torch(mode="compiled").open(file, "cpu") as compiled:
        made = torch._dynamo.utils.counters["stats"]["unique_graphs"]
        with ThreadPoolExecutor(1) as pool:
            for n in (1, 2, 3, 64):
                answer = pool.submit(compiled.run, {"input": x[:n]}).result()["output_0"]
                np.testing.assert_allclose(answer, eager.run({"input": x[:n]})["output_0"], rtol=0, atol=1e-5)
        assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == made
    assert "an input alone is run twice in one batch" in compiled.notes[-1]


def test_what_cannot_be_compiled_whole_says_so_when_it_is_opened(models):
    source = (
        "class Branching(nn.Linear):\n"
        "    def forward(self, x): return x + 1 if x.sum().item() > 0 else super().forward(x)\n"
        "def build(): return Branching(3, 3)"
    )
    torch.save(nn.Linear(3, 3).state_dict(), models.folder / "branching.pt")
    backend = Torch(**models.factory("branching_model", source), mode="compiled")
    with pytest.raises(ModelFileError, match='mode = "eager"') as caught:
        backend.open(models.folder / "branching.pt", "cpu")
    assert "\n" not in caught.value.message


def test_what_the_compiler_makes_is_kept_where_it_is_told(models, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(models.folder / "elsewhere"))  # and back, after the test
    module = nn.Sequential(nn.Linear(3, 17), nn.Tanh(), nn.Linear(17, 5))
    file = models.save("kept", module, (torch.zeros(2, 3),), ({0: torch.export.Dim("batch", min=1)},))
    folder = models.folder / "cache"
    with Torch(mode="compiled", compile_cache=folder).open(file, "cpu") as runner:
        assert runner.run({"input": np.ones((2, 3), np.float32)})["output_0"].shape == (2, 5)
    assert any(folder.rglob("*.so"))
    assert not (models.folder / "elsewhere").exists()
    with pytest.raises(MisfitError, match="compile_cache cannot be used"):
        Torch(mode="compiled", compile_cache=file / "below").open(file, "cpu")
