"""`dltf compare`, `doctor` and `--dry-run`: two model files, and no profile."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest
from calling import call, refused, snapshot, summary_of
from demo import demo_models
from odd_models import with_nine_classes, with_two_inputs
from pairs import data
from PIL import Image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The demo's two models, and nothing else."""
    for model in demo_models().glob("*.onnx"):
        shutil.copy(model, tmp_path)
    return tmp_path


BOTH = ("compare", "digits.onnx", "digits-int8.onnx", "--seeds", "image.digits")


# --- compare -----------------------------------------------------------------------------------------------------


def test_two_files_and_seeds_are_enough(folder: Path) -> None:
    called = call(*BOTH, "--count", 60, "--queries", 300, "--out", "run", cwd=folder)
    assert called.status == 0, called.err
    summary = summary_of(folder / "run")
    assert summary["name"] == "digits-vs-digits-int8"
    assert summary["screened"]["seeds"] == 60
    assert summary["outcomes"]["found"] > 0
    assert summary["accuracy"]["reference"] > 0.8
    assert (folder / "run" / "report.html").exists()


def test_what_is_filled_in_is_told_and_guesses_are_called_so(folder: Path) -> None:
    told = call(*BOTH, "--queries", 0, "--out", "run", cwd=folder).err
    assert 'reference: input.layout = "NHWC", read from the shape of picture float32[?×8×8×1]' in told
    assert "reference: input.range = [0.0, 1.0], guessed: a float input does not say what black and white are" in told
    assert "guesses are settings of a profile like any other: change one with --input KEY=VALUE" in told


def test_the_range_is_the_one_with_which_the_model_is_right(folder: Path) -> None:
    """The model takes 0 … 1; another that divides first takes 0 … 255, and is given it."""
    divided = divide_by_255(folder / "digits.onnx", folder / "raw.onnx")
    called = call("compare", "digits.onnx", divided.name, "--seeds", "image.digits", "--queries", 0, cwd=folder)
    assert "reference: input.range = [0.0, 1.0], guessed" in called.err
    assert "candidate: input.range = [0.0, 255.0], guessed" in called.err
    assert "No difference was found on 360 seeds" in called.out


def test_without_labels_the_candidate_is_prepared_so_that_it_agrees(folder: Path) -> None:
    pictures = folder / "pictures"
    pictures.mkdir()
    for row, values in enumerate(digits(40)):
        Image.fromarray(values).save(pictures / f"{row:02d}.png")
    divide_by_255(folder / "digits.onnx", folder / "raw.onnx")
    called = call("compare", "digits.onnx", "raw.onnx", "--seeds", "pictures", "--queries", 0, cwd=folder)
    assert called.status == 0, called.err
    assert "reference: input.range = [0.0, 1.0], guessed: a float input does not say what black and white are; " in (
        called.err
    )
    assert "there are no labels to tell by: check it" in called.err
    assert "with it 100% of 40 seeds are answered as the reference does" in called.err
    assert "No difference was found on 40 seeds" in called.out


def test_what_is_said_is_not_guessed(folder: Path) -> None:
    given = ("--input", "range=[0,1]", "--candidate-input", "output.label_offset=0")
    called = call(*BOTH, *given, "--queries", 0, cwd=folder)
    assert called.status == 0, called.err
    assert "guess" not in called.err


def test_the_profile_that_is_saved_runs_the_same(folder: Path) -> None:
    few = ("--count", 30, "--queries", 100)
    called = call(*BOTH, *few, "--save-profile", "saved.toml", "--out", "one", cwd=folder)
    assert "dltf run saved.toml" in called.err
    assert call("run", "saved.toml", "--out", "two", cwd=folder).status == 0
    assert summary_of(folder / "one")["findings_sha256"] == summary_of(folder / "two")["findings_sha256"]
    # The folder of a run is a profile, too.
    assert call("run", "one", "--out", "three", cwd=folder).status == 0
    assert summary_of(folder / "three")["findings_sha256"] == summary_of(folder / "two")["findings_sha256"]


def test_a_python_function_is_compared_with_a_file(folder: Path) -> None:
    (folder / "mine.py").write_text(
        "import numpy as np\nimport onnxruntime\n\nsession = onnxruntime.InferenceSession('digits.onnx')\n\n"
        "def predict(samples):\n    return session.run(None, {'picture': samples.astype(np.float32) / 255})[0]\n"
    )
    called = call("compare", "digits.onnx", "mine:predict", "--seeds", "image.digits", "--queries", 0, cwd=folder)
    assert called.status == 0, called.err
    assert "No difference was found" in called.out


