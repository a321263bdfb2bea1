"""Findings that are shrunk towards their seeds and amplified: by hand, on the toy domain, and by the command line."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toy
from commands import dltf
from demo import copy_demo
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from profiles import write_profile

from dltf.builtin.classes import Classes
from dltf.builtin.oracles import TopLabel
from dltf.campaign import Outcome, run
from dltf.campaign.amplify import Amplifying, amplify
from dltf.campaign.directions import MOST, directions_of, principal
from dltf.campaign.export import export
from dltf.campaign.partners import line_of
from dltf.campaign.refine import stream_of
from dltf.campaign.replay import replay
from dltf.campaign.seen import Seen, column
from dltf.campaign.shrink import Lines, Shrinking, nearest, shrink
from dltf.campaign.slopes import hadamard, nearest_within
from dltf.errors import ProfileError, RunFolderError
from dltf.host import Host
from dltf.plugin import CampaignProgress, Observations, TensorSpec, hookimpl
from dltf.profile import read_profile
from dltf.report import write_report
from dltf.search.pair import Judged
from dltf.search.paths import Paths
from dltf.store import RunFolder, Store
from dltf.values import ScreenedSeeds

REFINED = ("shrink.queries=60", "amplify.queries=40")
SPACE = toy.ToyDomain.geometry

# Two linear variants of four bytes: the first two add up to "high" beyond 200 for the reference, 204 for the candidate.
REFERENCE_AT, CANDIDATE_AT = 200.0, 204.0


def observed(values: np.ndarray, at: float, *, scored: bool = True) -> Observations:
    logits = np.zeros((len(values), 2), dtype=np.float32)
    logits[:, 1] = (values[:, :2].astype(np.float64).sum(axis=1) - at) / 10
    seen = Classes(scores="logits").settle([TensorSpec("y", (None, 2), "float32")], {"y": logits}).decode({"y": logits})
    return seen if scored else Observations(seen.decisions, seen.log_scores, None, seen.tied, seen.finite)


def judged(values: np.ndarray, *, scored: bool = True) -> Judged:
    both = [observed(values, at, scored=scored) for at in (REFERENCE_AT, CANDIDATE_AT)]
    return Judged(np.arange(len(values)), *both, TopLabel().judge(*both))


def shrinking(samples: list[list[int]], *, budget: int = 200, scored: bool = True, **more: Any) -> Shrinking:
    found = np.array(samples, dtype=np.uint8)
    seen = judged(found, scored=scored)
    count = len(found)
    return Shrinking(
        space=SPACE,
        show=lambda tried, rows: Seen(judged(tried, scored=scored), len(tried)),
        seeds=np.full((count, 4), 80, dtype=np.uint8),
        samples=found,
        own=column(np.zeros(count, dtype=np.int64)),
        ours=column(seen.reference.decisions),
        theirs=column(seen.candidate.decisions),
        at_seed=np.full(count, (REFERENCE_AT + CANDIDATE_AT) / 20 - 16) if scored else np.ones(count),
        streams=[stream_of(0, "shrink", case) for case in range(count)],
        budget=budget,
        scored=scored,
        **more,
    )


# The seed is (80, 80, 80, 80). The nearest deviation adds 41 to the sum of the first two, and nothing to the others.
NEAREST = np.sqrt((20**2 + 21**2) / 4)
FOUND = [[150, 52, 200, 90], [101, 101, 255, 0], [201, 0, 80, 81]]
DIRECTIONS = np.array([[1, 1, 0, 0], [1, -1, 0, 0], [0, 0, 1, 1], [0, 0, 1, -1]], dtype=np.float32) / np.sqrt(2.0)


def test_a_finding_that_is_shrunk_goes_most_of_the_way_to_the_nearest_deviation_that_there_is() -> None:
    best = shrinking(FOUND)
    before = best.distances.copy()
    shrink(best)
    assert (judged(best.samples).verdicts.deviates).all()
    assert (best.distances >= NEAREST).all()
    assert (best.distances - NEAREST <= 0.25 * (before - NEAREST)).all()


def test_along_directions_it_comes_nearer_than_by_parts() -> None:
    by_parts, along = shrinking(FOUND), shrinking(FOUND, directions=DIRECTIONS)
    for best in (by_parts, along):
        shrink(best)
    assert judged(along.samples).verdicts.deviates.all()
    assert (along.distances >= NEAREST).all()
    assert (along.distances - NEAREST <= 0.5).all()  # one byte, at most
    assert along.distances.sum() < by_parts.distances.sum()


def test_what_no_direction_reaches_is_still_taken_back_as_a_whole() -> None:
    # The one direction is what matters; the change beside it gains nothing, and goes.
    best = shrinking([[110, 100, 200, 90]], directions=DIRECTIONS[:1])
    shrink(best)
    assert best.distances[0] < 1.05 * NEAREST


@pytest.mark.parametrize("budget", [0, 1, 5, 41, 200])
@pytest.mark.parametrize(
    "how", [{}, {"scored": False}, {"directions": DIRECTIONS}, {"scored": False, "directions": DIRECTIONS}]
)
def test_shrinking_spends_no_more_than_it_may_and_never_leads_away(budget: int, how: dict[str, Any]) -> None:
    best = shrinking(FOUND, budget=budget, **how)
    before = best.distances.copy()
    shrink(best)
    assert (best.queries <= budget).all()
    assert (best.distances <= before).all()
    assert judged(best.samples).verdicts.deviates.all()


def test_without_scores_the_parts_that_do_not_matter_are_taken_back() -> None:
    best = shrinking(FOUND, scored=False)
    shrink(best)
    assert (best.samples[:, 2:] == 80).all()


def test_the_trail_leads_nearer_with_every_step_and_deviates_all_along() -> None:
    best = shrinking(FOUND)
    shrink(best)
    for trail, seed in zip(best.trail, best.seeds, strict=True):
        assert judged(np.stack(trail)).verdicts.deviates.all()
        sizes = SPACE.size(np.stack(trail).astype(np.float64) - seed)
        assert (np.diff(sizes) < 0).all()


@pytest.mark.parametrize("how", [{}, {"directions": DIRECTIONS}])
def test_a_finding_is_shrunk_alone_as_it_is_among_others(how: dict[str, Any]) -> None:
    together = shrinking(FOUND, **how)
    shrink(together)
    for row, found in enumerate(FOUND):
        alone = shrinking([found], **how)
        alone.streams = [stream_of(0, "shrink", row)]
        shrink(alone)
        assert alone.samples[0].tolist() == together.samples[row].tolist()
        assert alone.queries[0] == together.queries[row]


def test_a_line_to_another_seed_is_taken_where_it_is_nearer() -> None:
    far = [[0, 201, 255, 255]]
    best = shrinking(far, budget=20)
    shrink(best, Lines(np.array([[120, 120, 80, 80]], dtype=np.uint8), np.array([0.5])))
    assert best.distances[0] < 1.1 * NEAREST
    assert best.samples[0, 2:].tolist() == [80, 80]
    without = shrinking(far, budget=20)
    shrink(without, Lines(np.array([[120, 120, 80, 80]], dtype=np.uint8), np.array([np.nan])))
    assert without.distances[0] > 2 * NEAREST


def test_answers_that_are_to_be_kept_are_kept() -> None:
    best = shrinking(FOUND, keep=True)
    best.ours[0], best.theirs[0] = 1, 1  # what no deviation is answered
    shrink(best)
    assert best.trail[0] == []
    assert best.trail[1]


@pytest.mark.parametrize("parts", [1, 3, 4, 16, 25, 31])
def test_a_design_measures_every_part_apart_from_the_others(parts: int) -> None:
    design = hadamard(parts)
    assert design.shape[1] == parts
    assert (design.T @ design == len(design) * np.eye(parts)).all()
    assert (design.sum(axis=0) == 0).all()


def test_the_nearest_point_is_the_one_worked_out_by_hand() -> None:
    # Gains −2 and −1 on parts of one size: s is proportional to (2, 1), and 2·s₁ + s₂ = 3 gives (6/5, 3/5). A part that
    # leads back to the seed's answer (gain +1) is left out; the others then make up less: 2·s₁ + s₂ = 2.
    squares = np.array([[4.0, 4.0, 4.0], [4.0, 4.0, 4.0]])
    gains = np.array([[-2.0, -1.0, 0.0], [-2.0, -1.0, 1.0]])
    assert nearest(squares, gains) == pytest.approx(np.array([[1.2, 0.6, 0.0], [0.8, 0.4, 0.0]]))


@given(
    arrays.arrays(np.float64, (3, 5), elements=st.floats(0.0, 100.0)),
    arrays.arrays(np.float64, (3, 5), elements=st.floats(-10.0, 10.0)),
)
def test_the_nearest_point_is_never_farther_than_the_finding(squares: np.ndarray, gains: np.ndarray) -> None:
    factors = nearest(squares, gains)
    assert ((factors >= 0) & (factors <= 2.5)).all()
    leads = np.where(squares > 0, gains, 0.0).sum(axis=1) < 0  # the whole change leads away from the seed's answer
    assert ((factors**2 * squares).sum(axis=1) <= squares.sum(axis=1) * (1 + 1e-6))[leads].all()


def test_the_nearest_point_within_bounds_is_the_one_worked_out_by_hand() -> None:
    # −2x − y = −5 is nearest to 0 at (2, 1); where x is at most 1, y makes up for it; where y is at most 0, x does.
    slope, wanted = np.full((3, 2), (-2.0, -1.0)), np.full(3, -5.0)
    most = np.array([[9.0, 9.0], [1.0, 9.0], [9.0, 0.0]])
    found = nearest_within(slope, wanted, np.full((3, 2), -9.0), most)
    assert found == pytest.approx(np.array([[2.0, 1.0], [1.0, 3.0], [2.5, 0.0]]))


def test_where_bounds_allow_too_little_the_nearest_point_is_at_all_of_them() -> None:
    found = nearest_within(np.array([[-2.0, 1.0, 0.0]]), np.array([-50.0]), np.full((1, 3), -3.0), np.full((1, 3), 4.0))
    assert found.tolist() == [[4.0, -3.0, 0.0]]


def test_a_line_leads_where_another_answer_takes_over_soonest() -> None:
    # At the seed 0 leads by 3; at the partners it trails by 1 and by 3: it crosses later on the way to the first.
    logits = np.array([[3.0, 0.0], [0.0, 1.0], [0.0, 3.0]], dtype=np.float32)
    decoder = Classes(scores="logits").settle([TensorSpec("y", (None, 2), "float32")], {"y": logits})
    seen = decoder.decode({"y": logits})

    class Neighbours:
        def nearest(self, row: int) -> tuple[np.ndarray, np.ndarray]:
            return (np.array([1, 2]), np.array([10.0, 11.0])) if row == 0 else (np.array([], np.int64), np.array([]))

    screened = ScreenedSeeds(np.arange(3), seen, seen, Neighbours())
    paths = Paths(screened, lambda row: np.array([row]), lambda seeds, ends, t: seeds)
    line = line_of(paths, 0)
    assert line is not None
    assert line.end.tolist() == [2]
    assert line.crossing == pytest.approx(0.5)
    assert line_of(paths, 1) is None


def test_the_directions_are_orthonormal_and_begin_with_what_differs_most() -> None:
    # Seeds on a plane: ±9 along the first axis, ±4 along the diagonal of the other two, nothing along the last.
    samples = np.full((4, 4), 100.0, dtype=np.float32)
    samples[:, 0] += [9, -9, 9, -9]
    samples[:, 1:3] += np.array([4, 4, -4, -4])[:, None]
    found = principal(samples)
    assert np.abs(found) == pytest.approx(np.array([[1, 0, 0, 0], [0, 0.5**0.5, 0.5**0.5, 0]]), abs=1e-6)
    many = principal(np.random.default_rng(0).normal(size=(200, 300)).astype(np.float32))
    assert many.shape == (MOST, 300)
    assert many @ many.T == pytest.approx(np.eye(MOST), abs=1e-4)


@pytest.mark.parametrize(
    ("seeds", "values", "enough"), [(31, 40, True), (30, 40, False), (5, 4, True), (4, 4, False), (0, 4, False)]
)
def test_too_few_seeds_give_no_directions(seeds: int, values: int, enough: bool) -> None:
    samples = np.random.default_rng(0).integers(0, 256, (seeds, values)).astype(np.uint8)
    samples = [np.zeros(values + 1, dtype=np.uint8), *samples]  # one of another shape, which is passed over
    answers = observed(np.zeros((seeds + 1, 4)), 0.0)
    screened = ScreenedSeeds(np.arange(seeds + 1), answers, answers, None)
    paths = Paths(screened, lambda row: samples[row], lambda seeds, ends, t: seeds)
    assert (directions_of(paths, np.zeros(values, dtype=np.uint8)) is not None) == enough


# --- amplifying ------------------------------------------------------------------------------------------------------


def amplified(room: float, queries: int = 200) -> tuple[np.ndarray, list[np.ndarray]]:
    """Amplify findings of two variants that read the gap between the first two values with opposite signs."""

    def both(values: np.ndarray) -> Judged:
        gap = (values[:, 0].astype(np.float64) - values[:, 1]) / 10
        answered = []
        for sign in (1.0, -1.0):
            logits = np.stack([np.zeros(len(values)), sign * gap], axis=1).astype(np.float32)
            spec = [TensorSpec("y", (None, 2), "float32")]
            answered.append(Classes(scores="logits").settle(spec, {"y": logits}).decode({"y": logits}))
        return Judged(np.arange(len(values)), *answered, TopLabel().judge(*answered))

    seeds, found = np.full((2, 4), 100, dtype=np.uint8), np.full((2, 4), 100, dtype=np.uint8)
    found[:, 0] = (104, 102)
    seen = both(found)
    margins = (np.array([0.4, 0.2]), np.array([0.4, 0.2]))
    trails = amplify(
        Amplifying(
            space=SPACE,
            show=lambda tried, rows: Seen(both(tried), len(tried)),
            seeds=seeds,
            samples=found,
            ours=column(seen.reference.decisions),
            theirs=column(seen.candidate.decisions),
            margins=margins,
            streams=[stream_of(0, "amplify", case) for case in range(2)],
            queries=queries,
            room=room,
        )
    )
    return found, [np.stack(trail) for trail in trails]


def test_an_amplified_finding_is_the_worst_that_its_room_allows() -> None:
    # The gap, whichever way, grows fastest where one value goes up as the other goes down: r·√8 at an rms of r.
    found, trails = amplified(room=10.0)
    for start, trail in zip(found, trails, strict=True):
        room = 10.0 + float(SPACE.size(start[None].astype(np.float64) - 100)[0])
        assert (SPACE.size(trail.astype(np.float64) - 100) <= room).all()
        gaps = np.abs(trail[:, 0].astype(np.float64) - trail[:, 1])
        assert (np.diff(gaps) > 0).all()
        assert gaps[-1] >= 0.9 * room * np.sqrt(8)


def test_amplifying_needs_no_room_to_be_harmless() -> None:
    found, trails = amplified(room=1.0, queries=30)
    assert all(len(trail) for trail in trails)
    assert found[0].tolist() == [104, 100, 100, 100]


# --- in a campaign ---------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    toy.write_model(tmp_path / "reference.json")
    toy.write_model(tmp_path / "candidate.json", change=0.1)
    write_profile(tmp_path)
    return tmp_path


def go(folder: Path, *settings: str, out: str = "run", resume: bool = False, host: Host | None = None) -> Outcome:
    host = host or Host([toy.ENTRY])
    profile = read_profile(folder / "profile.toml", host, settings)
    return run(profile, host, RunFolder(folder / out), resume=resume)


def test_what_is_shrunk_is_nearer_what_is_amplified_is_worse_and_all_of_it_is_confirmed(folder: Path) -> None:
    outcome = go(folder, *REFINED)
    shrunk, amplified = outcome.summary["shrink"], outcome.summary["amplify"]
    assert shrunk["distance"]["after"] < shrunk["distance"]["before"]
    assert amplified["severity"]["after"]["median"] > 2 * amplified["severity"]["before"]["median"]
    assert shrunk["findings"] == outcome.summary["outcomes"]["found"]
    assert amplified["findings"] == outcome.summary["findings"]
    assert shrunk["queries"] <= 60 * shrunk["findings"]
    assert amplified["queries"] == 40 * amplified["findings"]
    host = Host([toy.ENTRY])
    with Store(outcome.folder, write=False) as store:
        for finding in list(store.findings())[:15]:
            derived = store.derived(finding.case)
            assert list(derived) == (["shrink", "amplify"] if finding.phase == "search" else ["amplify"])
            assert all(replay(store, host, finding.case, phase=phase).same for phase in derived)
            assert derived["amplify"].severity >= finding.severity
            assert derived["amplify"].distances["rms"] <= finding.distances["rms"] + 16.0
            if "shrink" in derived:
                assert derived["shrink"].distances["rms"] <= finding.distances["rms"]
                assert derived["shrink"].kind == "deviation"


def test_refining_changes_nothing_of_what_was_found(folder: Path) -> None:
    plain, refined = go(folder, out="plain").summary, go(folder, *REFINED, out="refined").summary
    assert plain["findings_sha256"] == refined["findings_sha256"]
    assert plain["queries"] == refined["queries"]
    assert plain["severity"] == refined["severity"]
    assert plain["shrink"] is plain["amplify"] is None


@pytest.mark.parametrize("batch", [1, 7])
def test_what_becomes_of_findings_does_not_depend_on_the_batch(folder: Path, batch: int) -> None:
    one = go(folder, *REFINED, out="one").summary
    other = go(folder, *REFINED, f"campaign.batch={batch}", out="other").summary
    for phase in ("shrink", "amplify"):
        assert one[phase]["sha256"] == other[phase]["sha256"]


class _Stopper:
    """Interrupts a campaign, as Ctrl-C does, at the n-th word of a phase."""

    def __init__(self, phase: str, after: int) -> None:
        self.phase = phase
        self.left = after

    @hookimpl
    def dltf_campaign_progressed(self, progress: CampaignProgress) -> None:
        self.left -= progress.phase == self.phase
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("phase", ["shrink", "amplify"])
def test_a_run_that_was_stopped_while_it_refined_ends_as_one_that_was_not(folder: Path, phase: str) -> None:
    settings = (*REFINED, "campaign.batch=5")
    whole = go(folder, *settings, out="whole").summary
    host = Host([toy.ENTRY])
    host.observe(_Stopper(phase, 1))
    stopped = go(folder, *settings, host=host)
    assert stopped.interrupted
    assert not stopped.summary["finished"]
    resumed = go(folder, *settings, resume=True).summary
    assert resumed["finished"]
    for name in ("shrink", "amplify"):
        assert {**resumed[name], "seconds": 0} == {**whole[name], "seconds": 0}


def test_a_finished_run_can_be_refined_later_and_then_by_no_other_settings(folder: Path) -> None:
    go(folder)
    later = go(folder, *REFINED, resume=True)
    assert not later.was_finished
    at_once = go(folder, *REFINED, out="at-once").summary
    assert later.summary["shrink"]["sha256"] == at_once["shrink"]["sha256"]
    assert go(folder, *REFINED, resume=True).was_finished
    with pytest.raises(RunFolderError, match=r"these keys differ: shrink\.queries"):
        go(folder, "shrink.queries=61", REFINED[1], resume=True)


def test_the_most_severe_findings_alone_can_be_amplified(folder: Path) -> None:
    outcome = go(folder, "amplify.queries=10", "amplify.findings=3")
    with Store(outcome.folder, write=False) as store:
        ordered = sorted(store.findings(), key=lambda finding: -finding.severity)
        assert store.derived_cases("amplify") == {finding.case for finding in ordered[:3]}


def test_answers_can_be_kept_while_findings_are_shrunk(folder: Path) -> None:
    outcome = go(folder, "shrink.queries=60", "shrink.keep_answers=true")
    with Store(outcome.folder, write=False) as store:
        for finding in store.findings():
            for derived in store.derived(finding.case).values():
                assert derived.reference.decision == finding.reference.decision
                assert derived.candidate.decision == finding.candidate.decision


def test_seeds_alone_can_be_amplified_where_the_variants_differ_on_them(folder: Path) -> None:
    toy.write_model(folder / "candidate.json", change=2.0)
    summary = go(folder, *REFINED, "search.max_queries=0").summary
    assert summary["screened"]["natural"] > 0
    assert summary["shrink"]["findings"] == 0
    assert summary["amplify"]["findings"] == summary["screened"]["natural"]


def test_an_input_on_which_a_runtime_fails_does_not_stop_it(folder: Path) -> None:
    toy.write_model(folder / "candidate.json", change=0.1, fail_above=150, nan_above=120)
    summary = go(folder, *REFINED).summary
    assert summary["finished"]
    assert summary["crashes"] > 0
    assert summary["shrink"]["findings"] == summary["outcomes"]["found"]


def test_a_domain_that_offers_no_changes_is_told_of_and_is_no_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("parts", "patch"):
        monkeypatch.delattr(type(SPACE), name)
    summary = go(folder, *REFINED).summary
    assert summary["finished"]
    assert summary["shrink"]["why_not"] == 'the domain "toy" has no parts'
    assert summary["amplify"]["why_not"] == 'the domain "toy" has no patch'
    assert summary["amplify"]["findings"] == 0


def test_gates_on_what_became_of_findings_are_evaluated_or_fail(folder: Path) -> None:
    gate = ("gate.amplified_severity_worst.at_most=0.0001", "gate.shrunk_distance_median.at_most=100")
    refined = go(folder, *REFINED, *gate).summary["gates"]
    assert [judgement["holds"] for judgement in refined] == [False, True]
    plain = go(folder, *gate, out="plain").summary["gates"]
    assert all("could not be evaluated" in judgement["why"] for judgement in plain)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("shrink.queries=-1", r"shrink\.queries = -1: must be >= 0"),
        ("shrink.querys=1", 'did you mean "queries"'),
        ("amplify.room=nan", r"amplify\.room"),
        ("amplify.findings=0", r"amplify\.findings = 0"),
        ('amplify="on"', r"expected a table, \[amplify\]"),
        ("shrnk.queries=1", 'did you mean "shrink"'),
    ],
)
def test_a_setting_that_does_not_do_is_refused(folder: Path, setting: str, told: str) -> None:
    with pytest.raises(ProfileError, match=told):
        read_profile(folder / "profile.toml", Host([toy.ENTRY]), [setting])


def test_a_finding_that_was_not_refined_cannot_be_replayed_so(folder: Path) -> None:
    outcome = go(folder, "shrink.queries=20")
    with Store(outcome.folder, write=False) as store:
        case = next(store.findings()).case
        with pytest.raises(RunFolderError, match=f"has no finding {case} of the phase amplify"):
            replay(store, Host([toy.ENTRY]), case, phase="amplify")


def test_an_export_has_what_became_of_each_finding(folder: Path) -> None:
    outcome = go(folder, *REFINED)
    with Store(outcome.folder, write=False) as store:
        entries = export(store, Host([toy.ENTRY]), folder / "files")
        searched = next(entry for entry in entries if entry["phase"] == "search")
        derived = store.derived(searched["case"])
    for phase, finding in derived.items():
        told = searched["derived"][phase]
        assert told["finding"] == f"findings/{searched['case']:06d}.{phase}.npy"
        assert (folder / "files" / told["finding"]).read_bytes() == finding.sample
        assert (folder / "files" / told["preview"]).is_file()
        assert told["severity"] == finding.severity
    assert {"shrink", "amplify"} == set(searched["derived"])


def test_the_report_shows_what_became_of_findings(folder: Path) -> None:
    outcome = go(folder, *REFINED)
    with Store(outcome.folder, write=False) as store:
        page = write_report(store, Host([toy.ENTRY]), outcome.folder.path).read_text()
    assert "shrunk: " in page
    assert "amplified: " in page
    assert "What became of them" in page


def test_on_pictures_by_the_command_line(tmp_path: Path) -> None:
    copy_demo(tmp_path)
    settings = ["search.use=bracket", "seeds.count=60", "shrink.queries=150", "amplify.queries=60"]
    command = ["run", "profile.toml", "--out", "run", "--quiet"]
    text = (tmp_path / "profile.toml").read_text()
    for line in ('fitness = "released"\n', 'selection = "released"\n'):
        text = text.replace(line, "")
    (tmp_path / "profile.toml").write_text(text)
    done = dltf(*command, *[part for one in settings for part in ("--set", one)], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    distance, severity = summary["shrink"]["distance"], summary["amplify"]["severity"]
    assert distance["after"] < 0.8 * distance["before"]
    assert severity["after"]["median"] > 3 * severity["before"]["median"]
    assert f"shrunk      {summary['shrink']['improved']} of {summary['shrink']['findings']} findings" in done.stdout
    alone = dltf(
        *["run", "profile.toml", "--out", "alone", "--quiet", "--set", "campaign.batch=3"],
        *[part for one in settings for part in ("--set", one)],
        cwd=tmp_path,
    )
    assert alone.returncode == 0, alone.stderr
    again = json.loads((tmp_path / "alone" / "summary.json").read_text())
    assert [again[phase]["sha256"] for phase in ("shrink", "amplify")] == [
        summary[phase]["sha256"] for phase in ("shrink", "amplify")
    ]
    case = min(shrunk_cases(tmp_path / "run"))
    for phase in ("shrink", "amplify"):
        replayed = dltf("replay", "run", str(case), "--phase", phase, cwd=tmp_path)
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
        assert "reproduced" in replayed.stdout
    exported = dltf("export", "run", "files", cwd=tmp_path)
    assert exported.returncode == 0, exported.stderr
    assert (tmp_path / "files" / "findings" / f"{case:06d}.shrink.png").is_file()


def test_killed_while_it_refines_and_resumed_a_run_ends_as_one_that_was_not(tmp_path: Path) -> None:
    copy_demo(tmp_path)
    settings = [*("--set", "search.max_queries=100", "--set", "shrink.queries=200", "--set", "amplify.queries=200")]
    settings += ["--set", "campaign.batch=2"]

    def command(out: str) -> list[str]:
        return ["run", "profile.toml", "--out", out, *settings, "--resume"]

    assert dltf(*command("whole"), cwd=tmp_path).returncode == 0
    for phase in ("shrinking", "amplifying"):
        start = [sys.executable, "-m", "dltf.cli", *command("killed")]
        with subprocess.Popen(start, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as run:
            assert run.stderr is not None
            assert any(line.startswith(phase) for line in iter(run.stderr.readline, ""))
            run.kill()
        with Store(RunFolder(tmp_path / "killed"), write=False) as store:
            assert not store.fact("finished", False)
    assert dltf(*command("killed"), cwd=tmp_path).returncode == 0
    whole, killed = (json.loads((tmp_path / out / "summary.json").read_text()) for out in ("whole", "killed"))
    for phase in ("shrink", "amplify"):
        assert killed[phase]["sha256"] == whole[phase]["sha256"]
        assert killed[phase]["queries"] == whole[phase]["queries"]


def test_the_reference_tells_every_key_of_what_became_of_findings(folder: Path) -> None:
    spec = importlib.util.spec_from_file_location("generate", Path(__file__).parents[1] / "docs/generate_reference.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    summary = go(folder, *REFINED).summary
    for phase in ("shrink", "amplify"):
        told = summary[phase]
        inner = {f"{key}.{name}" for key in ("distance", "severity") for name in told[key]}
        assert inner | told.keys() - {"distance", "severity"} == generate.REFINED.keys()


def shrunk_cases(run: Path) -> set[int]:
    with Store(RunFolder(run), write=False) as store:
        return store.derived_cases("shrink")
