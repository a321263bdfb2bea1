"""What `dltf ship` writes runs without dltf, and answers as the repaired variant in memory does."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from importlib.metadata import entry_points
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
import toy_heads
from calling import call, refused
from demo import copy_demo, demo_models
from pairs import data
from profiles import write_profile
from toy_heads import write_repair

from dltf.campaign.opening import make_pair, open_seeds, settle
from dltf.cli.ship import _lines
from dltf.errors import ConversionError, MisfitError
from dltf.host import GROUP, Host
from dltf.profile import Profile, read_profile
from dltf.ship.run import Asked, ship

if TYPE_CHECKING:
    from dltf.values import IntArray, Sample

SCRIPT = Path(__file__).parent / "support" / "labels_without_dltf.py"
DIGITS = """
[campaign]
name = "digits"
domain = "image"
[seeds]
use = "image.digits"
split = "test"
count = 120
[models.reference]
file = "digits.onnx"
[models.candidate]
file = "digits-int8.onnx"
[search]
max_queries = 0
"""


def mixed(samples: list[Sample]) -> list[Sample]:
    """Return pictures half way between neighbours in the list: near boundaries, where a head has something to say."""
    return [((one.astype(np.uint16) + other) // 2).astype(np.uint8) for one, other in pairwise(samples)]


def fitted(
    profile: Profile, folder: Path, head: str, threshold: float = 0.0
) -> tuple[Path, list[Sample], list[Sample]]:
    """Fit a head to pictures between seeds, and write repair.json; return it, the seeds and the pictures."""
    seeds, cases = open_seeds(profile)
    samples = [seeds[case].sample for case in cases]
    between = mixed(samples)
    component = Host().find("dltf_repair_heads", head).load()()
    with make_pair(profile) as pair:
        settle(profile, pair, seeds, cases)
        answers, seen = pair.reference.observe(between), pair.candidate.observe(between)
    assert seen.states is not None
    width = seen.states.shape[1]
    wanted: IntArray = np.asarray(answers.decisions, dtype=np.int64)
    learnt = component.fit(seen.states, wanted, np.arange(len(between)), width, np.random.default_rng(0))
    folder.mkdir()
    learnt.save(folder / "head.onnx")
    file = profile.candidate.table.file
    assert file is not None
    named = {"name": str(file), "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    record = {"use": head, "head": "head.onnx", "threshold": threshold, "states": width, "classes": width}
    (folder / "repair.json").write_text(json.dumps({**record, "candidate": named}))
    return folder / "repair.json", samples, between


def in_memory(profile: Profile, samples: list[Sample]) -> tuple[IntArray, IntArray]:
    """Return the labels of the candidate repaired, and as it is."""
    with make_pair(profile) as pair:
        settle(profile, pair, *open_seeds(profile))
        assert pair.candidate.own is not None
        own = [pair.candidate.own.decode(outputs).decisions for _, outputs in pair.candidate.raw(samples)]
        return np.asarray(pair.candidate.observe(samples).decisions), np.concatenate(own)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A profile of the demo's models, and a repair of the 8-bit one."""
    folder = tmp_path_factory.mktemp("digits")
    copy_demo(folder)
    profile = write_profile(folder, DIGITS)
    repair, _, _ = fitted(read_profile(profile, Host()), folder / "repair", "linear")
    return profile, repair


