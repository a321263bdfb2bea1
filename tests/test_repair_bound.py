"""What no head can put right, worked by hand: inputs that share an output vector and differ in the answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from repair_rows import rows_of

from dltf.repair.bound import bayes_error, best_function, bound, cells_of, limited

TORN = (0.4, 0.6)  # the candidate answers 1
SURE = (0.1, 0.9)


def stream() -> np.random.Generator:
    return np.random.default_rng(0)


def test_of_two_inputs_with_one_vector_and_two_answers_one_stays_wrong() -> None:
    rows = rows_of(("finding", 0, TORN, 0), ("seed", 1, TORN, 1))
    told = best_function(rows, cells_of(rows.states))
    # Both answers are as frequent: the candidate's stays, and the finding is not repaired.
    assert told["shared"] == 2
    assert told["repaired"] == {"count": 0, "of": 1, "ratio": 0.0}
    assert told["induced"] == {"count": 0, "of": 1, "ratio": 0.0}


def test_the_more_frequent_answer_wins_and_the_other_is_spoilt() -> None:
    rows = rows_of(("finding", 0, TORN, 0), ("finding", 1, TORN, 0), ("seed", 2, TORN, 1), ("seed", 3, SURE, 1))
    told = best_function(rows, cells_of(rows.states))
    assert told["cells"] == 2
    assert told["repaired"] == {"count": 2, "of": 2, "ratio": 1.0}
    assert told["induced"] == {"count": 1, "of": 2, "ratio": 0.5}


def test_under_a_limit_cells_that_spoil_are_taken_in_part() -> None:
    rows = rows_of(
        ("finding", 0, (0.3, 0.7), 0),  # alone with its vector: repaired for nothing
        ("finding", 1, TORN, 0),
        ("finding", 2, TORN, 0),
        ("seed", 3, TORN, 1),
        ("seed", 4, SURE, 1),
    )
    cells = cells_of(rows.states)
    assert limited(rows, cells, 0.5)["at_most"] == 3.0  # one of the two seeds may be spoilt
    assert limited(rows, cells, 0.25)["at_most"] == 2.0  # half of it: half of the two findings
    assert limited(rows, cells, 1e-9)["at_most"] == pytest.approx(1.0)


def test_vectors_within_a_bin_are_one_in_bins_alone() -> None:
    rows = rows_of(("finding", 0, (0.400, 0.600), 0), ("seed", 1, (0.401, 0.599), 1))
    told = bound(rows, 0.005, stream())
    assert told["exact"]["repaired"]["ratio"] == 1.0
    assert told["bins"]["repaired"]["ratio"] == 0.0


def test_hard_negatives_count_where_they_are() -> None:
    rows = rows_of(("finding", 0, TORN, 0), ("finding", 1, TORN, 0), ("hard negative", 0, TORN, 1))
    assert best_function(rows, cells_of(rows.states))["hard_negatives"] == {"count": 1, "of": 1, "ratio": 1.0}


def test_minus_zero_is_zero() -> None:
    assert len(np.unique(cells_of(np.array([[0.0, 1.0], [-0.0, 1.0]], dtype=np.float32)))) == 1


def test_cover_and_hart() -> None:
    assert bayes_error(0.0, 10) == 0.0
    assert bayes_error(0.5, 2) == pytest.approx(0.5)  # two classes that cannot be told apart
    assert bayes_error(0.9, 10) == pytest.approx(0.9)
    # Two classes: R(1 − R)·2 = 0.32 where R = 0.2.
    assert bayes_error(0.32, 2) == pytest.approx(0.2)


def test_neighbours_of_the_same_seed_tell_nothing() -> None:
    """Twins of one seed lie nearest; left in, they would make what is a coin toss look certain."""
    rng = np.random.default_rng(1)
    told = []
    for group in range(120):
        share = rng.uniform(0.45, 0.55)
        answer = int(rng.integers(2))
        state = (share, 1 - share) if share < 0.5 else (1 - share, share)
        told += [("finding", group, state, 0) if answer == 0 else ("hard negative", group, state, 1)] * 2
    seen = bound(rows_of(*told), 0.005, stream())["neighbours"]
    assert seen is not None
    assert seen["nearest_error"] > 0.35
    assert seen["cover_hart"] <= seen["nearest_error"] <= 2 * seen["cover_hart"] * (1 - seen["cover_hart"]) + 1e-9
    assert math.isclose(seen["voted"]["error"], 0.5, abs_tol=0.15)


def test_without_findings_enough_there_is_no_estimate() -> None:
    assert bound(rows_of(("finding", 0, TORN, 0), ("seed", 1, SURE, 1)), 0.005, stream())["neighbours"] is None
