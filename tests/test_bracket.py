"""The strategy `bracket`, on models whose crossings are known by hand, and on the toy domain."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import toy
from calling import call, summary_of
from demo import demo_models
from PIL import Image
from profiles import TOY, write_profile
from sklearn.datasets import load_digits

from dltf.builtin.bracket import Bracket
from dltf.builtin.classes import Classes
from dltf.campaign import Outcome, run
from dltf.host import Host
from dltf.plugin import Briefing, Observations, ScreenedSeeds, TensorSpec, Turn, Verdicts
from dltf.profile import read_profile
from dltf.store import RunFolder, Store

PATHS = TOY.replace('use = "dflare"', 'use = "bracket"')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    toy.write_model(tmp_path / "reference.json")
    toy.write_model(tmp_path / "candidate.json", change=0.1)
    write_profile(tmp_path, PATHS)
    return tmp_path


def go(folder: Path, *settings: str, out: str = "run") -> Outcome:
    host = Host([toy.ENTRY])
    return run(read_profile(folder / "profile.toml", host, settings), host, RunFolder(folder / out))


# --- a path by hand ----------------------------------------------------------------------------------------------


class Line:
    """Two classes on a line: each variant says 1 from its own crossing on, surer the further it is from there."""

    def __init__(self, reference: float, candidate: float, slope: float = 20.0) -> None:
        self.crossings = reference, candidate
        self.slope = slope

    def seen(self, crossing: float, t: np.ndarray) -> Observations:
        odds = self.slope * (t - crossing)
        logits = np.stack([np.zeros_like(odds), odds], axis=1).astype(np.float32)
        spec = TensorSpec("y", (None, 2), "float32")
        return Classes(scores="logits").settle([spec], {"y": logits}).decode({"y": logits})

    def both(self, t: np.ndarray) -> tuple[Observations, Observations]:
        return self.seen(self.crossings[0], t), self.seen(self.crossings[1], t)


class Other:
    def nearest(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        return np.array([1 - row]), np.array([1.0])


def search(line: Line, most: int = 100, **settings: object) -> list[float]:
    """Return where the strategy looks on the path from 0 to 1, until the variants differ or it gives up."""
    ours, theirs = line.both(np.array([0.0, 1.0]))
    screened = ScreenedSeeds(np.array([10, 11]), ours, theirs, Other())
    running = Bracket(**settings).start(Briefing((), 1, screened))
    slot, asked = np.array([0]), []
    running.seat(slot, ours.take([0]), theirs.take([0]), np.array([0]))
    for _ in range(most):
        plans = running.ask(slot, [np.random.default_rng(0)])
        assert plans.partners is not None
        if plans.partners[0] < 0:
            break
        asked.append(float(plans.strengths[0]))
        reference, candidate = line.both(plans.strengths)
        if reference.decisions[0] != candidate.decisions[0]:
            return asked
        nothing = np.zeros(1, dtype=np.bool_)
        assert not running.tell(slot, Turn(reference, candidate, Verdicts(nothing, np.zeros(1), nothing))).any()
    return asked


@pytest.mark.parametrize(("reference", "candidate"), [(0.3, 0.31), (0.5, 0.5001), (0.05, 0.06), (0.97, 0.95)])
def test_it_looks_between_the_crossings(reference: float, candidate: float) -> None:
    asked = search(Line(reference, candidate))
    assert min(reference, candidate) <= asked[-1] <= max(reference, candidate)
    assert len(asked) <= 8


def test_where_both_give_way_at_one_place_it_gives_up_after_its_steps() -> None:
    assert len(search(Line(0.4, 0.4), steps=4)) == 4
    assert len(search(Line(0.4, 0.4), steps=50)) < 10  # it sees that nothing is left between


def test_a_crossing_at_the_very_end_of_a_steep_margin_is_found() -> None:
    """The margin is flat nearly everywhere: a saturated probability. Halving finds it all the same."""
    asked = search(Line(0.993, 0.9925, slope=4000.0), steps=30)
    assert 0.9925 <= asked[-1] <= 0.993


# --- campaigns ---------------------------------------------------------------------------------------------------


def test_without_paths_between_seeds_it_goes_along_operators(folder: Path) -> None:
    """The toy domain has no samples between two others, so its operators' strengths are the paths."""
    summary = go(folder, "operators=[{use='toy.jitter', sigma=90.0}]", "search.max_queries=400").summary
    assert summary["success_rate"] > 0.9
    with Store(RunFolder(folder / "run"), write=False) as store:
        strengths = [
            finding.last_draw.get("strength", 1.0) for finding in store.findings() if finding.phase == "search"
        ]
    assert all(0 < strength <= 1 for strength in strengths)


def test_seeds_of_one_answer_are_searched_along_operators_and_it_is_said(tmp_path: Path) -> None:
    for model in demo_models().glob("*.onnx"):
        shutil.copy(model, tmp_path)
    ones = tmp_path / "ones"
    ones.mkdir()
    for row, picture in enumerate(load_digits().images[load_digits().target == 0][:12]):
        Image.fromarray(np.rint(picture * 255 / 16).astype(np.uint8)).save(ones / f"{row}.png")
    files = ("digits.onnx", "digits-int8.onnx", "--seeds", "ones", "--input", "range=[0,1]")
    called = call("compare", *files, "--operators", "image.wide", "--out", "run", cwd=tmp_path)
    assert called.status == 0, called.err
    assert "all seeds have one answer, so that no path leads to another" in called.out
    assert summary_of(tmp_path / "run")["outcomes"]["found"] > 6


def test_where_every_seed_differs_nothing_is_searched(folder: Path) -> None:
    toy.write_model(folder / "reference.json", classes=3)
    weights = [[0, 4, 0], [0, 0, 4], [4, 0, 0], [0, 0, 0]]
    (folder / "candidate.json").write_text(json.dumps({"weights": weights}))
    summary = go(folder).summary
    assert summary["screened"]["natural"] == 60
    assert summary["queries"]["total"] == 0
    assert summary["verdict"].startswith("The variants differ on 60 of 60 seeds as they are")


@pytest.mark.parametrize("batch", [1, 7])
def test_findings_do_not_depend_on_the_batch(folder: Path, batch: int) -> None:
    few = "search.max_queries=60"
    one, other = go(folder, few, out="one").summary, go(folder, few, f"campaign.batch={batch}", out="other").summary
    assert one["findings_sha256"] == other["findings_sha256"]


def test_without_partners_and_operators_a_case_is_over_at_once(folder: Path) -> None:
    summary = go(folder, "operators=[]").summary
    assert summary["queries"]["total"] == 0
    assert summary["outcomes"]["exhausted"] == summary["searched"] > 0
