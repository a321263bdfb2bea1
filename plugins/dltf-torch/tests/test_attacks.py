"""Files that would run code when PyTorch loads them do not run it here.

Each attack makes a folder when it succeeds. Those that PyTorch's own loader falls for are tried on it, too, in
a process of its own, so that what is refused here is known to be live.
"""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.export.pt2_archive import PT2ArchiveWriter

from dltf.plugin import ModelFileError, RuntimeFailedError
from dltf_torch.backend import Torch
from dltf_torch.vetting import UnsafeProgramError, check_expression, check_target

WEIGHTS, GRAPH, SAMPLES = "data/weights/model_weights_config.json", "models/model.json", "data/sample_inputs/model.pt"
CONSTANTS = "data/constants/model_constants_config.json"


class Payload:
    """What makes a folder when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.mkdir, (str(self.file),)


def saved(thing):
    buffer = io.BytesIO()
    torch.save(thing, buffer)
    return buffer.getvalue()


def pickled_weight(config):
    config["config"]["linear.bias"].update(use_pickle=True, tensor_meta=None)


def opaque_constant(kind):
    entry = {"path_name": f"{kind}_0", "is_param": False, "use_pickle": True, "tensor_meta": None}
    return lambda config: {"config": {**config["config"], "evil": entry}}


def size(code):
    def change(program):
        program["graph_module"]["graph"]["tensor_values"]["x"]["sizes"][0]["as_expr"]["expr_str"] = code

    return change


def nodes(program):
    return program["graph_module"]["graph"]["nodes"]


def target(name, *arguments):
    def change(program):
        nodes(program)[0].update(
            target=name, inputs=[{"name": "", "arg": {"as_string": text}, "kind": 1} for text in arguments]
        )

    return change


def node_name(code):
    def change(program):
        node = {"target": "torch.ops.aten.relu.default", "metadata": {}, "name": code}
        node["inputs"] = [{"name": "self", "arg": {"as_tensor": {"name": "x"}}, "kind": 1}]
        node["outputs"] = [{"as_tensor": {"name": code}}]
        nodes(program).append(node)
        values = program["graph_module"]["graph"]["tensor_values"]
        values[code] = values["x"]

    return change


def weight_name(code):
    def change(program):
        for spec in program["graph_module"]["signature"]["input_specs"]:
            if spec.get("parameter", {}).get("parameter_name") == "linear.bias":
                spec["parameter"]["parameter_name"] = code

    return change


def guards(code):
    def change(program):
        program["guards_code"] = [code]

    return change


def attacks(mark):
    """Return by name the records that are exchanged, and whether PyTorch itself falls for it."""
    code = f"__import__('os').mkdir({str(mark)!r})"
    evil = saved({"x": Payload(mark)})
    raw = pickle.dumps(Payload(mark))
    return {
        "sample inputs": ({SAMPLES: evil}, True),
        "pickled weight": ({WEIGHTS: pickled_weight, "data/weights/weight_1": evil}, True),
        "pickled constant": ({CONSTANTS: opaque_constant("tensor"), "data/constants/tensor_0": evil}, True),
        "opaque constant": ({CONSTANTS: opaque_constant("opaque_obj"), "data/constants/opaque_obj_0": raw}, True),
        "older weights": ({"data/weights/model.pt": evil}, True),
        "older constants": ({"data/constants/model.pt": evil}, True),
        "size": ({GRAPH: size(code)}, True),
        "target": ({GRAPH: target("torch.os.mkdir", str(mark))}, False),
        "guard": ({GRAPH: guards(f"{code} is None")}, True),
        "node name": ({GRAPH: node_name(f"y = {code}; z")}, False),
        "weight name": ({GRAPH: weight_name(f'a"), {code}, getattr(self, "linear')}, False),
    }


LEFT_BEHIND = ("guard", "older constants", "older weights", "sample inputs")
"""What is not needed, and so is not read: the rest of the file is a model as any other."""


@pytest.fixture
def mark(tmp_path):
    return tmp_path / "executed"


@pytest.fixture
def evil(models, mark):
    return lambda name: models.rewrite(models.dense(), "evil", attacks(mark)[name][0])


@pytest.mark.parametrize("name", sorted(name for name, (_, live) in attacks("x").items() if live))
def test_the_loader_of_pytorch_falls_for_it(evil, mark, name):
    """These ways were found in the sources of PyTorch 2.13; one that is mended there makes this fail, and may go."""
    script = "import sys, torch; torch.export.load(sys.argv[1]).module()(torch.zeros(2, 3))"
    subprocess.run([sys.executable, "-c", script, str(evil(name))], capture_output=True, check=False)
    assert mark.exists()


@pytest.mark.parametrize("name", sorted(attacks("x").keys() - set(LEFT_BEHIND)))
def test_what_would_be_needed_is_refused_and_does_not_run(evil, mark, name):
    with pytest.raises(ModelFileError, match=r"evil\.pt2 is refused: .*\n.*export the model again"):
        Torch().open(evil(name), "cpu")
    assert not mark.exists()


@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_what_is_not_needed_is_left_behind_and_does_not_run(evil, mark, rows, name):
    with Torch().open(evil(name), "cpu") as runner:
        np.testing.assert_allclose(runner.run({"x": rows(2)})["output_0"], 2 * rows(2) + [0, 1, 2], rtol=1e-6)
    assert not mark.exists()


def test_a_string_that_is_an_argument_stays_one(models, mark, rows):
    class Divided(torch.nn.Module):
        def forward(self, x):
            return torch.div(x, 2, rounding_mode="floor")

    def quote(program):
        for node in nodes(program):
            for argument in node["inputs"]:
                if "as_string" in argument["arg"]:
                    argument["arg"]["as_string"] = f"'+__import__('os').mkdir({str(mark)!r})+'"

    file = models.save("divided", Divided(), (torch.zeros(2, 3),))
    with (
        Torch().open(models.rewrite(file, "evil", {GRAPH: quote}), "cpu") as runner,
        pytest.raises(RuntimeFailedError, match="rounding_mode"),
    ):
        runner.run({"x": rows(2)})
    assert not mark.exists()


def test_machine_code_is_refused(models):
    file = models.folder / "compiled.pt2"
    with PT2ArchiveWriter(str(file)) as writer:
        writer.write_bytes("data/aotinductor/model/model.so", b"\x7fELF")
    with pytest.raises(ModelFileError, match="machine code"):
        Torch().open(file, "cpu")


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".pt2"])
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(models, mark, suffix, legacy):
    file = models.folder / f"evil{suffix}"
    torch.save({"weight": Payload(mark)}, file, _use_new_zipfile_serialization=not legacy)
    settings = models.factory("evil_dense", "def build(): return nn.Linear(3, 3)")
    with pytest.raises(ModelFileError) as caught:
        Torch(**settings).open(file, "cpu")
    assert str(file) in caught.value.message
    assert not mark.exists()


@pytest.mark.parametrize(
    "text",
    [
        "torch.ops.aten.conv2d.default",
        "torch.ops.aten.sym_size.int",
        "torch.ops.higher_order.wrap_with_set_grad_enabled",
        "_operator.getitem",
        "math.trunc",
        "torch.sym_max",
    ],
)
def test_targets_that_compute_are_known(text):
    assert check_target(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "torch.os.system",
        "torch.load",
        "torch.ops.load_library",
        "torch.ops.aten.from_file.default",
        "torch.ops.aten.save.default",
        "torch.ops.aten.add.py_impl",
        "torch.ops.aten.__class__.mro",
        "torch.ops.mine.op.default",
        "torch.ops.higher_order.triton_kernel_wrapper_mutation",
        "_operator.attrgetter",
        "_operator.__loader__",
        "math.__loader__.load_module",
        "#mine:op",
    ],
)
def test_targets_that_may_do_more_are_refused(text):
    with pytest.raises(UnsafeProgramError, match="no operator that may run here"):
        check_target(text)


@pytest.mark.parametrize(
    "text",
    [
        "Symbol('s31', positive=True, integer=True)",
        "Add(Mul(Integer(2), Symbol('s0', integer=True)), Integer(-1))",
        "FloorDiv(s31 - 1, 2) + 1",
        "Max(1, s0)",
        "oo",
    ],
)
def test_sizes_are_expressions(text):
    assert check_expression(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "s0.__class__",
        "[s0][0]",
        "(lambda: 0)()",
        "Symbol('s0).__class__(')",
        "s0 if s1 else s2",
        "f'{s0}'",
        "open('x')",
        "preview(s0)",
        "10**10**10",
        "s0; s1",
        "(" * 500,
    ],
)
def test_other_python_is_no_size(text):
    with pytest.raises(UnsafeProgramError, match="expression"):
        check_expression(text)