def test_an_onnx_candidate_and_its_head_become_one_file_that_agrees(digits: tuple[Path, Path]) -> None:
    profile, repair = digits
    folder = profile.parent
    called = call("ship", repair, profile, "--out", "shipped", "--repetitions", 3, "--quiet", cwd=folder)
    assert called.status == 0, called
    told = json.loads((folder / "shipped" / "ship.json").read_text())
    assert told["agreement"]["seeds"]["same"] == told["agreement"]["seeds"]["of"] == 360
    assert told["agreement"]["seeds"]["largest_difference"] < 1e-5
    assert told["file"] == "digits-int8-repaired.onnx"
    assert told["cost"]["head_bytes"] == (repair.parent / "head.onnx").stat().st_size
    assert told["cost"]["bytes"] == (folder / "shipped" / told["file"]).stat().st_size
    assert told["latency"]["1"]["candidate_s"] > 0
    assert "seeds: 360 of 360 labels are those of the variant in memory" in called.out
    graph = onnx.load(folder / "shipped" / told["file"]).graph
    assert [tensor.name for tensor in graph.input] == [
        tensor.name for tensor in onnx.load(folder / "digits-int8.onnx").graph.input
    ]


def test_the_findings_of_a_run_are_held_against_the_file_too(tmp_path: Path, digits: tuple[Path, Path]) -> None:
    changes = [part for key in ("use=bracket", "max_queries=20") for part in ("--set", f"search.{key}")]
    run = call("run", digits[0], "--out", "run", *changes, "--quiet", cwd=tmp_path)
    assert run.status == 0, run
    called = call("ship", digits[1], "run", "--out", "shipped", "--count", 50, "--repetitions", 0, cwd=tmp_path)
    assert called.status == 0, called
    told = json.loads((tmp_path / "shipped" / "ship.json").read_text())
    findings = told["agreement"]["findings"]
    assert findings["of"] > 0
    assert findings["same"] == findings["of"]
    assert findings["repaired"] > 0
    assert "latency" not in told


def test_a_label_that_differs_is_told_with_its_seed(digits: tuple[Path, Path]) -> None:
    profile = read_profile(digits[0], Host(), [f"models.candidate.repair={digits[1]}"])
    one = {"of": 3, "same": 2, "repaired": 1, "different": [{"name": "digit 7", "exported": 1, "in_memory": 2}]}
    result = {
        "runner": "",
        "file": "x.onnx",
        "notes": [],
        "agreement": {"seeds": one},
        "cost": {"candidate_bytes": 10, "head_bytes": 2, "bytes": 12},
    }
    assert list(_lines(profile, result, Path("out")))[1:3] == [
        "seeds: 2 of 3 labels are those of the variant in memory; the head takes the word on 1",
        "  digit 7: 1 for 2",
    ]


# --- real candidates, run by their runtimes alone ----------------------------------------------------------------


MNIST = """
[campaign]
name = "mnist"
domain = "image"
[seeds]
use = "image.mnist"
split = "test"
count = 1000
[models.reference]
file = "{reference}"
input = {reference_input}
[models.candidate]
file = "{candidate}"
input = {candidate_input}
[search]
max_queries = 0
"""


def real(folder: Path, reference: str, candidate: str, reference_input: str, candidate_input: str) -> Path:
    models = data() / "models"
    text = MNIST.format(
        reference=models / reference,
        candidate=models / candidate,
        reference_input=reference_input,
        candidate_input=candidate_input,
    )
    return write_profile(folder, text)


@pytest.mark.parametrize("head", ["drepair", "boosted"])
@pytest.mark.parametrize("weights", ["float", "int8"])
def test_a_repaired_onnx_file_gives_the_same_1000_labels_in_plain_onnx_runtime(
    tmp_path: Path, head: str, weights: str
) -> None:
    if (head, weights) == ("boosted", "int8"):
        pytest.skip("trees have no matrices to keep in 8 bits")
    raw = "{ range = [0.0, 255.0] }"
    file = real(tmp_path, "zoo/mnist-lenet4.onnx", "zoo/mnist-lenet4-pruned.onnx", raw, raw)
    repair, samples, between = fitted(read_profile(file, Host()), tmp_path / "repair", head)
    host = Host()
    profile = read_profile(file, host, [f"models.candidate.repair={repair}"])
    asked = Asked("int8" if weights == "int8" else "float", seeds=10, repetitions=0)
    told = ship(profile, host, tmp_path / "shipped", asked, [])
    for pictures, fewest in ((samples, 0), (between, 1)):
        repaired, own = in_memory(profile, pictures)
        inputs = np.stack(pictures).astype(np.float32).transpose(0, 3, 1, 2)
        alone = labels_of([str(SCRIPT), str(tmp_path / "shipped" / told["file"])], inputs, tmp_path)
        assert (alone == repaired).sum() >= len(repaired) - (weights == "int8") * 5
        assert (repaired != own).sum() >= fewest


