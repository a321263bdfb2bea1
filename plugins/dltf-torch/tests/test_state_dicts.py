"""State dicts: built by a function of the user's, filled by the file, and fed as the settings say."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch import nn

from dltf.plugin import MisfitError, MissingPackageError, ModelFileError, TensorSpec
from dltf_torch.backend import Torch

DENSE = """
class Dense(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(width, width)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):
        return {"scores": self.dropout(self.linear(x)), "size": 1}

def build(width=3):
    return Dense(width)
"""


def expected(x):
    return 2 * x + np.array([0, 1, 2], dtype=np.float32)


def test_a_state_dict_fills_what_its_factory_builds_in_evaluation_mode(models, rows):
    settings = models.factory("plain_dense", DENSE)
    with Torch(**settings).open(models.state(), "cpu") as runner:
        np.testing.assert_allclose(runner.run({"x": rows(5)})["scores"], expected(rows(5)), rtol=1e-6)
    assert runner.inputs == (TensorSpec("x", (None, 3), "float32"),)
    assert runner.outputs == (TensorSpec("scores", (None, 3), "float32"),)
    assert runner.notes[0].endswith('are left out: "size"')


def test_an_entry_of_a_checkpoint_is_named_where_it_is_needed(models, rows):
    settings = models.factory("kept_dense", DENSE)
    file = models.state("checkpoint.pth", epoch=3)
    with pytest.raises(ModelFileError, match='its entries are "epoch", "state_dict"') as caught:
        Torch(**settings).open(file, "cpu")
    assert caught.value.hint == 'set state_dict_key = "state_dict"'
    with pytest.raises(ModelFileError, match='did you mean "state_dict"'):
        Torch(**settings, state_dict_key="statedict").open(file, "cpu")
    with Torch(**settings, state_dict_key="state_dict").open(file, "cpu") as runner:
        np.testing.assert_allclose(runner.run({"x": rows(5)})["scores"], expected(rows(5)), rtol=1e-6)


def test_safetensors_are_read_where_the_package_is_there(models, rows):
    safetensors = pytest.importorskip("safetensors.torch", reason="needs safetensors: pip install safetensors")
    state = torch.load(models.state(), weights_only=True)
    safetensors.save_file(state, models.folder / "dense.safetensors")
    settings = models.factory("safe_dense", DENSE)
    with Torch(**settings).open(models.folder / "dense.safetensors", "cpu") as runner:
        np.testing.assert_allclose(runner.run({"x": rows(5)})["scores"], expected(rows(5)), rtol=1e-6)
    (models.folder / "cut.safetensors").write_bytes((models.folder / "dense.safetensors").read_bytes()[:50])
    with pytest.raises(ModelFileError, match=r"cut\.safetensors cannot be read"):
        Torch(**settings).open(models.folder / "cut.safetensors", "cpu")


def test_safetensors_without_the_package_name_the_install_line(models, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    (models.folder / "dense.safetensors").write_bytes(b"1")
    with pytest.raises(MissingPackageError, match="pip install safetensors"):
        Torch(**models.factory("unsafe_dense", DENSE)).open(models.folder / "dense.safetensors", "cpu")


def test_a_file_without_a_factory_says_what_to_set(models):
    with pytest.raises(ModelFileError, match=r'factory = "package\.module:function"'):
        Torch().open(models.state(), "cpu")


def test_keys_that_do_not_fit_are_named(models):
    settings = models.factory(
        "other_dense", "def build(): return nn.ModuleDict({'linear': nn.Linear(3, 3), 'b': nn.Linear(3, 3)})"
    )
    with pytest.raises(ModelFileError, match=r"of its keys 2 missing \(b\.weight, b\.bias\)"):
        Torch(**settings).open(models.state(), "cpu")
    many = {f"layer{i}.weight": torch.zeros(1) for i in range(9)}
    torch.save({**torch.load(models.state(), weights_only=True), **many}, models.folder / "many.pt")
    few = models.factory("few_dense", DENSE)
    with pytest.raises(ModelFileError, match=r"9 too many \(layer0\.weight, .*layer3\.weight, …\)"):
        Torch(**few).open(models.folder / "many.pt", "cpu")


def test_weights_of_another_shape_are_named(models):
    settings = models.factory("wide_dense", DENSE)
    with pytest.raises(ModelFileError, match=r"size mismatch for linear\.weight.*\[3, 3\].*\[4, 4\]"):
        Torch(**settings, factory_arguments={"width": 4}).open(models.state(), "cpu")


@pytest.mark.parametrize(
    ("name", "source", "why"),
    [
        ("gone", "", "cannot be imported: AttributeError"),
        ("broken", "import no_such_package", "cannot be imported: ModuleNotFoundError"),
        ("raising", "def build(): raise OSError('no weights')", "raised OSError: no weights"),
        ("wanting", "def build(depth): return nn.Linear(3, 3)", "depth"),
        ("odd", "def build(): return 5", "returned int"),
    ],
)
def test_a_factory_that_does_not_work_is_named(models, name, source, why):
    with pytest.raises(ModelFileError, match=why) as caught:
        Torch(**models.factory(f"{name}_factory", source)).open(models.state(), "cpu")
    assert f"{name}_factory:build" in caught.value.message


def test_a_factory_that_is_nowhere_says_where_it_was_looked_for(models):
    with pytest.raises(ModelFileError, match="where Python always does"):
        Torch(factory="no_such_module_of_ours:build").open(models.state(), "cpu")


def test_a_module_of_the_same_name_from_elsewhere_is_never_taken(models, tmp_path):
    Torch(**models.factory("twin_dense", DENSE)).open(models.state(), "cpu")
    other = type(models)(tmp_path / "other")
    other.folder.mkdir()
    with pytest.raises(ModelFileError, match='the module "twin_dense" is already there, from'):
        Torch(**other.factory("twin_dense", DENSE)).open(models.state(), "cpu")


def test_shapes_are_asked_for_by_the_names_of_the_inputs(models):
    settings = {**models.factory("shy_dense", DENSE), "input_shapes": {}}
    with pytest.raises(MisfitError, match=r"input_shapes = \{ x = \[3, 32, 32\] \}"):
        Torch(**settings).open(models.state(), "cpu")
    with pytest.raises(MisfitError, match='no input "y"; there is "x"'):
        Torch(**{**settings, "input_shapes": {"y": (3,)}}).open(models.state(), "cpu")
    with pytest.raises(ModelFileError, match=r"does not run on zeros of x float32\[\?×5\]"):
        Torch(**{**settings, "input_shapes": {"x": (5,)}}).open(models.state(), "cpu")


def test_open_sizes_and_other_types_are_possible(models):
    source = (
        "class Words(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.table = nn.Embedding(9, 4)\n"
        "    def forward(self, words, scale, shift=0):\n"
        "        each = self.table(words) * scale[:, None, None]\n"
        "        return each, each.mean(1)\n"
        "def build(): return Words()"
    )
    settings = {
        **models.factory("word_model", source),
        "input_shapes": {"words": (0,), "scale": ()},
        "input_dtypes": {"words": "int32"},
    }
    table = nn.Embedding(9, 4)
    torch.save({"table.weight": table.weight}, models.folder / "words.pt")
    words, scale = np.array([[1, 2, 3], [8, 8, 8]], np.int32), np.array([1, 0], np.float32)
    with Torch(**settings).open(models.folder / "words.pt", "cpu") as runner:
        answers = runner.run({"scale": scale, "words": words})
    assert [str(spec) for spec in runner.inputs] == ["words int32[?×?]", "scale float32[?]"]
    assert [str(spec) for spec in runner.outputs] == ["output_0 float32[?×?×4]", "output_1 float32[?×4]"]
    wanted = table.weight.detach().numpy()[words] * scale[:, None, None]
    np.testing.assert_allclose(answers["output_0"], wanted, rtol=1e-6)


def test_what_the_file_leaves_unset_is_the_same_every_time(models, rows):
    source = (
        "class Noisy(nn.Linear):\n"
        "    def __init__(self):\n"
        "        super().__init__(3, 3)\n"
        "        self.register_buffer('noise', torch.rand(3), persistent=False)\n"
        "    def forward(self, x): return x + self.noise\n"
        "def build(): return Noisy()"
    )
    torch.save(nn.Linear(3, 3).state_dict(), models.folder / "noisy.pt")
    before = torch.random.get_rng_state()
    backend = Torch(**models.factory("noisy_model", source))
    answers = []
    for _ in range(2):
        with backend.open(models.folder / "noisy.pt", "cpu") as runner:
            answers.append(runner.run({"x": rows(2)})["output_0"])
    np.testing.assert_array_equal(*answers)
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_files_of_a_model_are_the_weights_and_the_factory(models):
    file = models.state()
    backend = Torch(**models.factory("listed_dense", DENSE))
    assert list(backend.files(file)) == [file, models.folder / "listed_dense.py"]
    assert list(Torch().files(models.dense())) == [models.folder / "dense_None.pt2"]
