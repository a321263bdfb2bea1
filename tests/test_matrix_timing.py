"""Timing on a machine whose noise is known: what is claimed, what is not, and how often."""

from __future__ import annotations

import gc
import json
import math
import time

import numpy as np
import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from dltf.errors import UsageError
from dltf.matrix.claims import against_itself, claims, noise_figures
from dltf.matrix.statistics import LEVEL, bootstrap, bootstrapped, signed_ranks
from dltf.matrix.timing import Timings, measure, orders


@pytest.fixture(scope="module", autouse=True)
def _what_other_tests_left_is_no_garbage():
    """Every measurement begins with a collection: let it not walk through all that the session holds."""
    gc.freeze()
    yield
    gc.unfreeze()


@define
class Machine:
    """A machine with neighbours: its clock moves as turns take time.

    Its speed drifts from turn to turn, and at times, for several turns, something else slows it down, often to half.
    """

    seed: int
    drift: float = 0.01
    bursts: float = 0.03
    now: float = 0.0
    rng: np.random.Generator = field(init=False)
    speed: float = 0.0
    left: int = 0

    def __attrs_post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def clock(self) -> float:
        return self.now

    def turn(self, seconds: float):
        """Return what takes so long on a machine with nothing else to do."""

        def run() -> None:
            self.speed = 0.9 * self.speed + self.drift * self.rng.normal()
            if self.left:
                self.left -= 1
            elif self.rng.random() < self.bursts:
                self.left = int(self.rng.integers(2, 8))
            slowed = 1 + self.rng.exponential(0.8) if self.left else 1.0
            self.now += seconds * slowed * math.exp(self.speed + 0.01 * self.rng.normal())

        return run

    def timed(self, repetitions: int = 30, **seconds: float) -> Timings:
        runs = {name: self.turn(each) for name, each in seconds.items()}
        return measure(runs, repetitions, 2, seed=self.seed, clock=self.clock)


def quiet(**seconds: float) -> Timings:
    return Machine(0, bursts=0.0, drift=0.0).timed(**seconds)


# --- measuring ---------------------------------------------------------------------------------------------------


def test_every_round_shows_every_variant_once_in_each_half():
    for order in orders(5, 40):
        assert sorted(order) == [(variant, copy) for variant in range(5) for copy in (0, 1)]
        assert sorted(variant for variant, _ in order[:5]) == list(range(5))
    assert [*orders(5, 3)] == [*orders(5, 3)]
    assert [*orders(5, 3)] != [*orders(5, 3, seed=1)]


def test_no_variant_has_a_better_place_than_another():
    starts = np.array([[variant for variant, _ in order[:3]] for order in orders(3, 3000)])
    shares = [[(starts[:, place] == variant).mean() for variant in range(3)] for place in range(3)]
    assert np.abs(np.array(shares) - 1 / 3).max() < 0.03
    early = np.array([next(copy for variant, copy in order if variant == 0) for order in orders(3, 3000)])
    assert abs(early.mean() - 0.5) < 0.03


def test_a_turn_is_what_the_clock_says_and_warm_up_does_not_count():
    machine = Machine(0)
    calls: list[str] = []

    def first() -> None:
        calls.append("first")
        machine.now += 1000.0 if calls.count("first") <= 4 else 2.0

    def second() -> None:
        calls.append("second")
        machine.now += 3.0

    rounds: list[int] = []
    timed = measure({"first": first, "second": second}, 3, warm_up=2, clock=machine.clock, progressed=rounds.append)
    assert timed.seconds["first"].tolist() == [[2.0, 2.0]] * 3
    assert timed.seconds["second"].tolist() == [[3.0, 3.0]] * 3
    assert len(calls) == 2 * 2 * 5
    assert rounds == [1, 2, 3]
    assert timed.repetitions == 3


def test_the_second_turn_is_that_of_the_variant_opened_again():
    machine = Machine(0, bursts=0.0, drift=0.0)
    again = {"a": machine.turn(2.0)}
    timed = measure({"a": machine.turn(1.0), "b": machine.turn(1.0)}, 20, 0, again=again, clock=machine.clock)
    assert timed.seconds["a"][:, 1] == pytest.approx(2.0, rel=0.1)
    figures = noise_figures(timed)
    assert figures["a"]["noise_floor"] == pytest.approx(1.0, rel=0.1)
    assert figures["b"]["noise_floor"] < 0.02