def test_a_repaired_tflite_model_gives_the_same_1000_labels_in_plain_litert(tmp_path: Path) -> None:
    file = real(tmp_path, "dflare/lenet5.onnx", "dflare/lenet5-quan.lite", "{}", "{}")
    repair, samples, between = fitted(read_profile(file, Host()), tmp_path / "repair", "drepair")
    host = Host()
    profile = read_profile(file, host, [f"models.candidate.repair={repair}"])
    told = ship(profile, host, tmp_path / "shipped", Asked(seeds=100, repetitions=0), [])
    assert told["agreement"]["seeds"]["same"] == 100
    for pictures, fewest in ((samples, 0), (between, 1)):
        repaired, own = in_memory(profile, pictures)
        inputs = np.stack(pictures).astype(np.float32) / np.float32(255)
        np.testing.assert_array_equal(
            labels_of([str(tmp_path / "shipped" / told["runner"])], inputs, tmp_path), repaired
        )
        assert (repaired != own).sum() >= fewest


def labels_of(command: list[str], inputs: Any, folder: Path) -> IntArray:
    """Run a script of no dltf on inputs, and return the labels that it wrote."""
    np.save(folder / "inputs.npy", inputs)
    whole = [sys.executable, *command, str(folder / "inputs.npy"), str(folder / "labels.npy")]
    subprocess.run(whole, cwd=folder, check=True, capture_output=True)
    labels: IntArray = np.load(folder / "labels.npy")
    return labels


# --- what cannot be shipped --------------------------------------------------------------------------------------


def test_a_repair_of_another_candidate_is_not_shipped(tmp_path: Path) -> None:
    for model in demo_models().glob("*.onnx"):
        (tmp_path / model.name).write_bytes(model.read_bytes())
    profile = write_profile(tmp_path, DIGITS)
    write_repair(tmp_path / "repair", tmp_path / "digits.onnx", [0.0] * 10, use="linear")
    told = refused("ship", "repair/repair.json", profile, "--out", "shipped", cwd=tmp_path)
    assert "repair.json repairs digits.onnx (sha256" in told
    assert "digits-int8.onnx" in told


def test_a_folder_that_holds_something_is_left_as_it_is(digits: tuple[Path, Path]) -> None:
    told = refused("ship", digits[1], digits[0], "--out", "repair", cwd=digits[0].parent)
    assert "repair is not an empty folder" in told


def test_a_head_that_cannot_be_exported_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for model in demo_models().glob("*.onnx"):
        (tmp_path / model.name).write_bytes(model.read_bytes())
    host = Host([*entry_points(group=GROUP), toy_heads.ENTRY])
    write_repair(tmp_path / "repair", tmp_path / "digits-int8.onnx", [0.0] * 10)
    file = write_profile(tmp_path, DIGITS)
    profile = read_profile(file, host, [f"models.candidate.repair={tmp_path}/repair/repair.json"])
    with pytest.raises(ConversionError, match=r"the head toy.shift cannot be exported"):
        ship(profile, host, tmp_path / "shipped", Asked(), [])
    assert not (tmp_path / "shipped").exists()


def test_a_candidate_that_is_not_repaired_is_refused(digits: tuple[Path, Path], tmp_path: Path) -> None:
    host = Host()
    with pytest.raises(MisfitError, match="the candidate is not repaired"):
        ship(read_profile(digits[0], host), host, tmp_path / "shipped", Asked(), [])
