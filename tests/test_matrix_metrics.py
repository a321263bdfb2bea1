"""The figures of the matrix, worked by hand; DeltaNN's three defects have a test each."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltf.errors import MisfitError, UsageError
from dltf.matrix.labels import accuracy, label_differences, noise_of_margins, worst
from dltf.matrix.metrics import compare, distances
from dltf.matrix.outputs import Outputs
from dltf.matrix.ranks import rank_biased_overlap, ranks_of, swaps, tau_b, top_classes, top_overlap, top_tau
from dltf.matrix.statistics import holm, mcnemar, newcombe, wilson
from dltf.matrix.tolerance import TOLERANCES, Tolerance, tolerance_of

SCORES = st.lists(st.lists(st.integers(0, 6), min_size=7, max_size=7), min_size=2, max_size=2)


def classifier(probabilities, *, name="scores", raw=None, **changed) -> Outputs:
    """Answer as a classifier that gives these probabilities [n, classes]."""
    states = np.array(probabilities, dtype=np.float32)
    best = states.max(axis=1, keepdims=True)
    given = {
        "decisions": states.argmax(axis=1),
        "raw": {name: states} if raw is None else raw,
        "states": states,
        "finite": np.isfinite(states).all(axis=1),
        "tied": (states == best).sum(axis=1) > 1,
    }
    return Outputs(**(given | changed))


def sentences(*said: str) -> Outputs:
    n = len(said)
    return Outputs(list(said), {}, None, np.ones(n, dtype=bool), np.zeros(n, dtype=bool))


def ranking(*scores: float) -> np.ndarray:
    return ranks_of(np.array([scores], dtype=np.float64))


def listed(*classes: int, of: int = 10) -> np.ndarray:
    """Return the ranks of which these classes are the best, in this order; the others follow by number."""
    order = [*classes, *(one for one in range(of) if one not in classes)]
    return np.argsort(np.array([order]), axis=1) + 1


# --- ranks -------------------------------------------------------------------------------------------------------


def test_what_ties_shares_the_best_of_its_ranks():
    assert ranking(0.1, 0.5, 0.1, 0.3).tolist() == [[3, 1, 3, 2]]


def test_rank_biased_overlap_by_hand():
    first, second = listed(0, 1, 2, of=4), listed(1, 0, 3, of=4)
    # Agreement 0, 1 and 2/3: 2/3 · 1/8 + (0 · 1/2 + 1 · 1/4 + 2/3 · 1/8).
    assert rank_biased_overlap(first, second, depth=3, persistence=0.5) == pytest.approx([5 / 12])


def test_rank_biased_overlap_takes_the_tied_at_one_depth():
    first, second = ranking(3, 2, 2, 1), ranking(3, 2, 1, 1)
    # Agreement 1, 2 · 2 ÷ (3 + 2), 2 · 3 ÷ (3 + 4) and 1.
    expected = 1 / 16 + 1 / 2 + 0.8 / 4 + (6 / 7) / 8 + 1 / 16
    assert rank_biased_overlap(first, second, persistence=0.5) == pytest.approx([expected])


def test_rank_biased_overlap_of_lists_without_a_common_class_is_0_and_of_equal_ones_1():
    first, second = listed(0, 1, 2, 3, 4), listed(5, 6, 7, 8, 9)
    assert rank_biased_overlap(first, second, depth=5) == pytest.approx([0.0])
    assert rank_biased_overlap(first, first) == pytest.approx([1.0])


def test_two_lists_without_a_common_class_are_as_far_apart_as_can_be():
    """DeltaNN compares class numbers: both lists ascend, and score 1."""
    first, second = listed(0, 1, 2, 3, 4), listed(5, 6, 7, 8, 9)
    assert top_tau(first, second, 5) == pytest.approx([-1.0])
    assert top_overlap(top_classes(first, second, 5), top_classes(second, first, 5)) == pytest.approx([0.0])


@pytest.mark.parametrize(
    ("second", "cost"),
    [
        ((0, 1, 2, 3, 4), 0.0),
        ((1, 0, 2, 3, 4), 1.0),  # one pair, the other way round
        ((0, 1, 2, 3, 5), 1.0),  # 4 and 5: each is ahead on its own list
        ((0, 1, 2, 5, 6), 5.0),  # {3, 4} × {5, 6} cost 1 each; 3 and 4, 5 and 6 half: one list alone orders them
        ((4, 3, 2, 1, 0), 10.0),
    ],
)
def test_kendalls_tau_of_short_lists_by_hand(second, cost):
    first = listed(0, 1, 2, 3, 4)
    farthest = 25 + 0.5 * 5 * 4  # of lists of 5 without a common class
    assert top_tau(first, listed(*second), 5) == pytest.approx([1 - 2 * cost / farthest])


def test_a_tie_is_half_a_disagreement_with_an_order_and_none_with_a_tie():
    ordered, tied = ranking(5, 4, 3, 2, 1, 0), ranking(5, 5, 3, 2, 1, 0)
    farthest = 4 * 3 / 2 + 2 * 4 * 1 + 1  # lists of 5 of 6 classes share 4 at least
    assert top_tau(ordered, tied, 5) == pytest.approx([1 - 2 * 0.5 / farthest])
    assert top_tau(tied, tied, 5) == pytest.approx([1.0])


def test_the_opposite_of_two_classes_is_minus_1():
    assert top_tau(ranking(1, 0), ranking(0, 1), 2) == pytest.approx([-1.0])


def test_classes_that_tie_at_the_end_of_a_list_are_taken_in_the_other_lists_favour():
    exact, coarse = ranking(0.6, 0.01, 0.02, 0.03, 0.3, 0.04), ranking(0.75, 0.0, 0.0, 0.0, 0.25, 0.0)
    assert top_classes(coarse, exact, 4).tolist() == [[0, 4, 5, 3]]
    assert top_overlap(top_classes(exact, coarse, 4), top_classes(coarse, exact, 4)) == pytest.approx([1.0])


def test_kendalls_tau_b_by_hand():
    assert tau_b(ranking(4, 3, 2, 1), ranking(4, 2, 3, 1)) == pytest.approx([4 / 6])
    assert tau_b(ranking(3, 2, 2, 1), ranking(4, 3, 2, 1)) == pytest.approx([5 / math.sqrt(5 * 6)])
    assert np.isnan(tau_b(ranking(1, 1, 1), ranking(1, 2, 3)))


@given(SCORES)
def test_kendalls_tau_b_is_what_counting_every_pair_gives(scores):
    first, second = (ranking(*side) for side in scores)
    signs = [
        [np.sign(side[0, i] - side[0, j]) for i, j in itertools.combinations(range(7), 2)] for side in (first, second)
    ]
    product = sum(a * b for a, b in zip(*signs, strict=True))
    untied = [sum(sign != 0 for sign in side) for side in signs]
    expected = product / math.sqrt(untied[0] * untied[1]) if all(untied) else math.nan
    assert tau_b(first, second) == pytest.approx([expected], nan_ok=True)


@given(SCORES, st.integers(1, 7))
def test_short_lists_are_alike_both_ways_and_no_farther_apart_than_can_be(scores, count):
    first, second = (ranking(*side) for side in scores)
    apart = top_tau(first, second, count)
    assert apart == pytest.approx(top_tau(second, first, count))
    assert -1 - 1e-12 <= apart[0] <= 1
    assert top_tau(first, first, count) == pytest.approx([1.0])
    assert 0 <= rank_biased_overlap(first, second)[0] <= 1 + 1e-12


def test_a_swap_weighs_what_the_reference_puts_between_the_two():
    scores = np.log(np.array([[0.5, 0.3, 0.15, 0.05]]))
    other = ranking(0.5, 0.15, 0.3, 0.05)
    assert swaps(ranks_of(scores), other, scores, 2) == pytest.approx([math.log(2)])
    assert swaps(ranks_of(scores), other, scores, 1) == pytest.approx([0.0])  # both lists are class 0


# --- distances ---------------------------------------------------------------------------------------------------


def test_distances_by_hand():
    """DeltaNN's Manhattan and Minkowski distances are 0 whatever they compare."""
    raw = [{"out": np.array(rows, dtype=np.float32)} for rows in ([[1, 0], [3, 4]], [[1, 0.5], [3, 3]])]
    ours, theirs = (classifier([[0.9, 0.1]] * 2, raw=one) for one in raw)
    figures = compare(ours, theirs)["outputs"]["out"]
    assert figures["absolute"] == pytest.approx({"max": 1.0, "mean": 1.5 / 4, "p99": 0.995})
    assert figures["relative"] == pytest.approx({"max": 1.0, "mean": (1 + 1 / 4) / 4, "p99": 0.9925})
    cosines = [1 - 1 / math.sqrt(1.25), 1 - 21 / (5 * math.sqrt(18))]
    assert figures["cosine"] == pytest.approx({"max": cosines[0], "mean": sum(cosines) / 2})
    assert figures["worst_input"] == 1
    assert figures["beyond"] == {"values": 2, "inputs": 2}
    assert distances(ours, theirs).tolist() == [0.5, 1.0]