def test_without_labels_the_reference_is_prepared_as_the_candidate_tells(folder: Path) -> None:
    """What a quantised candidate takes is told by its file, and so is the reference's range by their agreement."""
    raw = divide_by_255(folder / "digits.onnx", folder / "raw.onnx")
    (folder / "pictures").mkdir()
    for row, values in enumerate(digits(40)):
        Image.fromarray(values).save(folder / "pictures" / f"{row:02d}.png")
    told = ("--candidate-input", "range=[0,1]", "--candidate-input", "output.label_offset=0")
    called = call("compare", raw.name, "digits.onnx", "--seeds", "pictures", *told, "--queries", 0, cwd=folder)
    assert "reference: input.range = [0.0, 255.0], guessed" in called.err
    assert "with it 100% of the candidate's answers agree" in called.err
    assert "No difference was found on 40 seeds" in called.out


def test_a_model_of_two_classes_has_no_room_for_a_background_class(folder: Path) -> None:
    (folder / "binary.py").write_text("def predict(samples):\n    return samples[:, 3, 3:5, 0] * 1.0\n")
    same = ("compare", "binary:predict", "binary:predict", "--seeds", "image.digits", "--count", 20, "--queries", 0)
    called = call(*same, cwd=folder)
    assert called.status == 0, called.err
    assert "label_offset" not in called.err


def test_a_function_that_fails_on_some_seeds_is_compared_on_the_others(folder: Path) -> None:
    (folder / "picky.py").write_text(
        "import numpy as np\n\n\ndef predict(samples):\n    rows = samples.reshape(len(samples), -1).astype(float)\n"
        "    if (rows.sum(1) % 5 == 0).any():\n        raise ValueError('five')\n    return rows[:, 20:30]\n"
    )
    called = call("compare", "picky:predict", "picky:predict", "--seeds", "image.digits", "--count", 100,
                  "--queries", 0, "--out", "run", cwd=folder)  # fmt: skip
    assert called.status == 0, called.err
    summary = summary_of(folder / "run")
    assert 0 < summary["crashes"] < 100
    assert summary["screened"]["agree"] == 100 - summary["crashes"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("digits.onnx", "nowhere.onnx", "--seeds", "image.digits"), "there is no such file"),
        (("digits.onnx", "digits.h5", "--seeds", "image.digits"), "models.candidate.backend: is missing"),
        (("digits.onnx", "digits-int8.onnx", "--seeds", "nowhere"), "there is no such file, folder or seed source"),
        (("digits.onnx", "digits-int8.onnx", "--seeds", "image.digit"), 'did you mean "image.digits"?'),
        (("digits.onnx", "digits-int8.onnx", "--seeds", "digits.onnx"), "no seed source reads .onnx files"),
        (("digits.onnx", "digits-int8.onnx", "--seeds", "image.digits", "--input", "rnage=[0,1]"), '"range"'),
        (("digits.onnx", "digits-int8.onnx", "--seeds", "image.digits", "--operators", "natrual"), "operators.0"),
        (("digits.onnx", "two.onnx", "--seeds", "image.digits"), "say in [models.*.feed] what the others get"),
        (("digits.onnx", "nine.onnx", "--seeds", "image.digits"), "gives 10 classes and the candidate"),
        (("digits.onnx", "digits-int8.onnx", "--seeds", "image.npz"), "this source needs path, too"),
        (("digits.onnx", "digits-int8.onnx", "--seeds", ".", "--domain", "imgae"), 'did you mean "image"?'),
        (
            ("digits.onnx", "digits.onnx", "--seeds", "image.digits", "--candidate-input", "output.use=regression"),
            "the reference (digits.onnx) answers with a number and the candidate (digits.onnx) with a tuple",
        ),
        (("digits.onnx", "both:two", "--seeds", "image.digits"), "--candidate-input output.output=a"),
    ],
)
def test_a_comparison_that_cannot_be_made_says_why(folder: Path, arguments: tuple[str, ...], told: str) -> None:
    with_two_inputs(folder / "digits.onnx", folder / "two.onnx")
    with_nine_classes(folder / "digits.onnx", folder / "nine.onnx")
    (folder / "digits.h5").touch()
    (folder / "both.py").write_text(
        "def two(samples):\n    rows = samples[:, 0, :, 0]\n    return {'a': rows, 'b': rows}\n"
    )
    sys.modules.pop("both", None)
    before = snapshot(folder)
    called = call("compare", *arguments, cwd=folder)
    assert called.status == 2
    assert told in called.err
    assert snapshot(folder) == before


# --- dry runs ----------------------------------------------------------------------------------------------------


