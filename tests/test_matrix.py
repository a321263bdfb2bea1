"""An environment matrix on the demo's models: by the command line, interrupted, and with what cannot be had."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import dltf
from demo import copy_demo

from dltf.errors import ProfileError, RunFolderError, UsageError
from dltf.host import Host
from dltf.matrix.gates import evaluate, read_baseline, value_of
from dltf.matrix.metrics import Outputs, compare
from dltf.matrix.run import RESULT, check_folder, run_matrix
from dltf.matrix.told import precision_of
from dltf.matrix.verdict import verdict_of
from dltf.profile.matrix import MatrixGate, read_matrix
from dltf.profile.variants import products

MATRIX = """
[campaign]
name = "digits"
domain = "image"

[seeds]
use = "image.digits"
count = 120

[matrix]
source = "digits.onnx"
repetitions = 0
call_timeout_s = 30.0

[[matrix.variants]]
name = "float"

[[matrix.variants]]
name = "float-{optimisation}"
backend = "onnxruntime"
vary = { optimisation = ["disabled", "basic"] }

[[matrix.variants]]
name = "int8"
source = "digits-int8.onnx"
"""


@pytest.fixture(scope="module")
def host() -> Host:
    return Host()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy_demo(tmp_path)
    return tmp_path


def write(folder: Path, text: str = MATRIX) -> Path:
    file = folder / "matrix.toml"
    file.write_text(text)
    return file


def ran(folder: Path, host: Host, text: str = MATRIX, out: str = "out") -> dict[str, Any]:
    return run_matrix(read_matrix(write(folder, text), host), host, folder / out)


def by_name(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in result["variants"]}


def without_times(result: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a clock or the system's memory said."""
    timed = ("seconds", "load_s", "peak_memory_bytes", "timing")
    told = json.loads(json.dumps(result))
    for one in told["variants"]:
        for key in timed:
            one.pop(key, None)
        for step in one["conversions"]:
            step.pop("seconds")
    return {key: value for key, value in told.items() if key != "timing"}


def test_products_take_every_combination_and_fill_in_the_name():
    varied = {"name": "{a}-x{b}", "vary": {"a": ["p", "q"], "b": [1, 2]}, "backend": "onnxruntime"}
    assert [one["name"] for one in products(varied)] == ["p-x1", "p-x2", "q-x1", "q-x2"]
    assert [(one["a"], one["b"], one["backend"]) for one in products(varied)][2] == ("q", 1, "onnxruntime")
    assert [one["name"] for one in products({"name": "n", "vary": {"threads": [1, 2]}})] == ["n-1", "n-2"]
    assert list(products({"name": "plain"})) == [{"name": "plain"}]


def test_variants_are_compared_with_the_reference_and_with_each_other(folder, host):
    result = ran(folder, host)
    variants = by_name(result)
    assert variants["float"]["verdict"] == "reference"
    assert variants["float-disabled"]["verdict"] in ("identical", "within tolerance", "numeric drift")
    assert variants["float-disabled"]["figures"]["labels"]["differ"] == 0
    assert 0.85 < variants["int8"]["accuracy"] <= 1.0
    assert variants["int8"]["bytes"] < variants["float"]["bytes"]
    names = [one["name"] for one in result["variants"]]
    differences = result["differences"]
    assert [differences[row][row] for row in range(4)] == [0, 0, 0, 0]
    assert differences[0] == [differences[row][0] for row in range(4)]
    assert differences[0][names.index("int8")] == variants["int8"]["figures"]["labels"]["differ"]
    assert (
        len([one for one in result["worst"] if one["variant"] == "int8"])
        == variants["int8"]["figures"]["labels"]["differ"]
    )
    assert json.loads((folder / "out" / RESULT).read_text())["seeds"] == 120


def test_what_cannot_be_had_is_a_row_with_its_reason_and_the_rest_goes_on(folder, host):
    (folder / "broken.onnx").write_bytes((folder / "digits.onnx").read_bytes()[:200])
    text = (
        MATRIX
        + """
[[matrix.variants]]
name = "no-runtime"
backend = "nosuchruntime"

[[matrix.variants]]
name = "no-converter"
convert = [{ use = "nothing.to_see" }]
backend = "onnxruntime"

[[matrix.variants]]
name = "broken"
source = "broken.onnx"

[[matrix.variants]]
name = "no-device"
backend = "onnxruntime"
target = "cuda"
"""
    )
    variants = by_name(ran(folder, host, text))
    assert variants["no-runtime"]["verdict"] == "not available here"
    assert 'no model backend "nosuchruntime"' in variants["no-runtime"]["reason"]
    assert variants["no-converter"]["verdict"] == "not available here"
    assert "nothing.to_see" in variants["no-converter"]["reason"]
    assert variants["broken"]["verdict"] == "does not load"
    assert "broken.onnx" in variants["broken"]["reason"]
    assert variants["no-device"]["verdict"] == "not available here"
    assert variants["int8"]["figures"]["labels"]["share"] < 0.1


