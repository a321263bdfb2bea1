"""A repaired variant is a variant like any other: searched, measured, replayed, put into a matrix; worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import toy
import toy_heads
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from profiles import TOY, write_profile
from toy_heads import Shifted, write_repair

from dltf.builtin.classes import Classes
from dltf.campaign import run
from dltf.campaign.gap.measure import measure
from dltf.campaign.opening import make_pair, open_seeds, settle
from dltf.campaign.replay import replay
from dltf.errors import MisfitError, ProfileError, RunFolderError
from dltf.host import Host
from dltf.matrix.run import run_matrix
from dltf.plugin import Observations, TensorSpec
from dltf.profile import Profile, read_profile, to_toml
from dltf.profile.matrix import read_matrix
from dltf.repaired.decoder import Correction, Repaired
from dltf.repaired.intervention import intervened
from dltf.repaired.record import read_repair
from dltf.store import RunFolder, Store

SPECS = [TensorSpec("scores", (None, 3), "float32")]
OWN = np.array([[0.5, 0.4, 0.1], [0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.45, 0.35, 0.2]], dtype=np.float32)
BY = [0.0, float(np.log(2.0)), 0.0]  # class 1 counts twice


@pytest.fixture
def host() -> Host:
    return Host([toy.ENTRY, toy_heads.ENTRY])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A toy pair, whose candidate prefers class 0, and a repair of it."""
    toy.write_model(tmp_path / "reference.json")
    candidate = toy.write_model(tmp_path / "candidate.json", change=0.1)
    write_repair(tmp_path / "repair", candidate, BY)
    write_profile(
        tmp_path, TOY.replace('file = "candidate.json"', 'file = "candidate.json"\nrepair = "repair/repair.json"')
    )
    return tmp_path


def read(folder: Path, host: Host, *settings: str) -> Profile:
    return read_profile(folder / "profile.toml", host, settings)


def corrected(tmp_path: Path, threshold: float, inner: Any = None, by: list[float] = BY) -> Repaired:
    """Return a repaired decoder that has settled."""
    model = toy.write_model(tmp_path / "model.json")
    record = read_repair(write_repair(tmp_path / "repair", model, by, threshold))
    return Repaired(inner or Classes(), Correction(record, Shifted(by))).settle(SPECS, {"scores": OWN})


# --- by hand -----------------------------------------------------------------------------------------------------


def test_the_head_takes_the_word_where_it_is_surer_of_another_class(tmp_path: Path) -> None:
    # The head says (0.5, 0.8, 0.1) ÷ 1.4, (0.7, 0.4, 0.1) ÷ 1.2, (0.1, 1.2, 0.3) ÷ 1.6 and (0.45, 0.7, 0.2) ÷ 1.35.
    seen = corrected(tmp_path, 0.0).decode({"scores": OWN})
    assert list(seen.decisions) == [1, 0, 1, 1]
    assert seen.states is not None
    assert seen.states.dtype == np.float32
    np.testing.assert_allclose(seen.states[0], [0.5 / 1.4, 0.8 / 1.4, 0.1 / 1.4], rtol=1e-6)
    np.testing.assert_array_equal(seen.states[1:3], OWN[1:3])  # where both prefer one class, nothing changes
    np.testing.assert_allclose(seen.log_scores, np.log([0.8 / 1.4, 0.7, 0.6, 0.7 / 1.35]), rtol=1e-6)
    assert not seen.tied.any()
    assert seen.finite.all()


def test_below_the_threshold_the_candidate_keeps_its_answer(tmp_path: Path) -> None:
    # Its advantages are 0.3 ÷ 1.4 = 0.2143 in the first row and 0.25 ÷ 1.35 = 0.1852 in the last.
    assert list(corrected(tmp_path, 0.2).decode({"scores": OWN}).decisions) == [1, 0, 1, 0]
    assert list(corrected(tmp_path, 0.22).decode({"scores": OWN}).decisions) == [0, 0, 1, 0]