def test_a_dry_run_tells_the_plan_and_writes_nothing(folder: Path) -> None:
    before = snapshot(folder)
    called = call(*BOTH, "--count", 50, "--queries", 20, "--dry-run", cwd=folder)
    assert called.status == 0, called.err
    assert snapshot(folder) == before
    for told in (
        "seeds      50 of 360 from image.digits, shuffled",
        "reference  digits.onnx on onnxruntime (cpu)",
        "takes picture float32[?×8×8×1]; gives scores float32[?×10]",
        "search     bracket, up to 20 queries a seed",
        "queries a second; of ",
        "Nothing was run or written (--dry-run).",
    ):
        assert told in called.out, (told, called.out)


def test_a_dry_run_of_what_cannot_run_is_the_error_of_the_run(folder: Path) -> None:
    refused(*BOTH, "--set", "models.candidate.target=cuda", "--dry-run", cwd=folder, status=3)


# --- doctor ------------------------------------------------------------------------------------------------------


def test_the_doctor_tells_what_is_installed_and_which_targets_are_usable(folder: Path) -> None:
    called = call("doctor", cwd=folder)
    assert called.status == 0
    assert "dltf-onnxruntime" in called.out
    assert "  cpu: usable: the default kernels, on the processor" in called.out
    assert "  cuda: not usable: CUDAExecutionProvider is not in this build of ONNX Runtime" in called.out


def test_the_doctor_tells_what_two_files_expect_and_whether_they_compare(folder: Path) -> None:
    called = call("doctor", "digits.onnx", "digits-int8.onnx", cwd=folder)
    assert called.status == 0
    assert "takes    picture float32[?×8×8×1]" in called.out
    assert "gives    scores float32[?×10]" in called.out
    assert 'image    input.layout = "NHWC", read from the shape' in called.out
    assert "  - both give 10 numbers for each input: their answers can be compared" in called.out


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("keras.h5", "no plugin reads Keras files"),
        ("model.bin", "no installed plugin reads .bin files"),
        ("empty.onnx", "is empty (0 bytes)"),
        ("nowhere.onnx", "there is no such file: nowhere.onnx"),
        (".", ". is a folder"),
        ("nowhere_at_all:predict", "nowhere_at_all:predict cannot be imported: ModuleNotFoundError"),
    ],
)
def test_the_doctor_names_what_is_wrong_with_a_file(folder: Path, model: str, told: str) -> None:
    for name in ("keras.h5", "model.bin", "empty.onnx"):
        (folder / name).touch()
    called = call("doctor", "digits.onnx", model, cwd=folder)
    assert called.status == 1
    assert told in called.out


def test_the_doctor_says_what_to_set_where_two_files_differ(folder: Path) -> None:
    with_nine_classes(folder / "digits.onnx", folder / "nine.onnx")
    with_two_inputs(folder / "digits.onnx", folder / "two.onnx")
    assert "set models.reference.output.label_offset = 1" in call("doctor", "digits.onnx", "nine.onnx", cwd=folder).out
    told = call("doctor", "digits.onnx", "two.onnx", cwd=folder).out
    assert "the candidate has 2 inputs: say in models.candidate.feed what the further ones get" in told


def test_the_doctor_speaks_json(folder: Path) -> None:
    facts = json.loads(call("doctor", "digits.onnx", "--json", cwd=folder).out)
    assert facts["models"][0]["runs"] == "yes"
    assert facts["backends"]["onnxruntime"]["suffixes"] == [".onnx", ".ort"]


# --- record, and export for other tools --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with findings; only to be read."""
    folder = tmp_path_factory.mktemp("found")
    for model in demo_models().glob("*.onnx"):
        shutil.copy(model, folder)
    called = call(*BOTH, "--count", 40, "--queries", 300, "--out", "run", "--save-profile", "p.toml", cwd=folder)
    assert called.status == 0, called.err
    return folder


def test_recorded_outputs_are_compared_like_the_model(found: Path) -> None:
    assert call("record", "p.toml", "candidate", "phone.npz", "--quiet", cwd=found).status == 0
    screen = ("--set", "search.max_queries=0")
    assert call("run", "p.toml", *screen, "--out", "live", cwd=found).status == 0
    told = ("--set", "models.candidate.file=phone.npz", "--set", "models.candidate.backend=recorded")
    called = call("run", "p.toml", *screen, *told, "--out", "told", cwd=found)
    assert called.status == 2  # ONNX Runtime's settings are none of recorded outputs
    assert "models.candidate.threads: there is no such key" in called.err
    called = call("compare", "digits.onnx", "phone.npz", "--seeds", "image.digits", "--count", 40, "--queries", 0,
                  "--out", "told", cwd=found)  # fmt: skip
    assert called.status == 0, called.err
    assert summary_of(found / "told")["screened"] == summary_of(found / "live")["screened"]


