"""A run that is killed, however often, and resumed has the findings of one that was not."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands import dltf
from demo import copy_demo, quantise_dynamically

SETTINGS = ["--set", "search.max_queries=80", "--set", "seeds.split=train", "--set", "seeds.count=1437"]
KILLS = 10


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    text = copy_demo(tmp_path).read_text()
    settings = 'use = "dflare"\nfitness = "released"\nselection = "released"\n'
    assert settings in text
    (tmp_path / "profile.toml").write_text(text.replace(settings, 'use = "random"\n'))
    return tmp_path


def finish(folder: Path, out: str, *settings: str) -> dict[str, Any]:
    done = dltf("run", "profile.toml", "--out", out, *SETTINGS, *settings, "--resume", cwd=folder)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads((folder / out / "summary.json").read_text())
    return summary


def kill_at_random_moments(folder: Path, out: str, *settings: str, whole_s: float) -> list[int]:
    """Start, kill and resume a run; return how many cases it had finished each time it was killed.

    A run that takes `whole_s` is let go on for less than a tenth of it at first, so that the kills hit it alive, and
    for longer after a kill that came before anything was finished.
    """
    short_s = window_s = whole_s / (KILLS + 2)
    moments = random.Random(7)
    finished = []
    for _ in range(KILLS):
        command = [
            sys.executable,
            "-m",
            "dltf.cli",
            "run",
            "profile.toml",
            "--out",
            out,
            *SETTINGS,
            *settings,
            "--resume",
        ]
        with subprocess.Popen(
            command, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stderr is not None
            assert any(line.startswith(("running", "resuming")) for line in iter(process.stderr.readline, ""))
            time.sleep(moments.uniform(0.0, window_s))
            assert process.poll() is None, "the run ended before it was killed: make it longer"
            process.kill()
        finished.append(cases_done(folder / out))
        window_s = window_s * 1.5 if len(finished) > 1 and finished[-1] == finished[-2] else short_s
    return finished


def cases_done(run: Path) -> int:
    from dltf.store import RunFolder, Store

    with Store(RunFolder(run), write=False) as store:
        return len(store.query('SELECT "case" FROM searched')) + len(store.screened_cases())


@pytest.mark.parametrize("candidate", ["digits-int8.onnx", "digits-dynamic.onnx"])
def test_killed_ten_times_at_random_moments_and_resumed(folder: Path, candidate: str) -> None:
    quantise_dynamically(folder)
    settings = ["--set", f"models.candidate.file={candidate}"]
    if candidate == "digits-int8.onnx":
        settings += ["--set", "campaign.batch=7"]
    whole = finish(folder, "whole", *settings)
    finished = kill_at_random_moments(folder, "killed", *settings, whole_s=whole["seconds"]["total"])
    assert finished == sorted(finished), "something that was finished was lost"
    assert len(set(finished)) >= 4, "the kills hit too few different moments to mean something"
    killed = finish(folder, "killed", *settings)
    alone = candidate == "digits-dynamic.onnx"
    assert whole["variants"]["candidate"]["runs_alone"] is alone
    assert whole["reproducible"] is True
    assert killed["findings_sha256"] == whole["findings_sha256"]
    assert killed["queries"] == whole["queries"]
    assert whole["findings"] != 0