def test_any_class_is_scored_by_what_decides(tmp_path: Path) -> None:
    repaired = corrected(tmp_path, 0.2)
    seen = repaired.decode({"scores": OWN})
    scored = seen.score([0, 1, 2, 1])
    assert scored is not None
    np.testing.assert_allclose(scored, np.log([0.5 / 1.4, 0.2, 0.3, 0.35]), rtol=1e-6)
    assert seen.states is not None
    np.testing.assert_array_equal(repaired.scorer_of(seen.states).score([0, 1, 2, 1]), scored)


def test_a_row_that_is_not_finite_stays_so(tmp_path: Path) -> None:
    rows = OWN.copy()
    rows[1, 0] = np.nan
    assert list(corrected(tmp_path, 0.0).decode({"scores": rows}).finite) == [True, False, True, True]


@given(
    rows=arrays(np.float32, (7, 3), elements=st.floats(2.0**-6, 1.0, width=32)),
    by=st.lists(st.floats(-2, 2), min_size=3, max_size=3),
    threshold=st.floats(0, 1),
)
def test_every_row_is_the_candidates_or_the_heads(rows: np.ndarray, by: list[float], threshold: float) -> None:
    head = Shifted(by).scores(rows)
    scores, changed = intervened(rows, head, threshold)
    np.testing.assert_array_equal(scores[changed], head[changed].astype(np.float32))
    np.testing.assert_array_equal(scores[~changed], rows[~changed])
    assert (scores[changed].argmax(axis=1) != rows[changed].argmax(axis=1)).all()


# --- a variant like any other ------------------------------------------------------------------------------------


def test_a_repaired_variant_answers_as_its_head_says(folder: Path, host: Host) -> None:
    profile = read(folder, host)
    seeds, cases = open_seeds(profile)
    samples = [seeds[case].sample for case in cases]
    with make_pair(profile) as pair:
        settle(profile, pair, seeds, cases)
        seen = pair.candidate.observe(samples)
        own = pair.candidate.own
        assert own is not None
        plain = own.decode(pair.candidate.raw(samples)[0][1])
    assert plain.states is not None
    expected, _ = intervened(plain.states, Shifted(BY).scores(plain.states), 0.0)
    np.testing.assert_array_equal(seen.states, expected)
    assert pair.candidate.name == "candidate.json (repaired)"
    assert any(note.startswith("repaired by a head (toy.shift)") for note in pair.candidate.notes)


def test_a_run_on_a_repaired_candidate_is_searched_gone_on_with_and_replayed(folder: Path, host: Host) -> None:
    profile = read(folder, host)
    outcome = run(profile, host, RunFolder(folder / "run"))
    facts = outcome.summary["variants"]["candidate"]
    assert facts["repair"]["head"] == "toy.shift"
    assert facts["repair"]["of"] == read_repair(folder / "repair" / "repair.json").candidate["sha256"]
    assert any("repaired" in note for note in facts["notes"])
    assert outcome.summary["findings"] > 0
    assert run(profile, host, RunFolder(folder / "run"), resume=True).was_finished
    with Store(RunFolder(folder / "run").for_reading(), write=False) as store:
        assert outcome.example is not None
        assert replay(store, host, outcome.example).same


def test_a_finding_can_be_shown_to_what_was_repaired_since(folder: Path, host: Host) -> None:
    outcome = run(read_profile(write_profile(folder, name="plain.toml"), host), host, RunFolder(folder / "plain"))
    repair = folder / "repair" / "repair.json"
    with Store(RunFolder(folder / "plain").for_reading(), write=False) as store:
        assert outcome.example is not None
        again = replay(store, host, outcome.example, [f"models.candidate.repair={repair}"])
    assert again.changed == (str(folder / "candidate.json"),)


@pytest.mark.parametrize("changed", ["repair.json", "head.json"])
def test_a_run_does_not_go_on_with_another_repair(folder: Path, host: Host, changed: str) -> None:
    run(read(folder, host, "search.max_queries=5"), host, RunFolder(folder / "run"))
    file = folder / "repair" / changed
    file.write_text(file.read_text() + " ")
    with pytest.raises(RunFolderError, match=r"the candidate's file .*candidate.json, or its repair, has changed"):
        run(read(folder, host, "search.max_queries=5"), host, RunFolder(folder / "run"), resume=True)


