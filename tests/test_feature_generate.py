"""Tests generated near seeds: what they promise by themselves, and in whole runs on exact codes."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import flat
import numpy as np
import pytest
import toy
from calling import call, refused
from hypothesis import given
from hypothesis import strategies as st
from installed import install_plugin
from profiles import write_profile

from dltf.errors import MisfitError, SeedSourceError
from dltf.feature import metrics
from dltf.feature.boundary import between
from dltf.feature.densities import Density
from dltf.feature.methods import Around, ball, bridge, moves_of, posterior, sphere, stream_of
from dltf.feature.norms import directions, lengths, within
from dltf.feature.run import generate
from dltf.feature.screen import order_of, screen, suspect_radius
from dltf.feature.targets import error_margins, signed_severity
from dltf.host import Host
from dltf.profile.feature import read_feature

FEATURE = """
[campaign]
name = "feature"
domain = "toy"

[reference]
use = "toy.points"
number = 90

[seeds]
use = "toy.points"
number = 150
count = 40

[generator]
use = "flat"
file = "flat.json"

[generate]
methods = ["ball", "sphere", "bridge", "search"]
tests = 16

[models.candidate]
backend = "toyrun"
file = "candidate.json"

[judges.check.one]
backend = "toyrun"
file = "check.json"

[judges.measure.two]
backend = "toyrun"
file = "measure.json"
"""
PAIR = '\n[models.reference]\nbackend = "toyrun"\nfile = "check.json"\n'
NORMS = st.sampled_from(["l1", "l2", "linf"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("check", "measure"):
        toy.write_model(tmp_path / f"{name}.json")
    toy.write_model(tmp_path / "candidate.json", change=1.0)
    flat.write_space(tmp_path / "flat.json", width=4, size=4)
    write_profile(tmp_path, FEATURE)
    return tmp_path


def go(folder: Path, *settings: str, out: str = "run", resume: bool = False) -> dict[str, Any]:
    host = Host([toy.ENTRY, flat.ENTRY])
    return generate(read_feature(folder / "profile.toml", host, settings), host, folder / out, resume=resume)


def made_tests(folder: Path, method: str, out: str = "run") -> dict[str, Any]:
    with np.load(folder / out / "tests" / f"{method}.npz", allow_pickle=False) as held:
        return {name: held[name] for name in held.files}


def around(count: int, norm: Any, seed: int = 0) -> Around:
    stream = np.random.default_rng(seed)
    active = np.array([True, False, True, True, True])
    streams = [stream_of(7, case, "ball") for case in range(count)]
    return Around(stream.normal(size=(count, 5)), stream.uniform(0.1, 3.0, count), active, norm, streams)


# --- draws -------------------------------------------------------------------------------------------------------


@given(norm=NORMS, seed=st.integers(0, 50))
def test_no_test_of_ball_or_sphere_leaves_its_radius_or_moves_an_idle_dimension(norm: Any, seed: int) -> None:
    for method in (lambda one: ball(one, 9), lambda one: ball(one, 9, (0.25, 0.5, 1.0)), lambda one: sphere(one, 9)):
        seeds = around(3, norm, seed)
        drawn = method(seeds)
        assert (moves_of(drawn, seeds) <= seeds.radii[drawn.seeds]).all()
        assert (drawn.codes[:, 1] == seeds.codes[drawn.seeds, 1]).all()


@given(norm=NORMS)
def test_a_sphere_is_at_the_radius_and_a_ladder_on_its_steps(norm: Any) -> None:
    seeds = around(2, norm)
    np.testing.assert_allclose(moves_of(sphere(seeds, 4), seeds), np.repeat(seeds.radii, 4), rtol=1e-9)
    seeds = around(2, norm)
    steps = np.tile([0.25, 0.5, 0.25, 0.5], 2)
    np.testing.assert_allclose(
        moves_of(ball(seeds, 4, (0.25, 0.5)), seeds), np.repeat(seeds.radii, 4) * steps, rtol=1e-9
    )


@pytest.mark.parametrize(("norm", "inner"), [("l1", 1 / 2), ("l2", math.pi / 4), ("linf", 1.0)])
def test_a_ball_is_filled_uniformly(norm: Any, inner: float) -> None:
    """Of the plane's unit ball, the part in the square |x|, |y| < 1/2 is as large as areas say: 1 ÷ (4 × inner)."""
    stream = np.random.default_rng(3)
    drawn = directions(stream, 40_000, 2, norm) * np.sqrt(stream.random(40_000))[:, None]
    assert (np.abs(drawn) < 0.5).all(axis=1).mean() == pytest.approx(1 / (4 * inner), abs=0.01)