def test_variants_of_other_classes_are_rows_that_cannot_be_compared(folder, host):
    import onnx

    model = onnx.load(folder / "digits.onnx")
    name, given = model.graph.output[0].name, model.graph.input[0].name
    fewer = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["": 17]>
        three (float[n, 64] x) => (float[n, 3] y)
        <int64[1] axes = {1}, int64[1] first = {0}, int64[1] last = {3}>
        { z = Slice(x, first, last, axes) y = Softmax(z) }
    """)
    onnx.save(fewer, folder / "three.onnx")
    assert name
    assert given
    text = MATRIX + '\n[[matrix.variants]]\nname = "three"\nsource = "three.onnx"\n'
    three = by_name(ran(folder, host, text))["three"]
    assert three["verdict"] in ("fails while running", "does not load")
    assert three["reason"]


def test_what_was_run_is_not_run_again_and_a_new_variant_runs_alone(folder, host, monkeypatch):
    import dltf.matrix.run as module

    first = ran(folder, host)
    asked = []
    real = module.run_cell
    monkeypatch.setattr(
        module, "run_cell", lambda profile, *rest: asked.append(profile.reference.name) or real(profile, *rest)
    )
    again = ran(folder, host)
    assert asked == []
    assert without_times(again) == without_times(first)
    ran(folder, host, MATRIX + '\n[[matrix.variants]]\nname = "two-threads"\nbackend = "onnxruntime"\nthreads = 2\n')
    assert asked == ["digits.onnx"]


def test_a_matrix_that_was_killed_and_resumed_equals_one_that_was_not(folder, host):
    whole = ran(folder, host)
    write(folder)
    command = [sys.executable, "-m", "dltf.cli", "matrix", "matrix.toml", "--out", "killed"]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    until = time.monotonic() + 60
    while not list((folder / "killed" / "outputs").glob("*.npz")) and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "killed" / RESULT).exists()
    done = dltf("matrix", "matrix.toml", "--out", "killed", cwd=folder)
    assert done.returncode == 2
    assert "--resume" in done.stderr
    done = dltf("matrix", "matrix.toml", "--out", "killed", "--resume", "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    resumed = json.loads((folder / "killed" / RESULT).read_text())
    resumed.pop("gates")
    assert without_times(resumed) == without_times(json.loads(json.dumps(whole)))


def test_the_command_line_tells_a_line_for_each_variant_and_hands_a_pair_to_a_search(folder):
    write(folder)
    done = dltf("matrix", "matrix.toml", "--out", "out", "--set", "matrix.repetitions=3", "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "4 variants on 120 seeds, compared with float" in done.stdout
    assert sum("accuracy" in line for line in done.stdout.splitlines()) == 4
    assert (folder / "out" / "report.html").is_file()
    result = json.loads((folder / "out" / RESULT).read_text())
    assert result["variants"][0]["timing"]["1"]["samples"] == 6
    assert {claim["variant"] for claim in result["timing"]["claims"]} == {"float-disabled", "float-basic", "int8"}
    done = dltf("matrix", "matrix.toml", "--out", "out", "--pair", "int8", "pair.toml", cwd=folder)
    assert done.returncode == 0, done.stderr
    done = dltf("run", "pair.toml", "--set", "seeds.count=20", "--out", "run", "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "20 screened" in done.stdout


def test_outputs_of_several_shapes_are_compared_and_nothing_compared_is_not_identical():
    from dltf.matrix.cells import _joined

    ragged = [np.arange(6.0).reshape(2, 3), np.arange(3.0).reshape(1, 3)]
    groups = [(np.array([1]), {"y": ragged[0][None]}), (np.array([0]), {"y": ragged[1][None]})]
    joined = _joined([(groups, np.array([1, 0]))])
    assert joined["y"].tolist() == [[[0, 1, 2], [0, 0, 0]], [[0, 1, 2], [3, 4, 5]]]
    texts = Outputs(["a", "b"], {}, None, np.ones(2, bool), np.zeros(2, bool))
    verdict, reason = verdict_of(compare(texts, texts))
    assert verdict == "numeric drift"
    assert "were not compared" in reason


def test_a_relative_folder_is_below_where_the_command_is_called(folder, tmp_path):
    text = MATRIX + '\n[[matrix.variants]]\nname = "converted"\nconvert = [{ use = "onnx.dynamic_int8" }]\n'
    (folder / "below").mkdir()
    write(folder / "below", text.replace('"digits', '"../digits'))
    done = dltf("matrix", "below/matrix.toml", "--out", "out", "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    told = by_name(json.loads((folder / "out" / RESULT).read_text()))["converted"]
    assert told["accuracy"] > 0.8, told["reason"]
    assert not list((folder / "out" / "models").glob(".*"))


def test_gates_judge_variants_and_compare_with_a_stored_matrix(folder, host):
    result = ran(folder, host)
    gates = [
        MatrixGate("accuracy", at_least=0.8),
        MatrixGate("figures.labels.share", variant="float-*", at_most=0.0),
        MatrixGate("verdict", variant="int8", at_most="numeric drift"),
        MatrixGate("bytes", variant="int8", no_worse=0.0),
        MatrixGate("nothing.there", variant="int8", at_most=1.0),
    ]
    judged = evaluate(gates, result, result)
    assert [one["holds"] for one in judged] == [True] * 6 + [
        value_of(by_name(result)["int8"], "verdict") == "numeric drift",
        True,
        False,
    ]
    worse = json.loads(json.dumps(result))
    by_name(worse)["int8"]["bytes"] -= 1
    (against,) = evaluate(gates[3:4], result, worse)
    assert not against["holds"]
    assert "is above" in against["reason"]
    assert not evaluate(gates[3:4], result, None)[0]["holds"]
    assert read_baseline(folder / "out")["name"] == "digits"


def test_a_gate_that_does_not_hold_is_exit_status_1(folder):
    write(folder, MATRIX + '\n[[matrix.gates]]\nfigure = "accuracy"\nat_least = 1.01\n')
    done = dltf("matrix", "matrix.toml", "--out", "out", "--quiet", cwd=folder)
    assert done.returncode == 1
    assert "gate accuracy of float does not hold" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "float"\n', 'name = "int8"\n', 'two variants are called "int8"'),
        ('name = "float"\n', 'name = "{nothing}"\n', "there is no {nothing}"),
        ("repetitions = 0", "repetition = 0", 'did you mean "repetitions"?'),
        (
            "repetitions = 0",
            'reference = "flat"',
            'matrix.reference = "flat": there is no such variant; did you mean "float"?',
        ),
        ('source = "digits.onnx"', 'source = "digit.onnx"', "there is no such file"),
        ('name = "float"\n', 'name = "x{"\n', "write {{ and }} for braces"),
        ('name = "float"\n', 'name = "x{}"\n', "nothing but keys of vary"),
        ('name = "float-{optimisation}"', 'name = "x{optimisation:>5d}"', "nothing but keys of vary"),
        ('name = "int8"', 'name = "int8"\ninput = "foo"', "expected a table"),
        ('name = "int8"', 'name = "int8"\nbackend = "python"\npython = "a:b"', "it runs no file"),
        ("[campaign]", '[[matrix.gates]]\nfigure = "accuracy"\nat_most = "high"\n[campaign]', "a finite number"),
        ("[campaign]", '[[matrix.gates]]\nfigure = "accuracy"\nat_least = nan\n[campaign]', "a finite number"),
        ("[campaign]", '[[matrix.gates]]\nfigure = "verdict"\nat_least = 1.0\n[campaign]', "be a verdict by at_most"),
        ("[matrix]", "[matrixx]", 'there is no such table; did you mean "matrix"?'),
        ('backend = "onnxruntime"', 'backend = "onnxruntime"\noptimise = 1', "optimise"),
        ('vary = { optimisation = ["disabled", "basic"] }', "vary = { optimisation = 3 }", "give each key a list"),
        ('name = "int8"', 'name = "int8"\nconvert = "onnx.int8"', "give a list of tables"),
        ("[campaign]", '[[matrix.gates]]\nfigure = "accuracy"\n[campaign]', "give at_least, at_most or no_worse"),
        (
            "[campaign]",
            '[[matrix.gates]]\nfigure = "x"\nat_most = 1.0\nvariant = "flot"\n[campaign]',
            'did you mean "float"',
        ),
    ],
)
def test_a_bad_matrix_is_refused_before_anything_runs(folder, host, old, new, told):
    assert old in MATRIX
    file = write(folder, MATRIX.replace(old, new, 1))
    with pytest.raises(ProfileError) as refused:
        read_matrix(file, host)
    assert told in str(refused.value)
    done = dltf("matrix", "matrix.toml", "--out", "out", cwd=folder)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (folder / "out").exists()


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text("dear")
    with pytest.raises(RunFolderError, match=r"one\.txt"):
        check_folder(tmp_path / "letters", resume=True)
    with pytest.raises(UsageError, match="is no matrix"):
        read_baseline(tmp_path / "letters")


def test_the_least_precise_part_of_a_variant_sets_its_tolerance(folder, host):
    text = MATRIX.replace("[matrix]\n", "[matrix]\ntolerance = 0.5\n")
    cells = {cell.name: cell for cell in read_matrix(write(folder, text), host).cells}
    assert precision_of(cells["int8"]) == "int8"
    assert precision_of(cells["float"]) == "float32"
    figures = by_name(ran(folder, host, text))["int8"]["figures"]
    assert {one["tolerance"]["relative"] for one in figures["outputs"].values()} == {0.5}
