"""`dltf repair`, from runs to a head that can be deployed, on a small real pair."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calling import call, refused, small_demo, snapshot
from installed import install_plugin
from pages import Page

from dltf.host import Host
from dltf.repair.beside import HARD_FILE
from dltf.repair.data import FINDING, HARD, NATURAL, SEED, Collector, gather
from dltf.store import RunFolder, Store

QUICK = (
    *("--head", "linear", "--quiet"),
    *("--set", "repair.repeats=2", "--set", "repair.folds=3", "--set", "repair.confidence=0.5"),
    *("--set", "repair.clean=200", "--set", "repair.hard_negatives=2", "--max-inducing", "0.05"),
)
ALONE = ("--set", "repair.clean=0", "--set", "repair.hard_negatives=0")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo, a run of dflare on 60 seeds, and one of bracket on 120."""
    folder = tmp_path_factory.mktemp("demo")
    small_demo(folder, 60)
    assert call("run", "profile.toml", "--out", "run", "--quiet", cwd=folder).status == 0
    more = ("--set", "search.use=bracket", "--set", "seeds.count=120")
    profile = folder / "bracket.toml"
    text = (folder / "profile.toml").read_text()
    profile.write_text(text.replace('fitness = "released"\n', "").replace('selection = "released"\n', ""))
    assert call("run", "bracket.toml", "--out", "run2", "--quiet", *more, cwd=folder).status == 0
    return folder


@pytest.fixture(scope="module")
def repaired(demo: Path) -> tuple[dict[str, Any], Path]:
    """What a repair from both runs came to."""
    called = call("repair", "run", "run2", "--out", "out", "--force", *QUICK, cwd=demo)
    assert called.status == 0, called
    return json.loads((demo / "out" / "result.json").read_text()), demo / "out"


def test_rows_of_two_runs_share_their_seeds(demo: Path) -> None:
    gathered = gather([demo / "run", demo / "run2"])
    rows = gathered.rows
    assert len(np.unique(rows.groups)) <= 120
    assert rows.of(SEED).sum() <= 120, "a seed of both runs is one row"
    assert set(rows.strategies[rows.of(FINDING)].tolist()) == {"dflare", "bracket"}
    assert (rows.own[rows.of(FINDING)] != rows.answers[rows.of(FINDING)]).all()
    assert rows.agreeing[rows.of(SEED)].all()
    assert not rows.of(NATURAL, HARD).all()
    assert (rows.states.argmax(axis=1) == rows.own).all()


def test_two_seeds_with_a_finding_from_each_to_the_other_are_one_group() -> None:
    collector = Collector()
    for digest in ("a", "b", "c"):
        collector.add(digest, SEED, "", 0, 0, 0, np.array([0.9, 0.1]))
    collector.together("a", "b")
    collector.add("b", FINDING, "bracket", 0, 1, 0, np.array([0.6, 0.4]))
    groups = collector.rows(2).groups.tolist()
    assert groups[0] == groups[1] == groups[3] != groups[2]


def test_counts_add_up_and_hard_negatives_agree(repaired: tuple[dict[str, Any], Path]) -> None:
    result, out = repaired
    counts = result["counts"]
    head = result["heads"][0]["always"]
    assert head["repaired"]["of"] == counts["finding"] > 100
    assert head["induced"]["of"] == counts["seed"]
    near = counts["finding"] + counts["left_out"].get("found twice", 0)
    assert 0 < head["hard_negatives"]["of"] == counts["hard negative"] <= 2 * near
    with np.load(out / HARD_FILE) as kept:
        assert (kept["answers"] == kept["own"]).all()
        assert (kept["states"].argmax(axis=1) == kept["own"]).all()
        assert set(kept["kinds"].tolist()) == {HARD}
    assert sum(result["beside"]["hard_negatives"]["origins"].values()) == counts["hard negative"]
    assert result["counts"]["clean"] == 200
    assert result["deployed"]["figures"]["accuracy"]["of"] == 200


def test_what_is_deployed_keeps_its_bound_on_what_it_has_not_seen(repaired: tuple[dict[str, Any], Path]) -> None:
    result, _ = repaired
    deployed = result["deployed"]
    assert deployed["at_most"] <= 0.05
    assert deployed["spoilt"] <= 0.05 * deployed["of"]
    assert f"{deployed['spoilt']} of {deployed['of']} inputs on which both agree are changed" in deployed["statement"]


