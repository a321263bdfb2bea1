"""The decoder of numbers, and the oracle that judges them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import toy
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from profiles import TOY, write_profile

from dltf.builtin.oracles import Tolerance, TopLabel
from dltf.builtin.regression import Regression
from dltf.campaign import run
from dltf.campaign.replay import replay
from dltf.host import Host
from dltf.plugin import MisfitError, TensorSpec
from dltf.profile import read_profile
from dltf.store import RunFolder, Store

SPEC = TensorSpec("dose", (None, 2), "float32")
FLOATS = st.floats(width=32)
PROFILE = f"""{TOY}
[models.reference.output]
use = "regression"

[models.candidate.output]
use = "regression"

[oracle]
use = "tolerance"
atol = 0.1
"""


def decode(*rows: list[float], dtype: str = "float32"):
    values = {"dose": np.array(rows, dtype=dtype)}
    return Regression().settle([SPEC], values).decode(values)


def test_the_decision_is_the_numbers_as_they_are_and_so_is_the_state() -> None:
    seen = decode([0.5, -3.0], [0.1, 2.0])
    assert seen.decisions == [(0.5, -3.0), (float(np.float32(0.1)), 2.0)]
    assert seen.states is not None
    assert seen.states.dtype == np.float32
    assert seen.states.tolist() == [list(row) for row in seen.decisions]
    assert seen.log_scores.tolist() == [0.0, 0.0]
    assert not seen.tied.any()
    assert seen.finite.all()


def test_a_map_of_numbers_is_read_row_by_row() -> None:
    values = {"dose": np.arange(12, dtype=np.int8).reshape(2, 3, 2)}
    seen = Regression().settle([SPEC], values).decode(values)
    assert seen.decisions == [(0, 1, 2, 3, 4, 5), (6, 7, 8, 9, 10, 11)]


@pytest.mark.filterwarnings("error")
def test_what_is_no_number_is_flagged_and_equal_to_itself() -> None:
    rows = [np.nan, 1.0], [np.inf, 1.0], [-np.inf, 1e300]
    seen, again = decode(*rows, dtype="float64"), decode(*rows, dtype="float64")
    assert seen.finite.tolist() == [False, False, False]
    assert seen.decisions == again.decisions == [("nan", 1.0), ("inf", 1.0), ("-inf", 1e300)]


def test_the_tolerance_is_in_the_numbers_own_unit() -> None:
    reference, candidate = decode([10.0, 0.0], [10.0, 0.0]), decode([10.2, 0.0], [10.6, 0.0])
    assert Tolerance(atol=0.5).judge(reference, candidate).deviates.tolist() == [False, True]
    assert Tolerance(atol=0.5).judge(reference, candidate).distances == pytest.approx([0.2, 0.6], abs=1e-5)


def test_outputs_without_numbers_and_unnamed_ones_are_a_misfit() -> None:
    with pytest.raises(MisfitError, match="has no numbers"):
        Regression().settle([SPEC], {"dose": np.zeros((3, 0), np.float32)})
    with pytest.raises(MisfitError, match="has no numbers"):
        Regression().settle([SPEC], {"dose": np.array([["a", "b"]])})
    with pytest.raises(MisfitError, match="has 2 outputs") as caught:
        Regression().settle([SPEC, evolve(SPEC, name="time")], {})
    assert '"time"' in caught.value.hint


@given(arrays(np.float32, (3, 4), elements=FLOATS))
def test_equal_bits_are_equal_decisions_that_a_store_gives_back(rows: np.ndarray) -> None:
    seen, again = decode(*rows), decode(*rows.copy())
    assert seen.decisions == again.decisions
    assert [tuple(row) for row in json.loads(json.dumps(seen.decisions, allow_nan=False))] == seen.decisions
    for oracle in (TopLabel(), Tolerance(atol=0.0)):
        verdicts = oracle.judge(seen, again)
        assert not verdicts.deviates.any()
        assert not verdicts.distances.any()


@given(arrays(np.float32, (3, 2), elements=FLOATS))
def test_finite_means_every_number(rows: np.ndarray) -> None:
    assert decode(*rows).finite.tolist() == [bool(np.isfinite(row).all()) for row in rows]


@pytest.mark.parametrize("strategy", ["random", "dflare"])
def test_a_campaign_on_numbers_finds_inputs_beyond_the_tolerance(tmp_path, strategy: str) -> None:
    toy.write_model(tmp_path / "reference.json")
    toy.write_model(tmp_path / "candidate.json", change=0.1)
    host = Host([toy.ENTRY])
    read = read_profile(write_profile(tmp_path, PROFILE), host, [f"search.use={strategy}"])
    outcome = run(read, host, RunFolder(tmp_path / "run"))
    assert outcome.summary["screened"]["agree"] > 0
    assert outcome.summary["outcomes"]["found"] > 0
    with Store(RunFolder(tmp_path / "run"), write=False) as store:
        findings = list(store.findings())
        assert all(replay(store, host, finding.case).same for finding in findings[:5])
    for finding in findings:
        assert finding.reference is not None
        assert finding.candidate is not None
        gaps = np.abs(np.subtract(finding.reference.decision, finding.candidate.decision))
        assert gaps.max() > 0.1