def test_a_seed_draws_the_same_whatever_others_there_are() -> None:
    whole, one = around(3, "l2"), around(3, "l2")
    alone = Around(one.codes[2:], one.radii[2:], one.active, "l2", one.streams[2:])
    assert (ball(whole, 5).codes[10:] == ball(alone, 5).codes).all()


def test_a_bridge_lies_on_the_line_to_a_partner_and_a_lonely_seed_gets_no_tests() -> None:
    seeds = around(2, "l2")
    partner = np.full((1, 5), 9.0)

    def reaches(row: int) -> Any:
        return (np.array([4]), partner) if row == 1 else (np.zeros(0, np.int64), np.zeros((0, 5)))

    drawn = bridge(seeds, 6, reaches)
    assert drawn.seeds.tolist() == [1] * 6
    assert drawn.partners.tolist() == [4] * 6
    shares = (drawn.codes - seeds.codes[1])[:, seeds.active] / (partner[0] - seeds.codes[1])[seeds.active]
    assert np.ptp(shares, axis=1).max() < 1e-12
    assert ((shares >= 0.0) & (shares < 1.0)).all()


def test_the_posterior_draws_as_wide_as_it_is_unsure() -> None:
    seeds = around(1, "l2")
    drawn = posterior(seeds, 4000, np.array([[0.0, 1.0, 2.0, 3.0, 4.0]]))
    np.testing.assert_allclose(drawn.codes.std(axis=0), [0.01, 1.0, 2.0, 3.0, 4.0], rtol=0.1)


def test_moves_are_cut_to_their_radius_along_their_direction() -> None:
    cut = within(np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]]), np.array([1.0, 1.0, 1.0]), "l2")
    np.testing.assert_allclose(cut, [[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]], rtol=1e-9)
    assert lengths(np.array([3.0, -4.0]), "l1") == 7.0
    assert lengths(np.array([3.0, -4.0]), "linf") == 4.0


# --- golden figures ----------------------------------------------------------------------------------------------


def test_an_error_margin_is_the_best_other_class_against_the_label() -> None:
    scores = np.array([[-1.0, -3.0, -2.0], [-1.0, -3.0, -2.0], [np.nan, np.nan, np.nan]])
    margins = error_margins(scores, np.array([0, 1, 1]), np.array([True, False, False]))
    assert margins.tolist() == [-1.0, 2.0, 1.0]


def test_a_severity_is_the_smaller_margin_and_below_zero_the_distance_to_the_nearer_boundary() -> None:
    ours = np.array([[0.0, -2.0, -5.0], [0.0, -2.0, -5.0]])
    theirs = np.array([[-3.0, 0.0, -5.0], [0.0, -4.0, -1.0]])
    assert signed_severity(ours, theirs, np.array([True, False])).tolist() == [2.0, -1.0]


def test_a_pair_is_expected_to_part_half_way_between_its_two_boundaries() -> None:
    asked = np.array([[0.0, 0.0], [1.0, 0.0]])
    ours = np.array([[-np.inf, -1.0], [-np.inf, 1.0]])  # crosses at 1/2
    theirs = np.array([[-np.inf, -3.0], [-np.inf, 1.0]])  # crosses at 3/4
    used: set[tuple[int, int]] = set()
    moves = between(asked, ours, theirs, np.array([True, False]), used, 2)
    np.testing.assert_allclose(moves, [[0.625, 0.0]])
    assert len(between(asked, ours, theirs, np.array([True, False]), used, 2)) == 0


def test_every_seed_is_counted_at_the_first_step_that_it_does_not_pass() -> None:
    found = screen(
        {
            "label": np.array([True, False, True, True]),
            "reconstruction": None,
            "right": np.array([True, False, False, True]),
            "reconstruction_right": np.array([True, True, True, False]),
        }
    )
    assert found.removed_by == ["", "label", "right", "reconstruction_right"]
    assert found.reconstruction_failures.tolist() == [3]
    counts = found.counts()
    assert counts["accepted"] == 1
    assert counts["steps"] == {"label": 3, "reconstruction": 3, "right": 2, "reconstruction_right": 1, "radius": 1}


def test_seeds_come_by_density_by_margin_or_by_both() -> None:
    cases, density, margin = np.arange(3), np.array([3.0, 1.0, 2.0]), np.array([-9.0, -1.0, -5.0])
    orders = {how: order_of(how, lambda: density, margin, cases).tolist() for how in ("random", "density", "margin")}
    assert orders == {"random": [0, 1, 2], "density": [0, 2, 1], "margin": [1, 2, 0]}
    assert order_of("both", lambda: density, margin, cases).tolist() == [2, 0, 1]  # ranks 2·2, 3·1, 1·3


