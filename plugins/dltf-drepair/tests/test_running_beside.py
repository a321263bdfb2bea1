"""A TFLite candidate and its head, run by a script with numpy and LiteRT alone."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dltf.plugin import ModelFileError
from dltf_drepair.beside import written_beside
from dltf_drepair.boosted import Boosted
from dltf_drepair.compose import Joint
from dltf_drepair.int8 import eight_bits
from dltf_drepair.intervention import intervened
from dltf_drepair.linear import Linear
from dltf_drepair.nearest import Nearest
from dltf_drepair.perceptron import Perceptron
from dltf_drepair.residual import Residual
from dltf_drepair.run_repaired import Head

EVERY_FEATURE = ("probabilities", "logs", "margins", "ranks", "top", "winners")
HEADS = {
    "perceptron": Perceptron(),
    "linear": Linear(features=EVERY_FEATURE),
    "linear_by_rank": Linear(target="rank"),
    "residual": Residual(),
    "residual_by_rank": Residual(target="rank"),
    "boosted": Boosted(rounds=10),
    "boosted_by_rank": Boosted(target="rank", features=EVERY_FEATURE, rounds=10),
    "nearest": Nearest(),
}
CLASSES = 6


def written(head, folder, candidate=None):
    head.save(folder / "head.onnx")
    model = candidate or folder / "model.tflite"
    if candidate is None:
        model.write_bytes(b"a model")
    written_beside(model, folder / "head.onnx", 0.15, Joint(), folder / "repaired")
    return folder / "repaired"


@pytest.mark.parametrize("name", HEADS)
def test_numpy_scores_as_onnx_runtime_does(name, rows, tmp_path):
    head = rows.fit(HEADS[name])
    made, expected = Head(written(head, tmp_path) / "head.npz")(rows.states), head.scores(rows.states)
    np.testing.assert_allclose(made, expected, atol=1e-5)
    assert (made.argmax(axis=1) == expected.argmax(axis=1)).all()


@pytest.mark.parametrize("name", ["perceptron", "residual"])
def test_numpy_reads_logits_and_eight_bits(name, rows, tmp_path):
    logits = np.log(rows.states)
    head = eight_bits(HEADS[name].fit(logits, rows.answers, rows.groups, CLASSES, np.random.default_rng(0)))
    np.testing.assert_allclose(Head(written(head, tmp_path) / "head.npz")(logits), head.scores(logits), atol=1e-5)


def test_what_is_no_head_is_not_written(tmp_path):
    (tmp_path / "head.onnx").write_bytes(b"no head")
    with pytest.raises(ModelFileError, match=r"head\.onnx"):
        written_beside(tmp_path / "model.tflite", tmp_path / "head.onnx", 0.1, Joint(), tmp_path / "repaired")
    assert not (tmp_path / "repaired").exists()


def test_the_script_repairs_a_real_model(data, tmp_path):
    pytest.importorskip("ai_edge_litert", reason="needs LiteRT: pip install ai-edge-litert")
    candidate = data / "models" / "dflare" / "lenet5-quan.lite"
    inputs = np.random.default_rng(0).random((60, 28, 28, 1), dtype=np.float32)
    own = run_plainly(candidate, inputs)
    order = np.argsort(-own, axis=1)
    answers = order[np.arange(60), np.arange(60) % 2]
    head = Residual().fit(own, answers, np.arange(60) // 2, 10, np.random.default_rng(0))
    folder = written(head, tmp_path, candidate=candidate)
    assert sorted(file.name for file in folder.iterdir()) == ["head.npz", "lenet5-quan.lite", "run_repaired.py"]
    np.save(tmp_path / "inputs.npy", inputs)
    command = [sys.executable, folder / "run_repaired.py", tmp_path / "inputs.npy", tmp_path / "labels.npy"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = intervened(own, head.scores(own), 0.15)
    assert np.load(tmp_path / "labels.npy").tolist() == expected.argmax(axis=1).tolist()
    assert (expected.argmax(axis=1) != own.argmax(axis=1)).any()


def test_the_script_needs_nothing_of_ours():
    spec = importlib.util.find_spec("dltf_drepair.run_repaired")
    lines = Path(spec.origin).read_text(encoding="utf-8").splitlines()
    imports = [line.split()[1] for line in map(str.strip, lines) if line.startswith(("import ", "from "))]
    named = {name.partition(".")[0] for name in imports}
    assert named <= {
        "__future__",
        "json",
        "sys",
        "pathlib",
        "typing",
        "numpy",
        "ai_edge_litert",
        "tflite_runtime",
        "run_repaired",
    }


def run_plainly(file, inputs):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    rows = []
    for one in inputs:
        interpreter.set_tensor(given["index"], one[None].astype(given["dtype"]))
        interpreter.invoke()
        rows.append(interpreter.get_tensor(made["index"])[0].copy())
    return np.array(rows, dtype=np.float32)
