"""A native runtime that crashes or hangs takes its own process with it, never the campaign."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import toy
from profiles import write_profile

from dltf.campaign import Outcome, run
from dltf.errors import ModelFileError, RuntimeFailedError, RuntimeLostError
from dltf.host import Host
from dltf.profile import read_profile
from dltf.remote import Isolated
from dltf.store import RunFolder, Store


def go(folder: Path, *settings: str, out: str = "run") -> Outcome:
    toy.write_model(folder / "reference.json")
    host = Host([toy.ENTRY])
    few = ["seeds.number=8", "search.max_queries=30", *settings]
    profile = read_profile(write_profile(folder), host, few)
    return run(profile, host, RunFolder(folder / out))


def test_an_isolated_run_finds_what_another_finds(tmp_path: Path) -> None:
    toy.write_model(tmp_path / "candidate.json", change=0.1)
    inside, outside = go(tmp_path, out="a"), go(tmp_path, "campaign.isolate=true", out="b")
    assert inside.summary["findings"] > 0
    assert inside.summary["findings_sha256"] == outside.summary["findings_sha256"]


@pytest.mark.parametrize(
    ("trap", "message"),
    [("abort_above", r"crashed while it ran the model \(signal SIGABRT\)"), ("hang_above", "did not answer for 1.5 s")],
)
def test_an_input_on_which_a_runtime_crashes_or_hangs_is_a_finding(tmp_path: Path, trap: str, message: str) -> None:
    toy.write_model(tmp_path / "candidate.json", **{trap: 190})
    few = "search.max_queries=0", "seeds.number=4"
    outcome = go(tmp_path, "campaign.isolate=true", "campaign.call_timeout_s=1.5", *few)
    assert outcome.summary["finished"]
    assert outcome.summary["crashes"] > 0
    with Store(outcome.folder, write=False) as store:
        crash = next(finding for finding in store.findings() if finding.kind == "crash")
    assert re.search(message, crash.message)
    assert toy.ToyDomain().codec.decode(crash.sample)[0] > 190


def test_errors_of_opening_cross_over(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ModelFileError, match="no toy model"):
        Isolated(toy.ToyRun(), 5.0).open(tmp_path / "broken.json", "cpu")


def test_after_a_crash_the_next_call_starts_anew(tmp_path: Path) -> None:
    file = toy.write_model(tmp_path / "model.json", abort_above=200)
    high, low = (np.full((1, 4), value / 255, dtype=np.float32) for value in (250, 10))
    with Isolated(toy.ToyRun(), 5.0).open(file, "cpu") as runner:
        before = runner.run({"x": low})["scores"]
        with pytest.raises(RuntimeFailedError, match="SIGABRT"):
            runner.run({"x": high})
        assert np.array_equal(runner.run({"x": low})["scores"], before)


def test_a_runtime_that_cannot_be_started_again_ends_the_campaign(tmp_path: Path) -> None:
    file = toy.write_model(tmp_path / "model.json", abort_above=200)
    with Isolated(toy.ToyRun(), 5.0).open(file, "cpu") as runner:
        with pytest.raises(RuntimeFailedError, match="SIGABRT"):
            runner.run({"x": np.full((1, 4), 1.0, dtype=np.float32)})
        file.write_text("{")
        with pytest.raises(RuntimeLostError, match="could not be started again"):
            runner.run({"x": np.full((1, 4), 0.1, dtype=np.float32)})


def test_a_time_limit_of_a_runtime_that_was_reached_is_said(tmp_path: Path) -> None:
    toy.write_model(tmp_path / "candidate.json", hang_above=190)
    settings = "campaign.isolate=true", "campaign.call_timeout_s=0.3", "search.max_queries=0", "seeds.number=4"
    summary = go(tmp_path, *settings).summary
    assert summary["crashes"] > 0
    assert not summary["reproducible"]
    assert "ended by campaign.call_timeout_s" in summary["not_reproducible_because"][0]
