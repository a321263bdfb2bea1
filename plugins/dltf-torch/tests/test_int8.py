"""8 bits for linear layers, chosen by a setting, of programs and of state dicts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dltf.plugin import MisfitError
from dltf_torch.backend import Torch

OPEN = torch.export.Dim("batch", min=1)


@pytest.fixture
def file(models):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 64), nn.Tanh(), nn.Linear(64, 4), nn.Softmax(-1))
    return models.save("small", module, (torch.zeros(2, 3),), ({0: OPEN},))


@pytest.mark.parametrize(
    ("kind", "config"),
    [("weight_only", "Int8WeightOnlyConfig"), ("dynamic", "Int8DynamicActivationInt8WeightConfig")],
)
def test_linear_layers_of_a_program_are_rounded_row_by_row(file, rows, kind, config):
    x = rows(50)
    with Torch().open(file, "cpu") as exact, Torch(int8=kind).open(file, "cpu") as rounded:
        ours, theirs = exact.run({"input": x})["output_0"], rounded.run({"input": x})["output_0"]
        alone = np.concatenate([rounded.run({"input": row[None]})["output_0"] for row in x])
        assert f"2 linear layers in int8 by torchao's {config}" in " ".join(rounded.notes)
    assert 0 < np.abs(ours - theirs).max() < 0.01
    np.testing.assert_allclose(alone, theirs, atol=1e-6)  # an answer does not depend on its batch
    assert "torchao" in Torch(int8=kind).versions()
    assert "torchao" not in Torch().versions()


def test_a_state_dict_is_rounded_as_its_program_is(models, rows):
    torch.save(nn.Linear(3, 4).state_dict(), models.folder / "layer.pt")
    settings = {
        **models.factory("layer_of_int8", "def build(): return nn.Linear(3, 4)"),
        "input_shapes": {"input": (3,)},
    }
    layer = nn.Linear(3, 4)
    layer.load_state_dict(torch.load(models.folder / "layer.pt"))
    program = models.save("layer", layer, (torch.zeros(2, 3),), ({0: OPEN},))
    with Torch(int8="dynamic", **settings).open(models.folder / "layer.pt", "cpu") as ours:
        state = ours.run({"input": rows(9)})["output_0"]
        assert "1 linear layer in int8" in " ".join(ours.notes)
    with Torch(int8="dynamic").open(program, "cpu") as theirs:
        np.testing.assert_array_equal(state, theirs.run({"input": rows(9)})["output_0"])


def test_a_model_without_linear_layers_is_told_what_covers_it(models):
    file = models.save("conv", nn.Conv2d(1, 2, 3), (torch.zeros(2, 1, 5, 5),), ({0: OPEN},))
    with pytest.raises(MisfitError, match="no linear layer") as caught:
        Torch(int8="dynamic").open(file, "cpu")
    assert "torch.int8" in caught.value.hint