def test_the_tolerance_that_would_have_passed_is_told():
    ours, theirs = (classifier([[0.5, 0.5]], raw={"out": np.array([[value, 2.0]])}) for value in (4.0, 4.2))
    figures = compare(ours, theirs, tolerance=Tolerance(0.01, 0.1))["outputs"]["out"]
    assert figures["beyond"] == {"values": 1, "inputs": 1}
    assert figures["relative_tolerance_needed"] == pytest.approx(0.1 / 4)
    enough = Tolerance(figures["relative_tolerance_needed"] + 1e-9, 0.1)
    assert compare(ours, theirs, tolerance={"out": enough})["outputs"]["out"]["beyond"]["values"] == 0


def test_divergences_by_hand():
    figures = compare(classifier([[0.5, 0.5]]), classifier([[0.9, 0.1]]))["probabilities"]
    kl = 0.5 * math.log(5 / 9) + 0.5 * math.log(5)
    js = (0.5 * math.log(5 / 7) + 0.5 * math.log(5 / 3) + 0.9 * math.log(9 / 7) + 0.1 * math.log(1 / 3)) / 2
    assert figures["kl"]["max"] == pytest.approx(kl, rel=1e-5)
    assert figures["js"]["mean"] == pytest.approx(js, rel=1e-5)