def test_garbage_is_not_collected_in_a_turn_and_is_again_afterwards():
    seen: list[bool] = []
    measure({"a": lambda: seen.append(gc.isenabled())}, 2, 1)
    assert seen == [False] * 6
    assert gc.isenabled()


def test_an_error_of_a_run_is_raised_and_leaves_the_collector_on():
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        measure({"a": broken}, 2)
    assert gc.isenabled()
    with pytest.raises(UsageError, match="nothing to time"):
        measure({}, 2)


def test_the_real_clock_orders_what_is_far_apart():
    timed = measure({"short": lambda: None, "long": lambda: time.sleep(0.002)}, 6, 1)
    assert timed.seconds["short"].min() > 0
    assert timed.seconds["long"].min() >= 0.002


def test_a_turn_that_the_clock_does_not_see_can_be_compared():
    timed = measure({"a": lambda: None, "b": lambda: None}, 8, clock=lambda: 0.0)
    (claim,) = claims({1: timed}, "a")
    assert (claim.ratio, claim.p, claim.claimed) == (1.0, 1.0, False)


def test_figures_by_hand():
    turns = np.arange(1.0, 101.0).reshape(50, 2)
    figures = Timings({"a": turns}).figures()["a"]
    told = {key: figures[key] for key in ("samples", "median_s", "p95_s", "p99_s", "min_s", "mean_s")}
    assert told == pytest.approx(
        {"samples": 100, "median_s": 50.5, "p95_s": 95.05, "p99_s": 99.01, "min_s": 1.0, "mean_s": 50.5}
    )
    low, high = figures["median_interval"]
    assert low < 50.5 < high
    assert Timings({"a": turns}).figures()["a"] == figures


# --- claims ------------------------------------------------------------------------------------------------------


def test_a_difference_on_a_quiet_machine_is_claimed_and_none_is_not():
    slower, same = claims({1: quiet(a=1.0, b=1.05, c=1.0)}, "a")
    assert (slower.variant, slower.claimed, same.variant, same.claimed) == ("b", True, "c", False)
    assert slower.interval[0] < 1.05 < slower.interval[1]
    assert slower.medians_interval[0] < 1.05 < slower.medians_interval[1]
    assert slower.ratio == pytest.approx(1.05, rel=0.01)
    assert slower.power == 1.0
    assert 0 < slower.smallest_detectable < 0.02
    assert slower.p_adjusted >= slower.p


def test_what_is_faster_is_claimed_as_well():
    (faster,) = claims({64: quiet(a=1.0, b=0.9)}, "a")
    assert (faster.batch, faster.claimed) == (64, True)
    assert faster.ratio == pytest.approx(0.9, rel=0.01)


def test_equal_samples_are_claimed_equally_and_are_ready_for_a_file():
    timed = {1: quiet(a=1.0, b=1.02), 8: quiet(a=3.0, b=3.0, c=3.5)}
    told = [one.as_dict() for one in claims(timed, "a")]
    assert told == [one.as_dict() for one in claims(timed, "a")]
    assert [(one["variant"], one["batch"]) for one in told] == [("b", 1), ("b", 8), ("c", 8)]
    assert json.loads(json.dumps([told, noise_figures(timed[1])]))


def test_no_more_is_claimed_than_a_variant_differs_from_itself():
    machine = Machine(0, bursts=0.0, drift=0.0)
    runs = {"a": machine.turn(1.0), "b": machine.turn(1.1)}
    alike = measure(runs, 30, 0, clock=machine.clock)
    opened_again = measure(runs, 30, 0, again={"b": machine.turn(1.4)}, clock=machine.clock)
    assert claims({1: alike}, "a")[0].claimed
    (claim,) = claims({1: opened_again}, "a")
    assert claim.p_adjusted < LEVEL
    assert claim.noise_floor > 0.2
    assert not claim.claimed


