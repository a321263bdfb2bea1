"""What counts as a deviation: golden cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dltf.builtin.oracles import Tolerance, TopK, TopLabel
from dltf.plugin import MisfitError, Observations, Oracle


def observed(*rows: list[float]) -> Observations:
    states = np.array(rows, dtype=np.float32)
    best = states.max(axis=1, keepdims=True)
    return Observations(
        states.argmax(axis=1),
        np.log(best[:, 0].astype(np.float64)),
        states,
        (states == best).sum(axis=1) > 1,
        np.ones(len(rows), dtype=bool),
    )


def test_top_label_compares_answers() -> None:
    verdicts = TopLabel().judge(observed([0.6, 0.4], [0.6, 0.4]), observed([0.4, 0.6], [0.9, 0.1]))
    assert verdicts.deviates.tolist() == [True, False]
    assert verdicts.distances.tolist() == [1.0, 0.0]


def test_a_tie_is_its_lowest_class_unless_overlap_is_asked_for() -> None:
    reference, candidate = observed([0.5, 0.5, 0.0]), observed([0.4, 0.6, 0.0])
    lowest = TopLabel().judge(reference, candidate)
    overlap = TopLabel(ties="overlap").judge(reference, candidate)
    assert (lowest.deviates.tolist(), lowest.tied.tolist()) == ([True], [True])
    assert (overlap.deviates.tolist(), overlap.tied.tolist()) == ([False], [True])


def test_overlap_forgives_nothing_where_no_class_is_shared() -> None:
    verdicts = TopLabel(ties="overlap").judge(observed([0.4, 0.4, 0.2]), observed([0.2, 0.2, 0.6]))
    assert verdicts.deviates.tolist() == [True]


def test_answers_that_are_no_numbers_are_compared_too() -> None:
    def heard(*sentences: str) -> Observations:
        nothing = np.zeros(len(sentences), dtype=bool)
        return Observations(list(sentences), np.zeros(len(sentences)), None, nothing, ~nothing)

    verdicts = TopLabel().judge(heard("yes", "no"), heard("yes", "know"))
    assert verdicts.deviates.tolist() == [False, True]


def test_top_k_compares_sets_or_ranks() -> None:
    reference, candidate = observed([0.5, 0.3, 0.1, 0.1]), observed([0.3, 0.5, 0.15, 0.05])
    assert TopK(k=2).judge(reference, candidate).deviates.tolist() == [False]
    assert TopK(k=2, ranked=True).judge(reference, candidate).deviates.tolist() == [True]
    apart = TopK(k=2).judge(observed([0.5, 0.3, 0.2, 0.0]), observed([0.5, 0.0, 0.2, 0.3]))
    assert apart.distances.tolist() == [0.5]


def test_top_k_marks_a_tie_that_decides_who_is_in() -> None:
    tied = TopK(k=2).judge(observed([0.5, 0.25, 0.25, 0.0]), observed([0.5, 0.3, 0.2, 0.0]))
    assert tied.tied.tolist() == [True]
    inside = TopK(k=2).judge(observed([0.4, 0.4, 0.1, 0.1]), observed([0.4, 0.4, 0.1, 0.1]))
    assert inside.tied.tolist() == [False]


def test_top_k_of_all_classes_is_refused() -> None:
    with pytest.raises(MisfitError, match="says nothing of 2 classes"):
        TopK(k=2).judge(observed([0.5, 0.5]), observed([0.5, 0.5]))


def test_tolerance_takes_the_largest_difference() -> None:
    verdicts = Tolerance(atol=0.1).judge(observed([0.6, 0.4], [0.6, 0.4]), observed([0.55, 0.45], [0.4, 0.6]))
    assert verdicts.deviates.tolist() == [False, True]
    assert verdicts.distances == pytest.approx([0.05, 0.2], abs=1e-6)
    assert not Tolerance(atol=0.1, rtol=0.5).judge(observed([0.6, 0.4]), observed([0.4, 0.6])).deviates[0]


def test_tolerance_and_nan() -> None:
    nan = float("nan")
    verdicts = Tolerance().judge(observed([nan, 0.4], [nan, 0.4]), observed([nan, 0.4], [0.6, 0.4]))
    assert verdicts.deviates.tolist() == [False, True]


def test_oracles_join_with_and_and_or() -> None:
    reference = observed([0.6, 0.4], [0.6, 0.4], [0.9, 0.1])
    candidate = observed([0.4, 0.6], [0.49, 0.51], [0.6, 0.4])
    both, either = TopLabel() & Tolerance(atol=0.15), TopLabel() | Tolerance(atol=0.15)
    assert both.judge(reference, candidate).deviates.tolist() == [True, False, False]
    assert either.judge(reference, candidate).deviates.tolist() == [True, True, True]
    assert (both & TopK(k=1)).judge(reference, candidate).deviates.tolist() == [True, False, False]


@given(arrays(np.float32, (5, 4), elements=st.floats(0, 1, width=32)))
def test_equal_answers_never_deviate(states: np.ndarray) -> None:
    with np.errstate(divide="ignore"):
        seen = observed(*states.tolist())
    oracles: list[Oracle] = [TopLabel(), TopLabel(ties="overlap"), TopK(k=2), TopK(k=2, ranked=True), Tolerance(atol=0)]
    for oracle in [*oracles, TopLabel() & TopK(k=1), TopLabel() | Tolerance()]:
        verdicts = oracle.judge(seen, seen)
        assert not verdicts.deviates.any()
        assert not verdicts.distances.any()