def test_a_quantised_zero_counts_as_half_a_step():
    figures = compare(classifier([[0.5, 0.5]]), classifier([[1.0, 0.0]], least=1 / 512))["probabilities"]
    total = 1 + 1 / 512
    assert figures["kl"]["max"] == pytest.approx(math.log(0.5) + math.log(total) - 0.5 * math.log(1 / 512), rel=1e-5)


def test_log_probabilities_are_known_for_what_they_are():
    plain = [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]
    figures = [compare(one, classifier(plain)) for one in (classifier(plain), classifier(np.log(plain)))]
    assert figures[1]["probabilities"]["kl"]["max"] == pytest.approx(figures[0]["probabilities"]["kl"]["max"], abs=1e-6)
    assert figures[1]["ranks"]["tau_b"]["min"] == 1.0


def test_what_is_not_finite_is_counted_and_compared_with_nothing():
    raw = [{"out": np.array(rows)} for rows in ([[1.0, np.nan], [np.inf, 2.0]], [[1.0, np.nan], [0.0, 2.0]])]
    figures = compare(*(classifier([[0.9, 0.1]] * 2, raw=one) for one in raw))
    assert figures["not_finite"]["reference"] == {"nan": 1, "inf": 1, "inputs": 0}
    assert figures["outputs"]["out"]["not_finite_alike"] == 1  # both NaN are alike; infinity and 0 are not
    assert figures["outputs"]["out"]["values"] == 2
    assert figures["outputs"]["out"]["beyond"] == {"values": 1, "inputs": 1}
    assert figures["outputs"]["out"]["relative_tolerance_needed"] is None