def test_a_suspect_radius_is_the_largest_of_the_few_least() -> None:
    radii = np.array([0.5, 0.1, 0.3, 0.2, 0.4])
    assert suspect_radius(radii, 50, 0.4) == 0.2
    assert suspect_radius(radii, 1, 0.4) == 0.1
    assert suspect_radius(radii, 50, 0.01) == 0.0


def test_a_density_is_neighbours_over_the_volume_that_holds_them() -> None:
    line = Density.among(np.arange(100.0)[:, None], "l2")
    assert line.of(np.array([[-10.0]]))[0] == pytest.approx(math.log(10 / 100) - math.log(2 * 19.0))
    assert (line.of(np.array([[50.0], [-10.0]]))[0:1] == line.of(np.array([[50.0]]))).all()


def test_clusters_coverage_and_pairs_of_classes_are_counted() -> None:
    codes = np.array([[0.0, 0.0], [0.5, 0.0], [5.0, 0.0], [5.0, 0.9]])
    assert metrics.clusters(codes, 1.0, "l2") == 2
    grid = np.stack(np.meshgrid(np.arange(10.0), np.arange(10.0)), axis=-1).reshape(-1, 2)
    assert metrics.coverage(grid, grid) == {"one_way": 1.0, "two_way": 1.0}
    assert metrics.coverage(grid[:10], grid) == {"one_way": 0.55, "two_way": 0.1}
    assert metrics.pairs_of_classes([1, 1, 2], [3, 3, 1]) == [[1, 3, 2], [2, 1, 1]]


def test_intervals_are_drawn_over_seeds_and_not_over_tests() -> None:
    same = {"x": metrics.Ratio(np.full(20, 2.0), np.full(20, 4.0))}
    assert metrics.intervals(same, 0) == {"x": [0.5, 0.5]}
    apart = {"x": metrics.Ratio(np.repeat([0.0, 4.0], 10), np.full(20, 4.0))}
    low, high = metrics.intervals(apart, 0)["x"] or (0.0, 0.0)
    assert 0.2 < low < 0.4
    assert 0.6 < high < 0.8
    assert metrics.intervals(apart, 0) == metrics.intervals(apart, 0)


def test_what_is_true_of_all_seeds_is_certain_of_no_more_than_so_many_seeds_can_tell() -> None:
    few = np.array([3.0, 1.0, 0.0, 0.0])  # tests of two seeds; two others have none
    low, high = metrics.intervals({"all": metrics.Ratio(few, few)}, 0)["all"] or (0.0, 0.0)
    assert (low, high) == (pytest.approx(math.sqrt(0.025)), 1.0)
    assert metrics.intervals({"none": metrics.Ratio(0 * few, few)}, 0)["none"] == [0.0, pytest.approx(1 - low)]
    assert metrics.intervals({"nothing": metrics.Ratio(0 * few, 0 * few)}, 0)["nothing"] is None
    one = {"half of one": metrics.Ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0]))}
    assert metrics.intervals(one, 0) == {"half of one": None}


# --- whole runs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_inside_a_radius_no_code_of_another_label_is_nearer_than_the_seed(folder: Path, norm: str) -> None:
    go(folder, f'generate.norm="{norm}"')
    reference = toy.Points(number=90).open()
    codes = np.stack([reference[row].sample for row in range(90)]).astype(np.float64)
    labels = np.array([reference[row].label for row in range(90)])
    for method in ("ball", "sphere", "search"):
        tests = made_tests(folder, method)
        assert (tests["move"] <= 0.95 * tests["radius"]).all()
        for code, move, label in zip(tests["code"], tests["move"], tests["label"], strict=True):
            others = codes[labels != json.loads(str(label))]
            assert lengths(others - code, norm).min() > move  # type: ignore[arg-type]


def test_two_runs_are_equal_bit_for_bit_and_seeds_do_not_depend_on_each_other(folder: Path) -> None:
    settings = ("validity.distinct=false",)
    go(folder, *settings)
    go(folder, *settings, "campaign.batch=3", out="again")
    go(folder, *settings, "generate.seeds=3", out="few")
    for method in ("ball", "sphere", "bridge", "search"):
        whole, again, few = (made_tests(folder, method, out) for out in ("run", "again", "few"))
        assert all(whole[name].tobytes() == again[name].tobytes() for name in whole)
        assert (whole["code"][: len(few["code"])] == few["code"]).all()