def test_findings_for_training_are_a_folder_of_seeds(found: Path) -> None:
    called = call("export", "run", "train", "--for", "training", cwd=found)
    assert called.status == 0, called.err
    count = summary_of(found / "run")["findings"]
    with np.load(found / "train" / "training.npz") as archive:
        assert archive["x"].shape == (count, 8, 8, 1)
        assert archive["probabilities"].shape == (count, 10)
        assert (archive["y"] == archive["probabilities"].argmax(axis=1)).all()
        labels = archive["y"]
    # As seeds again, by their manifest, the reference is right on each, and the candidate on none.
    again = call("compare", "digits.onnx", "digits-int8.onnx", "--seeds", "train", "--queries", 0, "--out", "again",
                 "--input", "range=[0,1]", cwd=found)  # fmt: skip
    assert again.status == 0, again.err
    summary = summary_of(found / "again")
    assert summary["screened"]["natural"] == len(labels) == count
    assert summary["accuracy"] == {"reference": 1.0, "candidate": 0.0}
    assert "grade" in summary["slices"]


def test_findings_for_calibration_are_what_the_reference_takes(found: Path) -> None:
    assert call("export", "run", "calibrate", "--for", "calibration", cwd=found).status == 0
    count = summary_of(found / "run")["findings"]
    with np.load(found / "calibrate" / "calibration.npz") as archive:
        assert archive.files == ["picture"]
        assert archive["picture"].shape == (count, 8, 8, 1)
        assert archive["picture"].dtype == np.float32
        assert 0 <= archive["picture"].min() <= archive["picture"].max() <= 1
    assert (found / "calibrate" / "manifest.csv").read_text().count("\n") == count + 1


def test_calibration_from_a_run_whose_models_have_moved_is_told_where_they_are(found: Path, tmp_path: Path) -> None:
    shutil.copytree(found / "run", tmp_path / "run")
    for name in ("digits.onnx", "digits-int8.onnx"):
        shutil.copy(found / name, tmp_path / name)
    with sqlite3.connect(tmp_path / "run" / "run.sqlite") as run:
        run.execute("UPDATE meta SET value = replace(value, ?, '/gone') WHERE key = 'profile'", (str(found),))
    run.close()
    export = ("export", "run", "calibrate", "--for", "calibration")
    told = refused(*export, cwd=tmp_path)
    assert "there is no such file: /gone/digits.onnx" in told
    assert "--set models.reference.file=…" in told
    moved = ("--set", "models.reference.file=digits.onnx", "--set", "models.candidate.file=digits-int8.onnx")
    assert call(*export, *moved, cwd=tmp_path).status == 0
    assert (tmp_path / "calibrate" / "calibration.npz").exists()


def test_a_profile_with_a_path_that_is_no_text_is_not_saved(folder: Path) -> None:
    pictures = folder / os.fsdecode(b"pictures\xff")
    pictures.mkdir()
    Image.fromarray(digits(1)[0]).save(pictures / "0.png")
    same = ("compare", "digits.onnx", "digits.onnx", "--seeds", pictures.name, "--save-profile", "p.toml", "--dry-run")
    called = call(*same, cwd=folder)
    assert called.status == 2
    assert "in one of its paths is no UTF-8" in called.err
    assert not [path for path in folder.iterdir() if "p.toml" in path.name]


def test_a_recording_is_not_written_over_a_model(found: Path) -> None:
    told = refused("record", "p.toml", "candidate", "digits-int8.onnx", "--quiet", cwd=found)
    assert "digits-int8.onnx is no name for recorded outputs" in told
    assert "name it digits-int8.npz" in told


@pytest.mark.parametrize(
    "files", [("--out", "run/run.sqlite"), ("--junit", "run/summary.json"), ("--out", "a", "--junit", "a")]
)
def test_a_report_is_not_written_over_its_run(found: Path, files: tuple[str, ...]) -> None:
    assert "would be written over" in refused("report", "run", *files, cwd=found)


def test_equal_seeds_are_recorded_once(folder: Path) -> None:
    (folder / "pictures").mkdir()
    for row, values in enumerate([*digits(3), *digits(2)]):
        Image.fromarray(values).save(folder / "pictures" / f"{row:02d}.png")
    same = ("compare", "digits.onnx", "digits.onnx", "--seeds", "pictures", "--save-profile", "p.toml", "--dry-run")
    assert call(*same, cwd=folder).status == 0
    called = call("record", "p.toml", "reference", "r.npz", "--quiet", cwd=folder)
    assert "the outputs of the reference on 3 seeds are in r.npz" in called.out
    with np.load(folder / "r.npz") as archive:
        assert len(archive["sha256"]) == len(archive["scores"]) == 3


