"""What a variant's figures come to, level by level."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from dltf.matrix.metrics import compare
from dltf.matrix.outputs import Outputs
from dltf.matrix.tolerance import Tolerance
from dltf.matrix.verdict import FAILURES, VERDICTS, verdict_of

SEVEN = [0.4, 0.3, 0.1, 0.08, 0.06, 0.04, 0.02]


def classifier(rows) -> Outputs:
    states = np.array(rows, dtype=np.float32)
    return Outputs(
        decisions=states.argmax(axis=1),
        raw={"scores": states},
        states=states,
        finite=np.isfinite(states).all(axis=1),
        tied=(states == states.max(axis=1, keepdims=True)).sum(axis=1) > 1,
    )


def verdict(candidate, *, reference=None, labels=None, **settings) -> tuple[str, str]:
    reference = [SEVEN] if reference is None else reference
    return verdict_of(compare(classifier(reference), classifier(candidate), labels, **settings))


def swapped(*places: int) -> list[float]:
    """Return the seven probabilities with two of them in each other's place."""
    row = list(SEVEN)
    row[places[0]], row[places[1]] = row[places[1]], row[places[0]]
    return row


def test_the_scale_goes_from_best_to_worst():
    assert VERDICTS == (
        "reference",
        "identical",
        "within tolerance",
        "numeric drift",
        "rank change",
        "label change",
        "accuracy change",
        "does not convert",
        "does not load",
        "fails while running",
        "not available here",
    )
    assert VERDICTS[-4:] == FAILURES


def test_the_same_bits_are_identical():
    assert verdict([SEVEN]) == ("identical", "every output is the same, bit for bit")


def test_less_than_the_tolerance_is_within_it():
    level, reason = verdict([[0.400001, *SEVEN[1:]]])
    assert level == "within tolerance"
    assert reason == "scores: within 1e-06 + 1e-05 of the value, the largest difference is 9.83e-07"


def test_more_than_the_tolerance_is_drift_and_another_tolerance_lets_it_pass():
    level, reason = verdict([[0.41, *SEVEN[1:]]])
    assert level == "numeric drift"
    assert reason == "scores: beyond 1e-06 + 1e-05 of the value on 1 of 1 inputs, the largest difference is 0.01"
    assert verdict([[0.41, *SEVEN[1:]]], tolerance=Tolerance(0.1))[0] == "within tolerance"


def test_another_order_of_the_best_five_is_a_rank_change():
    assert verdict([swapped(2, 3)]) == ("rank change", "the best 5 classes change places on 1 of 1 inputs")
    assert verdict([swapped(4, 5)])[0] == "rank change"  # another class is fifth


def test_an_order_below_the_best_five_and_a_swap_of_near_equals_are_drift():
    assert verdict([swapped(5, 6)])[0] == "numeric drift"
    near = [0.4, 0.3, 0.1001, 0.1, 0.05, 0.03, 0.02]
    other = [0.4, 0.3, 0.1, 0.1001, 0.05, 0.03, 0.02]
    assert verdict([other], reference=[near])[0] == "numeric drift"


def test_what_a_coarse_variant_ties_is_no_other_order():
    assert verdict([[0.4, 0.3, 0.1, 0.1, 0.05, 0.03, 0.02]])[0] == "numeric drift"


def test_another_label_is_a_label_change():
    assert verdict([swapped(0, 1), SEVEN], reference=[SEVEN] * 2) == ("label change", "1 of 2 labels differ (50.00%)")


def test_labels_that_differ_on_ties_alone_are_told_and_do_not_count():
    tie = [0.35, 0.35, 0.1, 0.08, 0.06, 0.04, 0.02]
    level, reason = verdict([[0.349999, *tie[1:]]], reference=[tie])
    assert level == "within tolerance"
    assert reason.endswith("; 1 labels differ, all of them ties of the reference (margins below 0.01 nats)")
    level, reason = verdict([[0.349999, *tie[1:]], swapped(0, 1)], reference=[tie, SEVEN])
    assert level == "label change"
    assert reason == "2 of 2 labels differ (100.00%), 1 of them ties of the reference (margins below 0.01 nats)"


@pytest.mark.parametrize(("wrong", "level"), [(3, "label change"), (10, "accuracy change")])
def test_accuracy_changes_where_its_interval_leaves_0_out(wrong, level):
    candidate = [swapped(0, 1)] * wrong + [SEVEN] * (50 - wrong)
    found, reason = verdict(candidate, reference=[SEVEN] * 50, labels=[0] * 50)
    assert found == level
    if level == "accuracy change":
        assert reason.startswith("accuracy 80.00% against 100.00%: -20.00% [-33.04%, -8.71%]")
        assert reason.endswith("; 10 of 50 labels differ (20.00%)")


def test_an_output_that_is_not_finite_is_a_label_change_or_drift():
    assert verdict([[np.nan, *SEVEN[1:]]])[0] == "label change"
    ours = classifier([SEVEN])
    broken = evolve(ours, raw={"scores": np.full((1, 7), np.nan)})
    level, reason = verdict_of(compare(ours, broken))
    assert level == "numeric drift"
    assert "7 values are NaN or infinite in one of the two" in reason