def test_many_comparisons_ask_for_more():
    timed = Machine(3).timed(a=1.0, b=1.01)
    (alone,) = claims({1: timed}, "a")
    among = claims({1: timed, 2: quiet(a=1.0, **{f"v{number}": 1.0 for number in range(20)})}, "a")[0]
    assert among.p == alone.p
    assert among.p_adjusted > alone.p_adjusted
    assert among.smallest_detectable > alone.smallest_detectable


def test_too_few_rounds_claim_nothing_and_say_so():
    (claim,) = claims({1: Machine(0, bursts=0.0).timed(4, a=1.0, b=9.0)}, "a")
    assert (claim.claimed, claim.smallest_detectable, claim.power) == (False, None, 0.0)
    assert claim.interval == (None, None)
    with pytest.raises(UsageError, match="1 repetitions"):
        claims({1: Machine(0).timed(1, a=1.0, b=9.0)}, "a")
    with pytest.raises(UsageError, match='did you mean "alpha"'):
        claims({1: quiet(alpha=1.0, b=1.0)}, "alpho")


def test_200_comparisons_of_a_variant_with_itself_raise_at_most_16_alarms():
    """Before any correction, with noise that depends on time; 10 are to be expected."""
    machines = [Machine(1000 + number) for number in range(200)]
    rounds = [machine.timed(a=1.0, b=1.0).seconds for machine in machines]
    between = sum(signed_ranks(np.log(of["b"].min(1) / of["a"].min(1))).p <= LEVEL for of in rounds)
    within = sum(against_itself(of["a"]).p <= LEVEL for of in rounds)
    assert between <= 16
    assert within <= 16


@pytest.mark.parametrize(("bursts", "drift"), [(0.06, 0.02), (0.08, 0.03)])
def test_a_planted_difference_is_found_as_often_as_the_power_says(bursts, drift):
    trials = 120
    found = [
        claims({1: Machine(number, bursts=bursts, drift=drift).timed(a=1.0, b=1.05)}, "a")[0]
        for number in range(trials)
    ]
    share = np.mean([claim.claimed for claim in found])
    stated = np.mean([claim.power for claim in found])
    assert abs(share - stated) < 3 * math.sqrt(0.25 / trials)
    assert 0.05 < share < 0.999, "a difference that is always or never found says nothing of the power"


# --- what claims stand on ----------------------------------------------------------------------------------------


def test_signed_ranks_by_hand():
    seen = signed_ranks(np.array([1.0, 2.0, 3.0, 4.0, 5.0, -6.0]))
    # The one below 0 has rank 6. Of 64 ways to give signs, 14 sum up to 6 at most: none, 1 … 6, 12 … 15, 23, 24, 123.
    assert seen.p == pytest.approx(2 * 14 / 64)
    assert seen.estimate == 2.5
    assert seen.interval == (-6.0, 5.0)
    assert signed_ranks(np.arange(1.0, 6.0)).interval == (-math.inf, math.inf)
    assert signed_ranks(np.zeros(6)).p == 1.0


@given(st.lists(st.integers(-1000, 1000).map(lambda whole: whole + 0.123), min_size=6, max_size=40, unique_by=abs))
def test_the_interval_leaves_0_out_where_the_test_refuses_it(values):
    seen = signed_ranks(np.array(values))
    assert (seen.p <= LEVEL) == (not seen.interval[0] <= 0 <= seen.interval[1])
    mirrored = signed_ranks(-np.array(values))
    assert (mirrored.p, mirrored.estimate) == pytest.approx((seen.p, -seen.estimate))


def test_many_differences_are_tested_as_few_are():
    rng = np.random.default_rng(0)
    values = rng.normal(0.1, 1.0, 400)
    few, many = signed_ranks(values[:200]), signed_ranks(values[:201])
    assert many.p == pytest.approx(few.p, rel=0.3)
    assert many.interval == pytest.approx(few.interval, abs=0.02)


def test_the_bootstrap_draws_neighbours_together_and_every_row_equally_often():
    rows = bootstrap(27, 4000)
    assert rows.shape == (4000, 27)
    assert ((rows[:, 1] - rows[:, 0]) % 27 == 1).all()
    assert np.bincount(rows.ravel(), minlength=27) == pytest.approx(4000, rel=0.1)
    assert bootstrapped(np.full((10, 2), 3.0)) == (3.0, 3.0)
