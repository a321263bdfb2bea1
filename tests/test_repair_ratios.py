"""The counts and ratios of a repair are those of the paper, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from repair_rows import rows_of

from dltf.repair.ratios import Counts, counts, figures

ZERO, ONE = (0.9, 0.1), (0.2, 0.8)  # states whose best classes are 0 and 1


def stream() -> np.random.Generator:
    return np.random.default_rng(0)


def test_four_findings_three_repaired_and_four_seeds_one_induced_are_an_improvement_of_a_half() -> None:
    seeds = [("seed", group, ZERO, 0) for group in range(4)]
    findings = [("finding", group, ONE, 0) for group in range(4)]
    rows = rows_of(*seeds, *findings)
    after = np.array([1, 0, 0, 0, 0, 0, 0, 1])  # the first seed is induced, the last finding stays
    told = counts(rows, after)
    assert told == Counts(repaired=3, findings=4, induced=1, seeds=4)
    assert told.repair_ratio == 0.75
    assert told.inducing_ratio == 0.25
    assert told.improvement == 0.5  # (3 − 1) of 4


def test_another_wrong_answer_is_neither_repaired_nor_induced() -> None:
    rows = rows_of(("finding", 0, (0.1, 0.8, 0.1), 0), ("seed", 0, (0.8, 0.1, 0.1), 0))
    assert counts(rows, np.array([2, 0])) == Counts(repaired=0, findings=1, induced=0, seeds=1)


def test_natural_findings_hard_negatives_and_seeds_that_never_agreed_count_apart() -> None:
    rows = rows_of(
        ("seed", 0, ZERO, 0),
        ("finding", 0, ONE, 0),
        ("natural", 1, ONE, 0),
        ("hard negative", 0, ONE, 1),
        ("hard negative", 0, ONE, 1),
    )
    after = np.array([0, 0, 0, 0, 1])
    assert counts(rows, after) == Counts(repaired=1, findings=1, induced=0, seeds=1)
    told = figures(rows, [after], stream())
    assert told["natural"] == {"count": 1.0, "of": 1, "ratio": 1.0, "interval": [1.0, 1.0]}
    assert (told["hard_negatives"]["count"], told["hard_negatives"]["of"]) == (1.0, 2)


def test_counts_are_means_over_the_repetitions() -> None:
    rows = rows_of(*[("finding", group, ONE, 0) for group in range(4)], *[("seed", g, ZERO, 0) for g in range(4)])
    afters = [np.array([0, 0, 1, 1, 0, 0, 0, 0]), np.array([0, 0, 0, 0, 0, 0, 0, 1])]
    told = figures(rows, afters, stream())
    assert told["repaired"]["count"] == 3.0
    assert told["induced"]["count"] == 0.5
    assert told["improvement"]["ratio"] == 0.625


def test_an_interval_is_wider_where_the_findings_are_those_of_few_seeds() -> None:
    """Rows of one seed are drawn together: forty findings of two seeds tell no more than two."""
    after = np.array([0] * 20 + [1] * 20)
    many = rows_of(*[("finding", group, ONE, 0) for group in range(40)])
    few = rows_of(*[("finding", group // 20, ONE, 0) for group in range(40)])
    low, high = figures(many, [after], stream())["repaired"]["interval"]
    assert 0.3 < low < 0.5 < high < 0.7
    assert figures(few, [after], stream())["repaired"]["interval"] == [0.0, 1.0]


def test_accuracy_is_of_clean_seeds_where_there_are_some() -> None:
    told = [("clean", group, ONE, 0) for group in range(4)]
    rows = rows_of(*told, ("seed", 9, ZERO, 0), labels=[0, 0, 1, 1, 0])
    accuracy = figures(rows, [np.array([0, 0, 0, 1, 1])], stream())["accuracy"]
    assert (accuracy["on"], accuracy["of"]) == ("clean", 4)
    assert accuracy["before"]["ratio"] == 0.5  # it answers 1 throughout
    assert accuracy["after"]["ratio"] == 0.75
    assert accuracy["reference"]["ratio"] == 0.5
    assert accuracy["change"]["ratio"] == 0.25


def test_without_labels_there_is_no_accuracy() -> None:
    assert figures(rows_of(("seed", 0, ZERO, 0)), [np.array([0])], stream())["accuracy"] is None


@pytest.mark.parametrize("ratio", ["repair_ratio", "inducing_ratio", "improvement"])
def test_of_nothing_there_is_no_ratio(ratio: str) -> None:
    assert getattr(Counts(0, 0, 0, 0), ratio) is None
