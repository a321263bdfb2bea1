"""Margins, severity and grades, worked out by hand; slices and clusters of a run."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltf.builtin.classes import Classes
from dltf.campaign.severity import GRADES, NEAR_TIE, SURE, grade_of, margins
from dltf.plugin import Quantisation, TensorSpec
from dltf.variant import concatenate

SPEC = TensorSpec("y", (None, 3), "float32")


def seen(*rows: list[float], quantisation: Quantisation | None = None, scores: str = "auto"):
    values = np.array(rows, dtype=np.float32)
    dtype = "float32" if quantisation is None else "int8"
    spec = TensorSpec("y", (None, len(rows[0])), dtype, quantisation)
    return Classes(scores=scores).settle([spec], {"y": values}).decode({"y": values})


def test_a_margin_is_the_log_odds_of_its_own_answer_against_the_other_s():
    ours, theirs = margins(seen([0.6, 0.3, 0.1]), seen([0.2, 0.5, 0.3]))
    assert ours == pytest.approx([math.log(0.6 / 0.3)])
    assert theirs == pytest.approx([math.log(0.5 / 0.2)])


def test_a_margin_of_logits_is_their_difference():
    ours, theirs = margins(seen([3.0, 1.0, -2.0]), seen([0.5, 4.5, 0.0]))
    assert ours == pytest.approx([2.0])
    assert theirs == pytest.approx([4.0])


def test_a_quantised_zero_counts_as_half_a_step():
    quantisation = Quantisation(1 / 256, -128)
    ours, _ = margins(seen([255 / 256, 0.0, 1 / 256], quantisation=quantisation), seen([0.1, 0.8, 0.1]))
    assert ours == pytest.approx([math.log((255 / 256) / (0.5 / 256))])


def test_equal_answers_have_no_margin_between_them():
    ours, theirs = margins(seen([0.6, 0.4, 0.0]), seen([0.9, 0.1, 0.0]))
    assert ours == [0.0]
    assert theirs == [0.0]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_rows_that_are_taken_and_joined_keep_their_scores(rows):
    whole = seen([0.6, 0.3, 0.1], [0.1, 0.7, 0.2], [0.2, 0.2, 0.6], [1.0, 0.0, 0.0], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25])
    other = np.array([(row + 1) % 3 for row in rows])
    joined = concatenate([whole.take([0, 1]), whole.take([2, 3, 4, 5])]).take(rows)
    assert joined.score(other).tolist() == whole.take(rows).score(other).tolist()


@pytest.mark.parametrize(
    ("ours", "theirs", "label", "grade"),
    [
        (SURE, 0.0, 7, "regression"),  # right and sure, whatever the candidate's confidence
        (SURE, SURE, 5, "contradiction"),
        (SURE, SURE, None, "contradiction"),
        (SURE, 0.1, 5, "one-sided"),
        (0.1, SURE, 7, "one-sided"),
        (0.2, 0.3, 7, "unsure"),
        (NEAR_TIE / 2, 0.3, 7, "near tie"),
        (0.3, 0.0, 7, "near tie"),
        (None, 0.3, 7, "unscored"),
    ],
)
def test_grades_put_first_what_matters_most(ours, theirs, label, grade):
    assert grade_of(ours, theirs, label, 7) == grade
    assert grade in GRADES