def test_identical_is_every_bit():
    ours = classifier([[0.0, 1.0]])
    assert compare(ours, classifier([[0.0, 1.0]]))["identical"]
    assert not compare(ours, classifier([[-0.0, 1.0]]))["identical"]
    assert not compare(ours, classifier([[0.0, 1.0]], raw={"scores": np.array([[0.0, 1.0]])}))["identical"]  # float64


def test_outputs_of_other_names_are_paired_by_position_and_sizes_of_1_do_not_matter():
    ours = classifier([[0.9, 0.1]], raw={"a": np.ones((1, 2)), "b": np.zeros((1, 3))})
    theirs = classifier([[0.9, 0.1]], raw={"x": np.ones((1, 1, 2)), "y": np.zeros((1, 3, 1))})
    figures = compare(ours, theirs)
    assert figures["matched"] == "position"
    assert [one["absolute"]["max"] for one in figures["outputs"].values()] == [0.0, 0.0]
    swapped = classifier([[0.9, 0.1]], raw=dict(reversed(ours.raw.items())))
    assert compare(ours, swapped)["matched"] == "name"


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        (classifier([[0.2, 0.3, 0.5]]), "the reference tells 2 classes apart, the candidate 3"),
        (classifier([[0.2, 0.8]] * 2), "the reference answered 1 inputs, the candidate 2"),
        (classifier([[0.2, 0.8]], raw={}), "the reference gives scores [2]; the candidate gives nothing"),
        (
            classifier([[0.2, 0.8]], raw={"map": np.zeros((1, 4, 4))}),
            "the reference gives scores [2]; the candidate gives map [4×4]",
        ),
    ],
)
def test_what_cannot_be_compared_is_told_from_both_sides(theirs, told):
    with pytest.raises(MisfitError) as misfit:
        compare(classifier([[0.9, 0.1]]), theirs)
    assert told in str(misfit.value)


def test_figures_are_ready_for_a_file():
    ours = classifier([[0.9, 0.1], [0.5, 0.5]])
    theirs = classifier([[0.2, 0.8], [np.nan, 0.5]])
    figures = compare(ours, theirs, [0, 1])
    told = {"figures": figures, "worst": worst(ours, theirs, [0, 1], distances(ours, theirs))}
    assert json.loads(json.dumps(told))["figures"]["labels"]["differ"] == 2


# --- labels ------------------------------------------------------------------------------------------------------


def test_two_variants_that_never_agree_do_not_compare_empty():
    """DeltaNN's comparison of devices returns nothing, even where every label differs."""
    ours, theirs = classifier([[0.9, 0.1]] * 3), classifier([[0.1, 0.9]] * 3)
    labels = compare(ours, theirs)["labels"]
    assert (labels["differ"], labels["share"]) == (3, 1.0)
    assert label_differences([ours, theirs, None]) == [[0, 3, None], [3, 0, None], [None, None, None]]
    assert [one["case"] for one in worst(ours, theirs, None, distances(ours, theirs))] == [0, 1, 2]


def test_a_difference_where_the_reference_has_no_preference_is_a_tie():
    ours = classifier([[0.5, 0.5], [0.501, 0.499], [0.6, 0.4], [0.6, 0.4]])
    theirs = classifier([[0.1, 0.9]] * 3 + [[0.5, 0.5]], decisions=np.array([1, 1, 1, 1]))
    labels = compare(ours, theirs)["labels"]
    assert {key: labels[key] for key in ("differ", "ties", "near_ties", "candidate_ties", "unscored")} == {
        "differ": 4,
        "ties": 1,
        "near_ties": 1,  # ln(0.501 ÷ 0.499) = 0.004
        "candidate_ties": 1,
        "unscored": 0,
    }
    assert compare(ours, theirs, floor=0.5)["labels"]["near_ties"] == 3


def test_sentences_are_compared_without_margins():
    figures = compare(sentences("one two", "three"), sentences("one two", "free"), ["one two", "three"])
    assert (figures["labels"]["differ"], figures["labels"]["unscored"]) == (1, 1)
    assert figures["ranks"] is None
    assert figures["probabilities"] is None
    assert figures["accuracy"]["difference"] == -0.5


