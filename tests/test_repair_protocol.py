"""Folds never part a seed from what was made of it, and no figure is of what a head has learnt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from repair_rows import Says, blurred, keeping, rows_of, turning

from dltf.errors import MisfitError
from dltf.repair.protocol import check_folds, cross, curve_of, deal, fits, repaired, stream_of, threshold, worth
from dltf.repair.run import refused
from dltf.repair.settings import RepairTable

LOOSE = RepairTable(max_inducing=0.2, confidence=0.5, folds=3, repeats=1)


@given(groups=st.lists(st.integers(0, 30), min_size=1, max_size=200), count=st.integers(2, 6), seed=st.integers(0, 99))
def test_a_fold_never_parts_a_group_and_folds_are_even(groups: list[int], count: int, seed: int) -> None:
    given_groups = np.array(groups, dtype=np.int64)
    folds = deal(given_groups, count, stream_of(seed))
    assert all(len(np.unique(folds[given_groups == group])) == 1 for group in set(groups))
    sizes = [len(np.unique(given_groups[folds == fold])) for fold in range(count)]
    assert max(sizes) - min(sizes) <= 1


def test_a_head_has_never_seen_a_group_that_it_answers() -> None:
    rows, head = blurred(30), Says(keeping)
    folds = deal(rows.groups, 3, stream_of(0))
    crossed = cross(head, rows, folds, stream_of(1))
    assert len(head.lessons) == fits(3) == 6
    taught = [set(lesson.tolist()) for lesson in head.lessons]
    parts = [set(rows.groups[folds == fold].tolist()) for fold in range(3)]
    # Without one fold, and without each two, in the order of the pairs.
    missing = [(0,), (0, 1), (0, 2), (1,), (1, 2), (2,)]
    for seen, without in zip(taught, missing, strict=True):
        assert all(seen.isdisjoint(parts[fold]) for fold in without)
        assert seen == set(rows.groups.tolist()).difference(*(parts[fold] for fold in without))
    assert (crossed.outer.classes == rows.own).all()
    for fold, said in enumerate(crossed.inner):
        assert (said.classes[folds == fold] == -1).all(), "a fold was asked about itself while it was chosen for"
        assert (said.classes[folds != fold] >= 0).all()


def test_clean_rows_are_answered_and_never_taught() -> None:
    rows = rows_of(
        *[("finding", group, (0.4, 0.6), 0) for group in range(6)],
        *[("clean", g, (0.9, 0.1), 0) for g in range(10, 16)],
    )
    head = Says(keeping)
    crossed = cross(head, rows, deal(rows.groups, 2, stream_of(0)), stream_of(1))
    assert {int(group) for lesson in head.lessons for group in lesson} <= set(range(6))
    assert (crossed.outer.classes >= 0).all()


def test_a_head_that_only_spoils_is_never_chosen_to_intervene() -> None:
    rows = blurred(60)
    folds = deal(rows.groups, 3, stream_of(0))
    found = repaired(rows, {"turning": cross(Says(turning), rows, folds, stream_of(1))}, LOOSE)
    spoilt = (found.after != rows.answers) & (rows.kinds == "seed")
    assert spoilt.sum() <= 0.2 * (rows.kinds == "seed").sum()


def test_the_better_of_two_heads_is_chosen_inside_the_folds() -> None:
    """The candidate takes 1 for 0 where it is unsure: a head that knows repairs, one that turns spoils."""

    def knowing(states: np.ndarray) -> np.ndarray:
        unsure = (np.sort(states, axis=1)[:, -1] < 0.6) & (states.argmax(axis=1) == 1) & (states[:, 0] > 0.3)
        told = states.copy()
        told[unsure, 0] += 0.2
        return told

    rows = blurred(60)
    folds = deal(rows.groups, 3, stream_of(0))
    crossed = {
        "turning": cross(Says(turning), rows, folds, stream_of(1)),
        "knowing": cross(Says(knowing), rows, folds, stream_of(1)),
    }
    found = repaired(rows, crossed, LOOSE)
    assert found.heads == ["knowing"] * 3
    right = found.after == rows.answers
    assert right[(rows.kinds == "finding") & (rows.answers == 0)].all()
    assert right[rows.kinds == "seed"].all()


def test_bounding_hard_negatives_too_is_stricter() -> None:
    rows = blurred(90)
    crossed = cross(Says(turning), rows, deal(rows.groups, 3, stream_of(0)), stream_of(1))
    seeds = threshold(rows, crossed.outer, LOOSE)
    both = threshold(rows, crossed.outer, RepairTable(max_inducing=0.2, confidence=0.5, bound_on="both"))
    assert both.threshold >= seeds.threshold
    assert worth(rows, crossed.outer, both.threshold, LOOSE) >= worth(rows, crossed.outer, 0.0, LOOSE)


def test_hard_negatives_count_in_the_choice_as_asked() -> None:
    rows = blurred(90)
    said = cross(Says(turning), rows, deal(rows.groups, 3, stream_of(0)), stream_of(1)).outer
    spoilt = (said.classes != rows.answers) & (rows.kinds == "hard negative") & (rows.own == rows.answers)
    on_seeds = worth(rows, said, 0.0, RepairTable(chosen_on="seeds"))
    assert spoilt.sum() > 0
    assert worth(rows, said, 0.0, RepairTable(chosen_on="both")) == on_seeds - spoilt.sum()


def test_a_curve_falls_as_the_threshold_rises() -> None:
    rows = blurred(60)
    crossed = cross(Says(turning), rows, deal(rows.groups, 3, stream_of(0)), stream_of(1))
    told = curve_of(rows, crossed.outer, [0.0, 0.1, 0.3, 0.9])
    induced = [one["induced"] for one in told]
    assert induced == sorted(induced, reverse=True)
    assert induced[0] == 1.0


def test_folds_too_small_for_the_classes_are_refused_with_the_numbers() -> None:
    rows = blurred(12, classes=6)
    with pytest.raises(MisfitError, match="12 seeds with findings make 5 folds of 2, fewer than the 6 classes") as told:
        check_folds(rows, 5)
    assert told.value.hint == "find more: at least 30 seeds with findings; or take fewer folds: --set repair.folds=2"
    check_folds(rows, 2)


def share(count: float, of: int) -> dict[str, object]:
    return {"count": count, "of": of, "ratio": count / of if of else None}


@pytest.mark.parametrize(
    ("repaired_", "induced", "hard", "told"),
    [
        (share(20, 100), share(5, 100), share(30, 300), []),
        (share(5, 100), share(5, 100), share(0, 0), ["the improvement is 0.00%"]),
        (
            share(20, 100),
            share(5, 100),
            share(90, 300),
            ["near the boundary it spoils more than it repairs: 30.00% of"],
        ),
        (share(2, 100), share(5, 100), share(90, 300), ["it repairs 2.0 of 100 findings and induces 5.0", "near the"]),
    ],
)
def test_a_head_that_makes_things_worse_is_refused_with_its_figures(
    repaired_: dict[str, float], induced: dict[str, float], hard: dict[str, float], told: list[str]
) -> None:
    net = {"ratio": (repaired_["count"] - induced["count"]) / repaired_["of"]}
    figures = {"repaired": repaired_, "induced": induced, "hard_negatives": hard, "improvement": net}
    why = refused(figures, never=False)
    assert len(why) == len(told)
    assert all(part in line for part, line in zip(told, why, strict=True))


def test_a_head_that_never_intervenes_is_refused() -> None:
    assert "it would never intervene" in refused({}, never=True)[0]
