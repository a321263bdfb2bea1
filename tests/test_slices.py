"""The figures of parts of the seeds, clusters of findings, and gates on them."""

from __future__ import annotations

from pathlib import Path

import pytest
import toy
from profiles import write_profile

from dltf.campaign import Outcome, run
from dltf.campaign.gates import evaluate
from dltf.campaign.slices import order
from dltf.errors import ProfileError
from dltf.host import Host
from dltf.profile import Gate, read_profile
from dltf.store import RunFolder, Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    toy.write_model(tmp_path / "reference.json")
    toy.write_model(tmp_path / "candidate.json", change=1.5)
    write_profile(tmp_path)
    return tmp_path


def go(folder: Path, *settings: str, out: str = "run") -> Outcome:
    host = Host([toy.ENTRY])
    return run(read_profile(folder / "profile.toml", host, settings), host, RunFolder(folder / out))


def test_slices_add_up_to_the_whole(folder: Path) -> None:
    summary = go(folder).summary
    assert list(summary["slices"]) == ["label", "camera", "gain"]  # "number" has a value for each seed
    for parts in summary["slices"].values():
        assert sum(part["seeds"] for part in parts) == summary["screened"]["seeds"] == 60
        assert sum(part["natural"] for part in parts) == summary["screened"]["natural"] > 0
        assert sum(part["found"] for part in parts) == summary["outcomes"]["found"]
        assert sum(part["findings"] for part in parts) == summary["findings"]
        right = sum(part["accuracy"]["candidate"] * part["seeds"] for part in parts)
        assert right == pytest.approx(summary["accuracy"]["candidate"] * 60)
        assert max(part["severity_worst"] for part in parts) == summary["severity"]["worst"]
    assert [part["value"] for part in summary["slices"]["gain"]] == [0.0, 0.5, 1.0, 1.5]


def test_severity_is_that_of_the_stored_answers(folder: Path) -> None:
    outcome = go(folder)
    with Store(outcome.folder, write=False) as store:
        findings = list(store.findings())
    for finding in findings:
        ours, theirs = finding.reference, finding.candidate
        assert ours is not None
        assert theirs is not None
        told = [float(a.state[a.decision] / a.state[b.decision]) for a, b in ((ours, theirs), (theirs, ours))]
        assert finding.severity is not None
        assert 2.718281828**finding.severity == pytest.approx(min(told), rel=1e-4)
    assert sum(outcome.summary["severity"]["grades"].values()) == len(findings)


def test_clusters_are_the_findings_by_answers_and_operator(folder: Path) -> None:
    summary = go(folder).summary
    assert sum(cluster["findings"] for cluster in summary["clusters"]) == summary["findings"]
    assert {cluster["operator"] for cluster in summary["clusters"]} <= {"", "toy.jitter", "toy.nudge"}
    assert summary["clusters"] == sorted(summary["clusters"], key=lambda cluster: -cluster["findings"])
    with Store(RunFolder(folder / "run"), write=False) as store:
        for cluster in summary["clusters"]:
            example = store.finding(cluster["example"])
            assert example.reference is not None
            assert example.reference.decision == cluster["reference"]
            assert example.severity == cluster["severity_worst"]


def test_a_gate_on_a_slice_tells_the_worst_of_its_parts(folder: Path) -> None:
    write_profile(
        folder, (folder / "profile.toml").read_text() + '\n[gate]\nnatural_rate = [{ at_most = 1.0 }, '
        '{ at_most = 0.0, slice = "camera" }, { at_most = 1.0, slice = "gain" }]\n'
        'accuracy_drop = { at_most = 0.5, slice = "label", fewest = 20 }\n'
        'severity_worst = { at_most = 100 }\nregressions = { at_most = 1000, slice = "number", fewest = 1 }\n'
    )  # fmt: skip
    gates = go(folder).summary["gates"]
    assert [gate["holds"] for gate in gates] == [True, False, True, True, True, True]
    camera = gates[1]
    rates = {part["value"]: part["natural_rate"] for part in go(folder, out="again").summary["slices"]["camera"]}
    assert camera["value"] == max(rates.values()) == rates[camera["worst"]]
    assert gates[-1]["slices"] == 60  # a column that is asked for is sliced, however many values it has


@pytest.mark.parametrize(
    ("gate", "why"),
    [
        (
            'natural_rate = { at_most = 1.0, slice = "colour" }',
            'no column "colour"; there is "camera", "gain", "label"',
        ),
        ('natural_rate = { at_most = 1.0, slice = "label", fewest = 50 }', 'no value of "label" has 50 seeds or more'),
    ],
)
def test_a_gate_on_a_slice_that_is_not_there_fails(folder: Path, gate: str, why: str) -> None:
    write_profile(folder, f"{(folder / 'profile.toml').read_text()}\n[gate]\n{gate}\n")
    outcome = go(folder)
    assert not outcome.gates_hold
    assert why in outcome.summary["gates"][0]["why"]


@pytest.mark.parametrize(
    ("gate", "told"),
    [
        ('skipped = { at_most = 1, slice = "label" }', "this figure is not there for each slice"),
        ("severity_wrost = { at_most = 1 }", 'did you mean "severity_worst"?'),
        ("distance_rsm_mean = { at_most = 1 }", 'did you mean "distance_rms_mean"?'),
        ('natural_rate = { slice = "label" }', "expected a bound"),
        ("natural_rate = []", "expected a bound"),
        ("natural_rate = { at_most = nan }", "at_most = nan: must be a finite number"),
        ("natural_rate = { at_least = -inf }", "at_least = -inf: must be a finite number"),
        ("natural_rate = { at_least = 0.5, at_most = 0.2 }", "at_least = 0.5 is above at_most = 0.2"),
        ("natural_rate = { at_most = 0.2, fewest = 3 }", "is for slices alone"),
        ('natural_rate = { at_most = 0.2, slice = "" }', "slice"),
    ],
)
def test_a_gate_that_makes_no_sense_is_a_complaint(folder: Path, gate: str, told: str) -> None:
    write_profile(folder, f"{(folder / 'profile.toml').read_text()}\n[gate]\n{gate}\n")
    with pytest.raises(ProfileError, match="gate") as caught:
        read_profile(folder / "profile.toml", Host([toy.ENTRY]))
    assert told in str(caught.value)


def test_values_that_are_written_alike_are_judged_apart() -> None:
    """A column of a JSON lines manifest may hold 1 and "1": a gate sees both, whichever comes last."""
    part = {"natural_rate": 0.5, "seeds": 20, "findings": 3, "accuracy": None}
    severities = dict.fromkeys(("severity_median", "severity_p95", "severity_worst"))
    summary = {"finished": True, "slices": {"site": [part | severities | {"value": 1}]}}
    summary["slices"]["site"].append(summary["slices"]["site"][0] | {"value": "1", "natural_rate": 0.0})
    (judged,) = evaluate([Gate("natural_rate", at_most=0.1, slice="site")], summary)
    assert (judged["holds"], judged["beyond"], judged["slices"]) == (False, 1, 2)


def test_slices_come_in_order_whatever_their_values_are() -> None:
    values = ["b", 2, None, float("nan"), "a", True, [1], 1.5]
    assert [str(value) for value in sorted(values, key=order)] == ["True", "1.5", "2", "None", "[1]", "a", "b", "nan"]