def test_a_run_may_go_on_from_a_repair_that_has_moved(folder: Path, host: Host) -> None:
    run(read(folder, host, "search.max_queries=5"), host, RunFolder(folder / "run"))
    (folder / "repair").rename(folder / "moved")
    moved = read(folder, host, "search.max_queries=5", f"models.candidate.repair={folder}/moved/repair.json")
    assert run(moved, host, RunFolder(folder / "run"), resume=True).was_finished


def test_a_profile_written_down_again_says_what_repairs(folder: Path, host: Host) -> None:
    profile = read(folder, host)
    again = read_profile(write_profile(folder, to_toml(profile.tree), "again.toml"), host)
    assert again.tree == profile.tree
    assert again.tree["models"]["candidate"]["repair"] == str(folder / "repair" / "repair.json")
    assert again.candidate.repairing is not None
    assert again.candidate.repairing.component == toy_heads.Shift(rate=0.5)


def test_a_matrix_holds_repaired_variants_beside_others(folder: Path, host: Host) -> None:
    text = """
    [campaign]
    name = "toy"
    domain = "toy"
    [seeds]
    use = "toy.points"
    [matrix]
    source = "candidate.json"
    repetitions = 0
    [[matrix.variants]]
    name = "as it is"
    [[matrix.variants]]
    name = "repaired"
    repair = "repair/repair.json"
    [[matrix.variants]]
    name = "of another"
    source = "reference.json"
    repair = "repair/repair.json"
    """
    profile = read_matrix(write_profile(folder, text, "matrix.toml"), host)
    plain, repaired, other = run_matrix(profile, host, folder / "matrix")["variants"]
    assert plain["sha256"] != repaired["sha256"]
    assert any("repaired by a head" in note for note in repaired["notes"])
    assert other["verdict"] == "does not load"
    assert "repair.json repairs candidate.json" in other["reason"]


PAIR = """
import numpy as np

def reference(pictures):
    return answers(pictures, 78.0)

def candidate(pictures):
    return answers(pictures, 80.0)

def answers(pictures, border):
    odds = np.exp((pictures.mean(axis=(1, 2, 3)) - border) / 2.0)
    return np.stack([1 / (1 + odds), odds / (1 + odds)], axis=1).astype(np.float32)
"""

PICTURES = """
[campaign]
name = "levels"
domain = "image"
[seeds]
use = "image.digits"
count = 60
[models.reference]
python = "levels:reference"
[models.candidate]
python = "levels:candidate"
repair = "repair/repair.json"
[search]
max_queries = 0
"""


@pytest.mark.parametrize(
    ("by", "threshold", "crossing"),
    [
        ([0.0, 0.0], 0.0, 80.0),  # a head that says what the candidate says
        ([0.0, 1.0], 0.0, 78.0),  # the candidate's odds, one unit up: the reference's
        ([0.0, 1.0], 0.2, 78.0 + 4 * np.arctanh(0.2)),  # its advantage is tanh((level − 78) / 4)
        ([0.0, 1.0], 0.5, 80.0),  # which is tanh(½) = 0.462 at most
    ],
)
def test_the_gap_of_a_repaired_candidate_is_where_its_head_takes_the_word(
    tmp_path: Path, write_module: Callable[[str], str], by: list[float], threshold: float, crossing: float
) -> None:
    host = Host([EntryPoint("image", "dltf_image.plugin", "dltf"), toy_heads.ENTRY])
    module = write_module(PAIR)
    write_repair(tmp_path / "repair", tmp_path / f"{module}.py", by, threshold)
    profile = read_profile(write_profile(tmp_path, PICTURES.replace("levels:", f"{module}:")), host)
    with make_pair(profile) as pair:
        settle(profile, pair, *open_seeds(profile))
        levels = np.arange(70, 90, 0.25)
        pictures = [np.full((8, 8, 1), 0, np.uint8) + _split(level) for level in levels]
        located = [
            level for level, seen in zip(levels, pair.candidate.observe(pictures).decisions, strict=True) if seen
        ]
    assert abs(min(located) - crossing) <= 0.25
    found = measure([profile], ["candidate"]).candidates[0].figures
    assert found["paths"] > 0
    assert (found["mean"] < 0.05) == (abs(crossing - 78.0) < 0.1)