def test_the_search_finds_more_than_random_tests_and_the_figures_add_up(folder: Path) -> None:
    result = go(folder)
    ball_, search_ = result["methods"]["ball"], result["methods"]["search"]
    assert search_["confirmed_seeds"] > ball_["confirmed_seeds"]
    tests = made_tests(folder, "search")
    confirmed = tests["valid"] & tests["keeps_two"] & (tests["kind"] != "")
    assert search_["confirmed"] == confirmed.sum() > 0
    assert search_["confirmed_seeds_share"] == len(np.unique(tests["case"][confirmed])) / search_["accepted"]
    assert search_["precision"] == confirmed.sum() / (tests["valid"] & (tests["kind"] != "")).sum()
    assert search_["tests"] == 16 * search_["accepted"]
    assert json.loads((folder / "run" / "generate.json").read_text())["methods"].keys() == result["methods"].keys()


def test_a_pack_holds_each_failure_as_its_manifest_says(folder: Path) -> None:
    result = go(folder)
    told = json.loads((folder / "run" / "pack" / "manifest.json").read_text())["tests"]
    assert len(told) == sum(one["failures"] for one in result["methods"].values()) > 0
    codec = toy.ToyDomain().codec
    for entry in told:
        sample = codec.decode((folder / "run" / "pack" / entry["file"]).read_bytes())
        # The codes of this space are the samples, as real numbers.
        assert (sample == np.clip(np.rint(entry["code"]), 0, 255)).all()
        assert entry["candidate"] != entry["label"]


def test_a_pair_fails_where_its_models_differ(folder: Path) -> None:
    write_profile(folder, FEATURE + PAIR)
    result = go(folder, 'generate.methods=["search"]')
    tests = made_tests(folder, "search")
    assert result["kind"] == "pair"
    assert ((tests["kind"] == "failure") == (tests["answer_reference"] != tests["answer_candidate"])).all()
    assert result["methods"]["search"]["confirmed"] > 0


@pytest.mark.parametrize(("trap", "kind"), [("nan_above", "nonfinite"), ("fail_above", "crash")])
def test_what_no_model_answers_is_a_failure_of_its_own_kind(folder: Path, trap: str, kind: str) -> None:
    toy.write_model(folder / "candidate.json", **{trap: 205.0})
    result = go(folder, 'generate.methods=["sphere"]')
    tests = made_tests(folder, "sphere")
    above = np.clip(np.rint(tests["code"][:, 0]), 0, 255) > 205.0
    assert ((tests["kind"] == kind) == above).all()
    assert above.any()
    assert result["methods"]["sphere"][{"crash": "crashes"}.get(kind, kind)] == above.sum()


def test_finished_methods_are_kept_and_a_changed_profile_makes_them_anew(folder: Path) -> None:
    first = go(folder)
    made = (folder / "run" / "tests" / "ball.npz").stat().st_mtime_ns
    assert go(folder, resume=True)["methods"]["ball"] == json.loads(json.dumps(first["methods"]["ball"]))
    assert (folder / "run" / "tests" / "ball.npz").stat().st_mtime_ns == made
    assert go(folder, "generate.tests=5", resume=True)["methods"]["ball"]["tests"] < first["methods"]["ball"]["tests"]


def test_a_pack_holds_what_its_manifest_names_and_what_is_missing_is_made_again(folder: Path) -> None:
    go(folder)
    pack = folder / "run" / "pack"

    def pictures() -> set[str]:
        return {file.relative_to(pack).as_posix() for file in pack.rglob("*.npy")}

    def named() -> set[str]:
        tests = json.loads((pack / "manifest.json").read_text())["tests"]
        return {one[key] for one in tests for key in ("file", "seed_file", "reconstruction_file")}

    whole = named()
    assert pictures() == whole
    go(folder, 'generate.methods=["ball"]', resume=True)
    assert pictures() == named()
    assert not (pack / "search").exists()
    go(folder, resume=True)
    assert pictures() == named() == whole


def test_judges_of_one_name_that_check_and_measure_are_two(folder: Path) -> None:
    file = folder / "profile.toml"
    file.write_text(file.read_text().replace("[judges.measure.two]", "[judges.measure.one]"))
    toy.write_model(folder / "check.json", change=0.01)
    judges = go(folder)["judges"]
    assert judges["check"]["one"]["sha256"] != judges["measure"]["one"]["sha256"]
    made = (folder / "run" / "tests" / "ball.npz").stat().st_mtime_ns
    toy.write_model(folder / "check.json", change=0.02)
    go(folder, resume=True)
    assert (folder / "run" / "tests" / "ball.npz").stat().st_mtime_ns != made, "another judge checks now"


