"""Every promise of a backend, tested by the kit that ships with dltf."""

import numpy as np
import torch

from dltf.testing import Examples, ModelExample, conformance


@conformance("torch")
def test_conformance(folder):
    network = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 4), torch.nn.Softmax(-1))
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(network.eval(), (torch.zeros(2, 3),), dynamic_shapes=({0: batch},))
    torch.export.save(program, folder / "scores.pt2")
    inputs = {"input": np.random.default_rng(0).random((5, 3), dtype=np.float32)}
    return Examples(models={"torch": [ModelExample(folder / "scores.pt2", inputs)]})