def _split(level: float) -> np.ndarray:
    """Return an 8 × 8 picture with this mean, in steps of a quarter."""
    picture = np.full(64, int(level), np.uint8)
    picture[: round((level - int(level)) * 64)] += 1
    return picture.reshape(8, 8, 1)


# --- what does not go together -----------------------------------------------------------------------------------


def test_a_repair_of_another_model_is_refused_with_both_named(folder: Path, host: Host) -> None:
    toy.write_model(folder / "candidate.json", change=0.2)
    with pytest.raises(
        MisfitError, match=r"repair.json repairs candidate.json \(sha256 .*this model is .*candidate.json"
    ):
        run(read(folder, host), host, RunFolder(folder / "run"))


def test_a_head_of_another_number_of_classes_is_refused(folder: Path, host: Host) -> None:
    write_repair(folder / "repair", folder / "candidate.json", [0.0] * 4)
    with pytest.raises(
        MisfitError, match=r"the model gives 3 scores, and the head of .*repair.json goes from 4 of them"
    ):
        run(read(folder, host), host, RunFolder(folder / "run"))


def test_a_head_of_a_missing_plugin_is_named(folder: Path, host: Host) -> None:
    write_repair(folder / "repair", folder / "candidate.json", BY, use="drepare")
    with pytest.raises(ProfileError, match=r'models.candidate.repair: there is no repair head "drepare"'):
        read(folder, host)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"threshold": "high"}, "\"threshold\" is missing or is no number: 'high'"),
        ({"classes": None}, '"classes" is missing or is none: None'),
        ({"candidate": {"name": "x"}}, '"candidate" does not say which model it repairs'),
        ({"head": "elsewhere.json"}, "names the head elsewhere.json, which is not beside it"),
    ],
)
def test_what_is_no_repair_is_refused_with_the_reason(folder: Path, host: Host, told: Any, why: str) -> None:
    write_repair(folder / "repair", folder / "candidate.json", BY, **told)
    with pytest.raises(ProfileError) as caught:
        read(folder, host)
    assert why in str(caught.value)
    assert "repair.json" in str(caught.value)


@pytest.mark.parametrize(("text", "why"), [("[]", "it holds no table"), ("{", "cannot be read as a repair")])
def test_a_file_that_is_no_repair_at_all_is_refused(folder: Path, host: Host, text: str, why: str) -> None:
    (folder / "repair" / "repair.json").write_text(text)
    with pytest.raises(ProfileError, match=why):
        read(folder, host)


def test_a_decoder_of_labels_alone_cannot_be_repaired(tmp_path: Path) -> None:
    with pytest.raises(MisfitError, match="reads answers alone, and a repair head reads scores of all classes"):
        corrected(tmp_path, 0.0, inner=LabelsAlone()).decode({"scores": OWN})


def test_a_decoder_of_texts_cannot_be_repaired(tmp_path: Path) -> None:
    with pytest.raises(MisfitError, match="gives no classes, and a repair head gives nothing else"):
        corrected(tmp_path, 0.0, inner=Texts()).decode({"scores": OWN})


@attrs.frozen
class LabelsAlone(Classes):
    def decode(self, outputs: Any) -> Observations:
        return attrs.evolve(super().decode(outputs), states=None, scorer=None)


@attrs.frozen
class Texts(Classes):
    def decode(self, outputs: Any) -> Observations:
        seen = super().decode(outputs)
        return attrs.evolve(seen, decisions=[str(decision) for decision in seen.decisions])
