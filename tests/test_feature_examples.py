"""The examples of feature-level tests: judges that are trained and exported, and profiles that find them."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from sklearn.datasets import load_digits

from dltf.host import Host
from dltf.profile.feature import read_feature

torch = pytest.importorskip("torch", reason="needs torch: pip install torch")
pytest.importorskip("onnx", reason="needs onnx: pip install onnx")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install onnxruntime")

EXAMPLES = Path(__file__).parents[1] / "examples" / "feature"
KINDS = ("mnist", "fashion")
CASES = [
    *(("mnist", name) for name in ("mlp90", "check-strided", "check-pooled", "measure-averaged", "measure-patches")),
    *(("fashion", name) for name in ("linear", "check-strided", "check-pooled", "measure-averaged", "measure-patches")),
]


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """The module of the training script, in reach of 200 and 100 small digits in the form of both data sets."""
    digits = load_digits()
    pictures = np.kron(digits.images, np.ones((3, 3))) * 15.9375
    pictures = np.pad(np.rint(pictures).astype(np.uint8), ((0, 0), (2, 2), (2, 2)))
    arrays = {"x_train": pictures[:200], "y_train": digits.target[:200]}
    arrays |= {"x_test": pictures[200:300], "y_test": digits.target[200:300]}
    folder = tmp_path_factory.mktemp("data")
    for name in ("mnist", "fashion_mnist"):
        np.savez(folder / f"{name}.npz", **arrays)
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLTF_DATA", str(folder))
        patch.syspath_prepend(EXAMPLES)
        torch.set_num_threads(1)
        module = importlib.import_module("train_judges")
        once = {kind: {name: evolve(one, epochs=1) for name, one in of.items()} for kind, of in module.RECIPES.items()}
        patch.setattr(module, "RECIPES", once)
        yield module
    del sys.modules["train_judges"]
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def made(script, tmp_path_factory):
    """What the script makes of the small digits: a folder for each kind, and the accuracies that it tells."""
    folder = tmp_path_factory.mktemp("judges")
    return folder, {kind: script.make(folder / kind, kind, list(script.RECIPES[kind])) for kind in KINDS}


@pytest.mark.parametrize("name", ["mlp90", "check-strided", "check-pooled", "measure-averaged", "measure-patches"])
def test_a_network_learns(script, name):
    found = script.Pictures.of("mnist", "train")
    torch.manual_seed(0)
    recipe = evolve(script.RECIPES["mnist"][name], epochs=8, rate=5e-3, shift=0)
    network, told = script.Raw(recipe.build()), []
    script.train(network, recipe, script.Pictures(found.x[:128], found.labels[:128]), told.append)
    losses = [float(line.partition("loss ")[2].partition(",")[0]) for line in told]
    assert len(losses) == 8
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize(("kind", "name"), CASES, ids=["-".join(case) for case in CASES])
def test_a_file_gives_as_many_logits_as_told_for_any_batch_of_raw_pictures(script, made, kind, name):
    folder, told = made
    held_out = script.Pictures.of(kind, "test")
    session = onnxruntime.InferenceSession(folder / kind / f"{name}.onnx", providers=["CPUExecutionProvider"])
    assert [(given.name, given.shape, given.type) for given in session.get_inputs()] == [
        ("picture", ["n", 1, 28, 28], "tensor(float)")
    ]
    pictures = held_out.x.numpy()
    assert pictures.max() > 200
    [whole] = session.run(["logits"], {"picture": pictures})
    assert whole.shape == (100, 10)
    assert np.mean(whole.argmax(1) == held_out.labels.numpy()) == pytest.approx(told[kind][name], abs=0.011)
    [few] = session.run(["logits"], {"picture": pictures[:3]})
    np.testing.assert_allclose(few, whole[:3], rtol=1e-4, atol=1e-4)


def test_two_trainings_give_the_same_file(script, made, tmp_path):
    folder, _ = made
    script.make(tmp_path, "mnist", ["check-pooled", "mlp90"])
    for name in ("check-pooled", "mlp90"):
        assert (tmp_path / f"{name}.onnx").read_bytes() == (folder / "mnist" / f"{name}.onnx").read_bytes()


def test_judges_differ_in_form_and_seed(script):
    for recipes in script.RECIPES.values():
        judges = [recipe for name, recipe in recipes.items() if name.startswith(("check-", "measure-"))]
        assert len({recipe.build for recipe in judges}) == len({recipe.seed for recipe in judges}) == len(judges) == 4


def test_a_network_that_is_not_there_is_named_with_those_that_are(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["train_judges.py", "here", "--only", "lenet"])
    with pytest.raises(SystemExit):
        script.main()
    assert "--only lenet: for mnist there are mlp90, check-strided" in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_the_profile_finds_what_the_script_makes(made, tmp_path, kind):
    for name in KINDS:
        shutil.copy(EXAMPLES / f"{name}.toml", tmp_path)
    (tmp_path / "judges").symlink_to(made[0])
    profile = read_feature(tmp_path / f"{kind}.toml", Host())
    files = [one.table.file for role in profile.judges.values() for one in role.values()]
    files.append(profile.models["candidate"].table.file)
    assert sorted(files) == sorted((tmp_path / "judges" / kind).glob("*.onnx"))