def test_nothing_is_handed_over_where_nothing_was_found(folder: Path) -> None:
    same = ("compare", "digits.onnx", "digits.onnx", "--seeds", "image.digits", "--queries", 0, "--out", "run")
    assert call(*same, cwd=folder).status == 0
    assert "has no deviations to hand over" in refused("export", "run", "out", "--for", "training", cwd=folder)


# --- the pairs that are published --------------------------------------------------------------------------------

_DFLARE = ("--input", "range=[0,255]", "--input", "mean=[125.307,122.95,113.865]", "--input",
           "std=[62.9932,62.0887,66.7048]")  # fmt: skip
PAIRS = {
    "dflare/lenet5.onnx dflare/lenet5-quan.lite": ("image.mnist", ()),
    "dflare/resnet.onnx dflare/resnet-quan.lite": ("image.cifar10_jpeg", _DFLARE),
    "mlperf_tiny/pretrainedResnet.tflite mlperf_tiny/pretrainedResnet_quant.tflite": ("image.cifar10_jpeg", ()),
    "tinymaix/cifar10_f.tflite tinymaix/cifar10_q.tflite": ("image.cifar10_jpeg", ()),
    "tinymaix/mnist_dw_f.tflite tinymaix/mnist_dw_q.tflite": ("image.mnist", ()),
    "derived/mbnet128_0.25_f32.tflite derived/mbnet128_0.25_int8_ptq.tflite": ("photographs", ()),
    "derived/mbnet128_0.25_f32.tflite derived/mbnet128_0.25_dynrange_int8.tflite": ("photographs", ()),
    "coral/mobilenet_v2_1.0_224_quant.tflite coral/tf2_mobilenet_v2_1.0_224_ptq.tflite": ("photographs", ()),
    "zoo/mnist-lenet4.onnx zoo/mnist-lenet4-pruned.onnx": ("image.mnist", ()),
    "zoo/mnist-cnn.onnx zoo/mnist-cnn-pruned.onnx": ("image.mnist", ()),
    "zoo/cifar10-resnet20.onnx zoo/cifar10-resnet20-pruned.onnx": ("image.cifar10_jpeg", ()),
    "zoo/cifar10-plainnet20.onnx zoo/cifar10-plainnet20-distilled.onnx": ("image.cifar10_jpeg", ()),
    "zoo/cifar10-vgg16.onnx zoo/cifar10-vgg16-pruned.onnx": ("image.cifar10_jpeg", ()),
    "dflare/resnet.onnx zoo/dflare-resnet-distilled.onnx": ("image.cifar10_jpeg", _DFLARE),
    "dflare/resnet.onnx zoo/dflare-resnet-pruned30.onnx": ("image.cifar10_jpeg", _DFLARE),
}
LEAST = {"image.mnist": 0.85, "image.cifar10_jpeg": 0.55, "photographs": 0.4}
"""The accuracy below which a preparation was guessed wrong."""


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.partition(" ")[2])
def test_a_published_pair_needs_no_more_than_what_no_file_tells(pair: str, tmp_path: Path) -> None:
    folder = data()
    seeds, given = PAIRS[pair]
    named = str(folder / "imagenet_samples_224_jpeg.npz") if seeds == "photographs" else seeds
    models = [str(folder / "models" / model) for model in pair.split()]
    called = call("compare", *models, "--seeds", named, *given, "--count", 100, "--queries", 0, "--out", "run",
                  cwd=tmp_path)  # fmt: skip
    assert called.status == 0, called.err
    accuracy = summary_of(tmp_path / "run")["accuracy"]
    assert min(accuracy.values()) > LEAST[seeds]


# --- what the tests need -----------------------------------------------------------------------------------------


def digits(count: int) -> np.ndarray:
    from sklearn.datasets import load_digits

    return np.rint(load_digits().images[:count] * 255 / 16).astype(np.uint8)


def divide_by_255(source: Path, target: Path) -> Path:
    """Write a model that takes grey levels 0 … 255 as they are."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(source)
    for node in model.graph.node:
        node.input[:] = ["scaled" if name == "picture" else name for name in node.input]
    model.graph.node.insert(0, helper.make_node("Div", ["picture", "levels"], ["scaled"]))
    model.graph.initializer.append(numpy_helper.from_array(np.float32(255), "levels"))
    onnx.save(model, target)
    return target