def test_judges_that_are_switched_off_screen_no_seed(folder: Path) -> None:
    toy.write_model(folder / "check.json", change=40.0)
    assert go(folder, "validity.judges=false", "validity.sure=false")["seeds"]["reconstruction"] == 0
    assert go(folder, out="on")["seeds"]["reconstruction"] > 0


def test_a_global_radius_is_the_least_and_keeps_seeds(folder: Path) -> None:
    result = go(folder, 'generate.radius="global"', 'generate.methods=["sphere"]')
    tests = made_tests(folder, "sphere")
    assert tests["radius"].max() <= result["separation"]["r"]
    assert result["seeds"]["accepted"] > 0


def test_the_same_sample_with_two_labels_is_named_and_the_trimmed_radius_used(folder: Path) -> None:
    found = go(folder, "reference.twins=1", 'generate.radius="global"', "generate.trim=0.1")["separation"]
    assert found["r"] == 0.0
    assert found["radius_used"] == "trimmed"
    first, second = found["suspects"][:2]
    assert {first["name"], second["name"]} == {"point 0", "point 1"}
    assert (first["other"], first["delta"]) == (second["name"], 0.0)
    assert (made_tests(folder, "ball")["radius"] == found["trimmed"]).all()
    assert found["trimmed"] > 0.0
    without = go(folder, "reference.twins=1", "generate.suspects=2", "generate.exclude_suspects=true", out="without")
    assert without["separation"]["r"] > without["separation"]["before"]["r"] == 0.0


def test_limits_can_be_switched_off(folder: Path) -> None:
    off = [f"validity.{name}=false" for name in ("cycle", "density", "reconstruction", "sure")]
    assert go(folder, *off)["seeds"]["held_out"] == 0
    held = made_tests(folder, "ball")
    assert {name for name in held if name.startswith("check_")} == {"check_label", "check_judges", "check_distinct"}


# --- what does not fit -------------------------------------------------------------------------------------------


def test_what_does_not_go_together_is_told_with_both_sides(folder: Path) -> None:
    with pytest.raises(MisfitError, match=r"\[reference\] has 9 samples"):
        go(folder, "reference.number=9")
    with pytest.raises(MisfitError, match=r"every sample of \[reference\] has the label 0"):
        go(folder, "reference.count=1", 'reference.order="given"')
    with pytest.raises(MisfitError, match="posterior"):
        go(folder, 'generate.methods=["posterior"]')
    with pytest.raises(MisfitError, match=r"\[4\].*uint8\[5\]"):
        go(folder, "seeds.width=5")
    for facts, told in (
        ({"data": "feed" * 16}, r"made on other data than \[reference\].*feedfeedfeed"),
        ({"range": [0.0, 1.0]}, r"for values from 0 to 1, and those of \[reference\]"),
    ):
        flat.write_space(folder / "flat.json", width=4, size=4, facts=facts)
        with pytest.raises(MisfitError, match=told):
            go(folder)
    flat.write_space(folder / "flat.json", width=4, size=4, idle=[0, 1, 2, 3])
    with pytest.raises(MisfitError, match="collapsed: none of its 4 dimensions"):
        go(folder)


def test_where_no_seed_passes_the_screen_it_is_told_why(folder: Path) -> None:
    toy.write_model(folder / "candidate.json", nan_above=-1.0)
    with pytest.raises(SeedSourceError, match=r"none of the 40 seeds passes the screen: .*under test"):
        go(folder)


def test_the_command_line_makes_tests_and_fails_by_a_gate(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("toy", "flat"):
        install_plugin(folder / "site", name, f"from {name} import *\n", distribution=f"dltf-{name}-there")
    monkeypatch.syspath_prepend(str(folder / "site"))
    planned = call("generate", "profile.toml", "--dry-run", cwd=folder)
    assert "16 tests for each seed and method" in planned.out
    called = call("generate", "profile.toml", "--out", "made", "--quiet", cwd=folder)
    assert called.status == 0, called
    assert "pass the screen" in called.out
    assert (folder / "made" / "report.html").is_file()
    assert "--resume" in refused("generate", "profile.toml", "--out", "made", cwd=folder)
    gated = ("--set", "gate.ball.confirmed={at_least=100000}", "--resume", "--quiet")
    called = call("generate", "profile.toml", "--out", "made", *gated, cwd=folder)
    assert called.status == 1
    assert re.search(r"^gate ball\.confirmed: \d+ \(at_least 100000\) FAILS$", called.out, flags=re.MULTILINE)
