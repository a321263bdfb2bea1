"""Every promise of generators and of commands, tested by the kit that ships with dltf."""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from dltf.testing import Examples, conformance
from dltf_vae.artefact import Artefact, save_artefact, weights_digest
from dltf_vae.network import Network

WEIGHTS = np.random.default_rng(2).normal(0, 0.1, (784, 6)).astype(np.float32)


def onnx_model(file, taken, given, nodes, **constants):
    sides = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)] for name, shape in (taken, given)]
    kept = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph([helper.make_node(*node) for node in nodes], "half", *sides, kept)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), file)
    return file


def onnx_pair(folder):
    encoder = onnx_model(
        folder / "encoder.onnx",
        ("x", ["n", 1, 28, 28]),
        ("z", ["n", 6]),
        [("Flatten", ["x"], ["f"]), ("MatMul", ["f", "w"], ["z"])],
        w=WEIGHTS,
    )
    decoder = onnx_model(
        folder / "decoder.onnx",
        ("z", ["n", 6]),
        ("x", ["n", 1, 28, 28]),
        [("MatMul", ["z", "w"], ["f"]), ("Reshape", ["f", "s"], ["x"])],
        w=np.ascontiguousarray(WEIGHTS.T),
        s=np.array([-1, 1, 28, 28]),
    )
    return {"encoder": encoder, "decoder": decoder}


def torch_pair(folder):
    encoder = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, stride=2), torch.nn.ReLU(), torch.nn.Conv2d(4, 1, 1)).eval()
    decoder = torch.nn.Sequential(torch.nn.Linear(4, 108), torch.nn.Tanh(), torch.nn.Unflatten(1, (3, 6, 6))).eval()
    shapes = ({0: torch.export.Dim("batch", min=1)},)
    programs = {
        "encoder": (torch.nn.Sequential(encoder, torch.nn.Flatten()), (2, 3, 6, 6)),
        "decoder": (decoder, (2, 4)),
    }
    files = {}
    for name, (module, shape) in programs.items():
        files[name] = folder / f"{name}.pt2"
        torch.export.save(torch.export.export(module.eval(), (torch.zeros(shape),), dynamic_shapes=shapes), files[name])
    return files


def vae_file(folder):
    network = Network((28, 28, 1), maps=2, width=4)
    weights, facts = network.state_dict(), {"active": 8, "latent": 8}
    facts["weights"] = weights_digest(weights)
    save_artefact(Artefact((28, 28, 1), 2, 4, weights, np.ones(8), facts), folder / "random.vae.pt")
    return folder / "random.vae.pt"


@conformance("vae")
def test_conformance(folder):
    stream = np.random.default_rng(1)
    shapes = [(28, 28, 1)] * 4 + [(6, 6, 3)] * 4
    samples = [stream.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]
    settings = {"vae": {"file": vae_file(folder)}, "latent.onnx": onnx_pair(folder), "latent.torch": torch_pair(folder)}
    return Examples(samples=samples, settings=settings)