def test_an_answer_that_is_not_finite_differs_and_is_never_right():
    ours, theirs = classifier([[0.9, 0.1]] * 2), classifier([[np.nan, 0.5], [0.9, 0.1]])
    assert theirs.decisions.tolist() == [0, 0]
    figures = compare(ours, theirs, [0, 0])
    assert (figures["labels"]["differ"], figures["accuracy"]["candidate"]) == (1, 0.5)
    assert worst(ours, theirs, [0, 0], np.zeros(2))[0]["kind"] == "not finite"


def test_the_worst_are_the_most_severe():
    ours = classifier([[0.9, 0.1], [0.6, 0.4], [0.9, 0.1], [0.9, 0.1]])
    theirs = classifier([[0.45, 0.55], [0.1, 0.9], [0.1, 0.9], [0.8, 0.2]])
    rows = worst(ours, theirs, [0, 0, 1, 0], np.zeros(4))
    assert [row["case"] for row in rows] == [2, 1, 0]
    assert rows[0] == {
        "case": 2,
        "label": 1,
        "reference": 0,
        "candidate": 1,
        "kind": "label",
        "margin": pytest.approx(math.log(9), rel=1e-5),
        "distance": 0.0,
    }
    assert len(worst(ours, theirs, None, np.zeros(4), most=1)) == 1


def test_accuracy_counts_what_has_a_label():
    figures = compare(classifier([[0.9, 0.1]] * 4), classifier([[0.1, 0.9]] * 3 + [[0.9, 0.1]]), [0, 0, 1, None])[
        "accuracy"
    ]
    assert (figures["labelled"], figures["reference"], figures["candidate"]) == (3, 2 / 3, 1 / 3)
    assert (figures["only_reference"], figures["only_candidate"], figures["p"]) == (2, 1, 1.0)
    assert accuracy(classifier([[0.9, 0.1]]), [None]) == (None, None)
    assert compare(classifier([[0.9, 0.1]]), classifier([[0.9, 0.1]]))["accuracy"] is None


def test_the_floor_of_near_ties_follows_a_variants_own_noise():
    first, again = classifier([[0.6, 0.4]]), classifier([[0.55, 0.45]])
    assert noise_of_margins(first, first) == 0.01
    assert noise_of_margins(first, again) == pytest.approx(math.log(1.5) - math.log(0.55 / 0.45), rel=1e-5)


# --- statistics and tolerances -----------------------------------------------------------------------------------


def test_intervals_of_shares_and_of_their_difference_are_the_published_ones():
    assert wilson(10, 100) == pytest.approx((0.0552, 0.1744), abs=5e-5)
    assert wilson(0, 20)[0] == 0.0
    assert wilson(0, 0) is None
    # Newcombe 1998, table II, method 10: the cells 36, 12, 2, 0 give 0.0569 … 0.3404 for first − second.
    assert newcombe(36, 2, 12, 0) == pytest.approx((0.0569, 0.3404), abs=5e-5)
    assert newcombe(0, 0, 0, 0) is None


def test_mcnemar_and_holm_by_hand():
    assert mcnemar(12, 2) == pytest.approx(2 * (1 + 14 + 91) / 2**14)
    assert mcnemar(0, 0) == 1.0
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_a_tolerance_goes_by_the_least_precise_type():
    assert tolerance_of("f32") == tolerance_of("float32") == Tolerance(1e-5, 1e-6)
    assert tolerance_of("bf16") is TOLERANCES["bfloat16"]
    assert tolerance_of("fp16") is TOLERANCES["float16"]
    assert tolerance_of("uint8") is TOLERANCES["int8"]
    with pytest.raises(UsageError, match="float64"):
        tolerance_of("float65")


def test_eight_bits_may_be_two_steps_of_the_outputs_range_off():
    ours = classifier([[0.9, 0.1]], raw={"out": np.array([[-1.0, 254.0]])})
    for off, beyond in ((1.9, 0), (2.1, 1)):
        theirs = classifier([[0.9, 0.1]], raw={"out": np.array([[-1.0 + off, 254.0]])})
        figures = compare(ours, theirs, tolerance=tolerance_of("int8"))
        assert figures["outputs"]["out"]["beyond"]["values"] == beyond