def test_the_record_names_the_head_and_the_pair(repaired: tuple[dict[str, Any], Path]) -> None:
    result, out = repaired
    record = json.loads((out / "repair.json").read_text())
    assert record["use"] == "linear"
    assert record["head"] == "head.onnx"
    assert record["threshold"] == result["deployed"]["threshold"]
    assert record["classes"] == record["states"] == 10
    assert record["candidate"]["name"].endswith("digits-int8.onnx")
    assert len(record["candidate"]["sha256"]) == 64


def test_the_head_answers_from_its_file_as_it_was_measured(repaired: tuple[dict[str, Any], Path], demo: Path) -> None:
    _, out = repaired
    head = Host().find("dltf_repair_heads", "linear").load()().load(out / "head.onnx")
    states = gather([demo / "run"]).rows.states
    scores = head.scores(states)
    assert scores.shape == states.shape
    assert np.allclose(scores.sum(axis=1), 1)
    assert (scores[::-1] == head.scores(states[::-1].copy())).all()


def test_a_repair_made_again_is_the_same_and_asks_no_model(
    repaired: tuple[dict[str, Any], Path], demo: Path, tmp_path: Path
) -> None:
    result, out = repaired
    again = shutil.copytree(out, tmp_path / "again")
    before = (again / HARD_FILE).read_bytes()
    models = [demo / "digits.onnx", demo / "digits-int8.onnx"]
    for model in models:
        model.rename(model.with_suffix(".away"))
    called = call("repair", "run", "run2", "--out", again, "--force", *QUICK, cwd=demo)
    for model in models:
        model.with_suffix(".away").rename(model)
    assert called.status == 0, called
    assert json.loads((again / "result.json").read_text()) == result
    assert (again / HARD_FILE).read_bytes() == before


def test_without_models_the_runs_are_enough(demo: Path, tmp_path: Path) -> None:
    called = call("repair", "run", "--out", tmp_path / "out", "--force", *QUICK, *ALONE, cwd=demo)
    assert called.status == 0, called
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["counts"]["clean"] == result["counts"]["hard negative"] == 0
    assert result["deployed"]["figures"]["accuracy"]["on"] == "seeds"


