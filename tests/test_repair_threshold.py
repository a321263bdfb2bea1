"""A threshold keeps what a head spoils below the bound, as often as its confidence says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltf.repair.threshold import allowed, choose, upper_limit
from dltf.repaired.intervention import NEVER

ADVANTAGES = st.lists(st.one_of(st.just(-1.0), st.floats(0, 1, width=32)), min_size=1, max_size=300)


def test_the_upper_limit_is_clopper_and_pearsons() -> None:
    # None of n: 1 − α^(1/n). The others are from tables of the exact binomial limit.
    assert upper_limit(0, 598, 0.95) == pytest.approx(1 - 0.05 ** (1 / 598))
    assert upper_limit(2, 20, 0.95) == pytest.approx(0.2826, abs=1e-4)
    assert upper_limit(1, 10, 0.95) == pytest.approx(0.3942, abs=1e-4)
    assert upper_limit(10, 10, 0.95) == 1.0


def test_the_rule_of_three_says_how_many_are_needed() -> None:
    assert allowed(597, 0.005, 0.95) == -1
    assert allowed(598, 0.005, 0.95) == 0
    assert allowed(10_000, 0.005, 0.95) == 38


def test_too_few_inputs_mean_that_it_never_intervenes() -> None:
    chosen = choose(np.full(100, -1, dtype=np.float32), 0.005, 0.95)
    assert chosen.never
    assert chosen.threshold == NEVER


def test_a_head_that_spoils_nothing_always_intervenes() -> None:
    chosen = choose(np.full(1000, -1, dtype=np.float32), 0.005, 0.95)
    assert chosen.threshold == 0.0
    assert chosen.spoilt == 0
    assert chosen.at_most == pytest.approx(1 - 0.05 ** (1 / 1000))


def test_the_threshold_is_just_above_the_first_that_is_one_too_many() -> None:
    """Of 1000, 1 may be spoilt (upper limit 0.47 %), 2 may not (0.63 %)."""
    told = np.full(1000, -1, dtype=np.float32)
    told[:3] = 0.9, 0.6, 0.3
    chosen = choose(told, 0.005, 0.95)
    assert chosen.threshold == float(np.nextafter(np.float32(0.6), np.float32(1)))
    assert chosen.spoilt == 1


@given(told=ADVANTAGES, limit=st.floats(0.01, 0.5), confidence=st.floats(0.5, 0.99))
def test_what_is_spoilt_stays_within_the_limit_and_nothing_smaller_would_do(
    told: list[float], limit: float, confidence: float
) -> None:
    values = np.array(told, dtype=np.float32)
    chosen = choose(values, limit, confidence)
    spoilt = int((values >= np.float32(chosen.threshold)).sum())
    if chosen.never:
        assert upper_limit(0, len(values), confidence) > limit
        return
    assert chosen.spoilt == spoilt
    assert upper_limit(spoilt, len(values), confidence) <= limit
    if chosen.threshold > 0:
        below = np.nextafter(np.float32(chosen.threshold), np.float32(0))
        assert upper_limit(int((values >= below).sum()), len(values), confidence) > limit


def test_on_fresh_inputs_the_bound_holds_as_often_as_it_says() -> None:
    """1000 times a threshold is chosen on 700 inputs; the share that it spoils of all is known."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(1000):
        drawn = rng.uniform(size=700).astype(np.float32)
        chosen = choose(np.where(drawn < 0.2, drawn, np.float32(-1)), 0.01, 0.9)
        held += max(0.0, 0.2 - chosen.threshold) <= 0.01  # of advantages even in [0, 0.2], none above
    assert held >= 880  # nine in ten, within three deviations of chance
