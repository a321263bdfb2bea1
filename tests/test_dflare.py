"""DFlare, as the paper has it and as its authors released it: golden cases worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltf.builtin.dflare import DFlare
from dltf.plugin import Briefing, Observations, Search, Turn, Verdicts

NO_ROW = np.array([-1])
SLOT = np.array([0])
OPERATORS = ("a", "b", "c", "d", "e", "f", "g")


def observed(best: float) -> Observations:
    """Two classes; the first has this probability."""
    states = np.array([[best, 1 - best]], dtype=np.float32)
    return Observations(np.array([0]), np.log([best]), states, np.array([False]), np.array([True]))


def turn(reference: float, candidate: float) -> Turn:
    verdicts = Verdicts(np.array([False]), np.zeros(1), np.array([False]))
    return Turn(observed(reference), observed(candidate), verdicts)


def accepts(settings: DFlare, seed: tuple[float, float], turns: Sequence[tuple[float, float]]) -> list[bool]:
    search = settings.start(Briefing(OPERATORS, 1))
    search.seat(SLOT, observed(seed[0]), observed(seed[1]), NO_ROW)
    stream = np.random.default_rng(0)
    taken = []
    for reference, candidate in turns:
        search.ask(SLOT, [stream])
        taken.append(bool(search.tell(SLOT, turn(reference, candidate))[0]))
    return taken


def test_in_the_paper_only_a_larger_difference_wins() -> None:
    # Differences: seed 0.10, then 0.20 (larger), 0.05 (smaller), 0.30 (larger).
    turns = [(0.9, 0.7), (0.9, 0.85), (0.9, 0.6)]
    assert accepts(DFlare(fitness="paper"), (0.9, 0.8), turns) == [True, False, True]


def test_in_the_release_any_change_beyond_the_tolerance_wins_and_the_base_starts_at_zero() -> None:
    turns = [(0.9, 0.7), (0.9, 0.85), (0.9, 0.6)]
    assert accepts(DFlare(fitness="released"), (0.9, 0.8), turns) == [True, True, True]


def test_within_the_tolerance_a_new_state_wins_and_a_known_one_does_not() -> None:
    # All differences are 0. The first state is new; the second is near it; the third is far: (0.9 - 0.2)² × 4 = 1.96.
    turns = [(0.9, 0.9), (0.85, 0.85), (0.2, 0.2)]
    for fitness in ("paper", "released"):
        assert accepts(DFlare(fitness=fitness), (0.9, 0.9), turns) == [True, False, True]  # type: ignore[arg-type]


def test_the_paper_keeps_every_state_and_the_release_only_new_ones() -> None:
    # Squared distance of (p, p) and (q, q) is 4 (p - q)²: above 0.5 when |p - q| > 0.354. From 0.9 to 0.6 is not new;
    # from 0.6 to 0.5 is not either. 0.5 is 0.4 from 0.9: new to those who kept 0.9 alone.
    turns = [(0.9, 0.9), (0.6, 0.6), (0.5, 0.5)]
    assert accepts(DFlare(fitness="released"), (0.9, 0.9), turns) == [True, False, True]
    assert accepts(DFlare(fitness="paper"), (0.9, 0.9), turns) == [True, False, False]


def test_without_states_only_a_larger_difference_wins_in_both() -> None:
    turns = [(0.9, 0.9), (0.9, 0.7), (0.9, 0.7), (0.2, 0.2)]
    for fitness in ("paper", "released"):
        settings = DFlare(fitness=fitness, states=False)  # type: ignore[arg-type]
        assert accepts(settings, (0.9, 0.9), turns) == [False, True, False, False]


def test_a_decoder_without_states_is_searched_by_scores_alone() -> None:
    search = DFlare(fitness="released").start(Briefing(OPERATORS, 1))
    bare = [Observations([("x",)], np.log([p]), None, np.array([False]), np.array([True])) for p in (0.9, 0.5)]
    search.seat(SLOT, *bare, NO_ROW)
    search.ask(SLOT, [np.random.default_rng(0)])
    verdicts = Verdicts(np.array([False]), np.zeros(1), np.array([False]))
    assert search.tell(SLOT, Turn(bare[0], bare[1], verdicts)).tolist() == [True]


def test_nan_scores_are_never_accepted() -> None:
    with np.errstate(all="ignore"):
        for fitness in ("paper", "released"):
            assert accepts(DFlare(fitness=fitness), (0.9, 0.9), [(np.nan, 0.9)]) == [False]  # type: ignore[arg-type]


def chosen(search: Search, draws: int) -> np.ndarray:
    stream = np.random.default_rng(1)
    return np.bincount([int(search.ask(SLOT, [stream]).operators[0]) for _ in range(draws)], minlength=7) / draws


def after_one_success(settings: DFlare) -> tuple[Search, int]:
    search = settings.start(Briefing(OPERATORS, 1))
    search.seat(SLOT, observed(0.9), observed(0.9), NO_ROW)
    first = int(search.ask(SLOT, [np.random.default_rng(0)]).operators[0])
    assert search.tell(SLOT, turn(0.9, 0.5))[0]
    return search, first


def test_the_first_choice_is_uniform() -> None:
    for selection in ("paper", "released", "uniform"):
        search = DFlare(selection=selection).start(Briefing(OPERATORS, 1))  # type: ignore[arg-type]
        search.seat(SLOT, observed(0.9), observed(0.9), NO_ROW)
        assert chosen(search, 7000) == pytest.approx(np.full(7, 1 / 7), abs=0.015)


def test_released_selection_falls_with_the_rank_as_was_measured_of_the_release() -> None:
    # P(rank k) ∝ (6/7)^k for ranks 0 … 6: 0.216 … 0.086. The one success leads; the other six share the rest by chance.
    search, first = after_one_success(DFlare(fitness="released", selection="released"))
    shares = chosen(search, 20000)
    assert shares[first] == pytest.approx(0.2163, abs=0.01)
    others = np.delete(shares, first)
    assert others == pytest.approx(np.full(6, (1 - 0.2163) / 6), abs=0.01)


def test_paper_selection_favours_the_previous_operator_and_those_that_did_better() -> None:
    # The previous operator leads (rank 0), so P(rank k) ∝ (6/7)^k here too; after a failure of another it does not.
    search, first = after_one_success(DFlare(selection="paper"))
    assert chosen(search, 20000)[first] == pytest.approx(0.2163, abs=0.01)
    stream = np.random.default_rng(5)
    while (second := int(search.ask(SLOT, [stream]).operators[0])) == first:
        pass
    search.tell(SLOT, turn(0.9, 0.9))  # the second failed: it shares the last six ranks, the first still leads
    shares = chosen(search, 20000)
    # Whatever rank r the previous operator has by chance, rank 0 has the full weight 1 of all ranks up to r.
    weights = [1 / (min(r, 6) + sum((6 / 7) ** k for k in range(7 - r))) for r in range(1, 7)]
    assert shares[first] == pytest.approx(np.mean(weights), abs=0.01)
    assert shares[second] == pytest.approx(shares[first], abs=0.015)
    assert np.delete(shares, [first, second]).max() < shares[first]


def test_uniform_selection_learns_nothing() -> None:
    search, _ = after_one_success(DFlare(selection="uniform"))
    assert chosen(search, 14000) == pytest.approx(np.full(7, 1 / 7), abs=0.012)


def test_a_new_case_in_a_slot_begins_anew() -> None:
    search, _ = after_one_success(DFlare(selection="released"))
    search.seat(SLOT, observed(0.9), observed(0.9), NO_ROW)
    assert chosen(search, 7000) == pytest.approx(np.full(7, 1 / 7), abs=0.015)


@given(st.booleans(), st.lists(st.lists(st.floats(0.01, 0.99), min_size=4, max_size=4), min_size=1, max_size=30))
def test_the_archive_agrees_with_a_plain_nearest_neighbour_search(keep_all: bool, rows: list[list[float]]) -> None:
    from dltf.builtin.dflare import _Archive

    archive, kept = _Archive(3, keep_all=keep_all), []
    for row in rows:
        vector = np.array([row], dtype=np.float32)
        expected = all(float(((vector[0] - other) ** 2).sum()) > 0.5 for other in kept)
        assert bool(archive.novel(np.array([1]), vector, 0.5)[0]) == expected
        kept += [vector[0]] if expected or keep_all else []