def test_the_table_is_that_of_the_paper_and_the_next_step_is_told(demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    called = call("repair", "run", "--out", out, "--force", *QUICK, *ALONE, cwd=demo)
    assert "repair" in called.out
    assert "linear, always" in called.out
    assert "improvement [95 %]" in called.out
    assert f"[models.candidate] repair = {out / 'repair.json'}" in called.out


def test_the_page_tells_all_of_it_and_asks_for_nothing(repaired: tuple[dict[str, Any], Path]) -> None:
    _, out = repaired
    page = Page(out / "report.html")
    assert {"Heads", "What changes", "What can be reached", "Other findings", "Made from"} <= set(page.headings)
    assert "script" not in page.tags
    assert "dflare, bounded" in page.text
    assert "inputs on which both agree are changed" in page.text
    assert all(name not in ("src", "href") or value.startswith(("#", "data:")) for _, name, value in page.attributes)


# --- bad input ---------------------------------------------------------------------------------------------------


def test_a_run_without_findings_is_refused(tmp_path: Path) -> None:
    small_demo(tmp_path)
    same = ("--set", "models.candidate.file=digits.onnx")
    assert call("run", "profile.toml", "--out", "run", "--quiet", *same, cwd=tmp_path).status == 0
    assert "there is no finding to learn from in run" in refused("repair", "run", "--out", "out", cwd=tmp_path)


def test_findings_of_another_pair_are_refused_with_both_named(demo: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(demo, tmp_path / "demo", ignore=shutil.ignore_patterns("out", "run2"))
    other = ("--set", "models.candidate.file=digits.onnx", "--set", "models.reference.file=digits-int8.onnx")
    assert call("run", "profile.toml", "--out", "other", "--quiet", *other, cwd=folder).status in (0, 1)
    message = refused("repair", "run", "other", "--out", "out", cwd=folder)
    assert message.startswith("error: other is a run of another pair")
    assert message.count("digits-int8.onnx (") == 2


def rewritten(demo: Path, folder: Path, sql: str, *values: object) -> Path:
    """Return a copy of the demo whose first run says something else."""
    copied = shutil.copytree(demo, folder / "demo", ignore=shutil.ignore_patterns("out", "run2"))
    with sqlite3.connect(copied / "run" / "run.sqlite") as database:
        database.execute(sql, values)
    database.close()
    return copied


def test_a_candidate_that_gives_labels_only_is_refused(demo: Path, tmp_path: Path) -> None:
    folder = rewritten(demo, tmp_path, "UPDATE findings SET candidate_state = NULL")
    message = refused("repair", "run", "--out", "out", cwd=folder)
    assert "the candidate of run gives labels only" in message
    assert "let the candidate give probabilities or logits" in message


def test_a_candidate_that_is_always_certain_gives_labels_only(demo: Path, tmp_path: Path) -> None:
    certain = np.eye(10, dtype="<f4")
    folder = rewritten(demo, tmp_path, "SELECT 1")
    with sqlite3.connect(folder / "run" / "run.sqlite") as database:
        for table in ("findings", "screened"):
            rows = database.execute(f'SELECT "case", candidate_decision FROM {table}').fetchall()
            for case, decision in rows:
                state = certain[int(decision)].tobytes()
                database.execute(f'UPDATE {table} SET candidate_state = ? WHERE "case" = ?', (state, case))
    database.close()
    assert "gives labels only" in refused("repair", "run", "--out", "out", cwd=folder)


def test_answers_that_are_no_classes_are_refused(demo: Path, tmp_path: Path) -> None:
    folder = rewritten(demo, tmp_path, "UPDATE findings SET reference_decision = '\"one two\"'")
    message = refused("repair", "run", "--out", "out", cwd=folder)
    assert "the reference of run answers 'one two', which is no class number" in message


def test_a_candidate_that_is_repaired_already_is_refused(demo: Path, tmp_path: Path) -> None:
    folder = rewritten(demo, tmp_path, "SELECT 1")
    with Store(RunFolder(folder / "run"), write=True) as store:
        profile = store.fact("profile")
        profile["models"]["candidate"]["repair"] = "somewhere/repair.json"
        store.note(profile=profile)
    assert "the candidate of run is repaired already" in refused("repair", "run", "--out", "out", cwd=folder)


def test_folds_too_small_for_the_classes_are_refused_with_the_numbers(demo: Path) -> None:
    message = refused("repair", "run", "--out", "new", "--set", "repair.folds=20", cwd=demo)
    assert "make 20 folds of" in message
    assert "fewer than the" in message


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--head", "liner"), 'there is no repair head "liner"; did you mean "linear"?'),
        (("--set", "repair.fold=3"), 'repair.fold: there is no such key; did you mean "folds"?'),
        (("--set", "repair.folds=1"), "repair.folds = 1: must be >= 2"),
        (("--max-inducing", "2"), "repair.max_inducing = 2.0: must be < 1"),
        (("--head", "linear", "--set", "repair.strenght=2"), 'did you mean "strength"?'),
    ],
)
def test_settings_are_checked_before_anything_is_done(demo: Path, given: tuple[str, ...], told: str) -> None:
    assert told in refused("repair", "run", "--out", "new", *given, cwd=demo)


def test_a_folder_that_holds_something_else_is_left_alone(demo: Path) -> None:
    assert "what it holds (findings.txt) is no repair" in refused_in(demo, "mine")


def refused_in(demo: Path, name: str) -> str:
    (demo / name).mkdir()
    (demo / name / "findings.txt").write_text("mine")
    return refused("repair", "run", "--out", name, cwd=demo)


def test_models_that_have_gone_are_missed_with_the_way_out(demo: Path, tmp_path: Path) -> None:
    folder = rewritten(demo, tmp_path, "SELECT 1")
    gone = ("--set", "models.candidate.file=gone.onnx")
    called = call("repair", "run", "--out", "out", *QUICK, *gone, cwd=folder)
    assert called.status == 2
    assert "there is no such file" in called.err


def test_a_head_that_makes_things_worse_is_measured_and_not_written_unless_forced(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_plugin(tmp_path / "site", "turning", TURNING)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "support"))
    out = tmp_path / "out"
    options = (*QUICK[2:], *ALONE, "--head", "turning", "--max-inducing", "0.9")
    called = call("repair", "run", "--out", out, *options, cwd=demo)
    assert called.status == 1
    assert "not written: it repairs" in called.err
    assert "--force" in called.err
    assert sorted(snapshot(out)) == ["report.html", "result.json"]
    assert "Not written" in Page(out / "report.html").text
    forced = call("repair", "run", "--out", out, "--force", *options, cwd=demo)
    assert forced.status == 0
    assert {"head.onnx", "repair.json"} <= snapshot(out).keys()


TURNING = """
from repair_rows import Said, turning
from attrs import frozen

@hookimpl
def dltf_repair_heads():
    return [Component("turning", "dltf_turning:Turning", "Prefers the next class.")]

@frozen
class Turning:
    def fit(self, states, answers, groups, classes, stream):
        return Said(turning)

    def load(self, file):
        return Said(turning)

    def versions(self):
        return {}
"""
