"""Bracketed root finding: the sign change is kept, the width is bounded, and known roots are found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltf.roots import Brackets

Function = Callable[[np.ndarray], np.ndarray]
places = st.floats(0.001, 0.999)


def narrowed(f: Function, width: float) -> tuple[Brackets, int]:
    """Step until every bracket is narrower than `width`; return them, and the steps of the slowest."""
    ends = np.zeros(1), np.ones(1)
    brackets = Brackets.of(f(ends[0]), f(ends[1]))
    steps = 0
    while brackets.width().max() > width * (1 + 1e-9):
        rows = np.arange(1)
        t = brackets.step(rows)
        assert (brackets.low < t).all()
        assert (t < brackets.high).all()
        brackets.learn(rows, t, f(t))
        steps += 1
        assert brackets.at_low[0] > 0 >= brackets.at_high[0]
        assert brackets.width()[0] <= 8 / 2**steps * (1 + 1e-9)
    return brackets, steps


@given(places, st.floats(-3, 3), st.floats(0.01, 1e6), st.integers(0, 2**32 - 1))
def test_the_sign_change_is_kept_and_the_width_bounded_whatever_the_function(
    root: float, bend: float, scale: float, noise: int
) -> None:
    """The values are those of a bent curve, each times a factor of its own: only their signs are to be trusted."""
    rng = np.random.default_rng(noise)

    def f(t: np.ndarray) -> np.ndarray:
        return scale * (root ** np.exp(bend) - t ** np.exp(bend)) * rng.lognormal(0, 3, t.shape)

    brackets, steps = narrowed(f, 2.0**-16)
    assert brackets.low[0] <= root <= brackets.high[0] + 1e-12
    assert steps <= 16 + 3


@given(places)
def test_signs_alone_are_bisected(root: float) -> None:
    brackets, steps = narrowed(lambda t: np.where(t < root, 1.0, -1.0), 2.0**-12)
    assert steps == 12
    assert brackets.low[0] <= root <= brackets.high[0]


def test_straight_lines_take_a_few_steps() -> None:
    roots = np.random.default_rng(0).uniform(0.001, 0.999, 500)
    assert max(narrowed(lambda t, root=root: root - t, 2.0**-16)[1] for root in roots) <= 6


@pytest.mark.parametrize(
    ("f", "root", "most"),
    [
        (lambda t: 0.25 - t, 0.25, 5),
        (lambda t: 0.5 - t**3, 0.5 ** (1 / 3), 7),
        (lambda t: np.cos(2 * t), np.pi / 4, 6),
        (lambda t: np.clip(400 * (0.3 - t), -11.0, 11.0), 0.3, 10),  # as of probabilities that saturate
        (lambda t: np.round(8 * (0.7 - t)) - 0.5 + 1.0, 0.7 + 0.5 / 8, 18),  # as of 8-bit scores
    ],
)
def test_known_roots_are_found_in_few_steps(f: Function, root: float, most: int) -> None:
    brackets, steps = narrowed(f, 2.0**-16)
    assert brackets.low[0] - 2.0**-16 <= root <= brackets.high[0] + 2.0**-16
    assert steps <= most


@pytest.mark.parametrize("ends", [(np.inf, -np.inf), (1.0, 0.0), (5e-324, -1e300), (np.inf, -1.0)])
def test_ends_that_tell_nothing_are_borne(ends: tuple[float, float]) -> None:
    brackets = Brackets.of(np.array([ends[0]]), np.array([ends[1]]))
    for _ in range(20):
        t = brackets.step(np.arange(1))
        assert np.isfinite(t).all()
        brackets.learn(np.arange(1), t, np.where(t < 0.4, ends[0], ends[1]))
    assert brackets.low[0] <= 0.4 <= brackets.high[0]
    assert brackets.width()[0] <= 8 / 2**20


def test_what_is_learnt_elsewhere_narrows_too_and_what_lies_outside_changes_nothing() -> None:
    brackets = Brackets.of(np.ones(2), -np.ones(2))
    brackets.learn(np.arange(2), np.array([0.6, 0.6]), np.array([-0.2, 0.2]))
    assert brackets.low.tolist() == [0.0, 0.6]
    assert brackets.high.tolist() == [0.6, 1.0]
    brackets.learn(np.arange(2), np.array([0.7, 0.5]), np.array([5.0, -5.0]))
    assert brackets.low.tolist() == [0.0, 0.6]
    assert brackets.at_high.tolist() == [-0.2, -1.0]


def test_a_bracket_does_not_depend_on_its_neighbours() -> None:
    roots = np.linspace(0.05, 0.95, 19)

    def steps_of(chosen: np.ndarray) -> np.ndarray:
        brackets = Brackets.of(chosen**2, chosen**2 - 1)
        rows = np.arange(len(chosen))
        taken = []
        for _ in range(8):
            taken.append(brackets.step(rows))
            brackets.learn(rows, taken[-1], chosen**2 - taken[-1] ** 2)
        return np.array(taken)

    together = steps_of(roots)
    alone = np.concatenate([steps_of(roots[i : i + 1]) for i in range(len(roots))], axis=1)
    assert together.tolist() == alone.tolist()


def test_brackets_may_begin_elsewhere() -> None:
    low, high = np.array([2.0]), np.array([4.0])
    brackets = Brackets.of(3 - low, 3 - high, low, high)
    t = brackets.step(np.arange(1))
    assert t[0] == pytest.approx(3.0)
    assert low[0] == 2.0
