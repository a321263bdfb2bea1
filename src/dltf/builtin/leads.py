"""By how much an answer leads every other, for both variants at once: what the strategy `bracket` interpolates.

A reading keeps what both variants said at the two ends of each slot's path, and at its seed. There are two: by the
scores of all classes, and by those of the answers at both ends, or nothing but these answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from dltf.plugin import Observations, ScreenedSeeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import BoolArray, FloatArray, IntArray

    Vectors = NDArray[np.float64]

Both: TypeAlias = tuple[Observations, Observations]  # the reference's and the candidate's

_NO_FLOOR = -80.0  # the least log-probability where states have no steps
_RANK_POWER = 0.6  # of leads, when whole paths are ranked
_BARELY = 1e-6  # nats: the lead of an answer that is given, whatever its score


class Reading(Protocol):
    """What both variants said, slot by slot. `own` is the answer to a slot's seed; end 0 is low, end 1 high."""

    def seat(self, slot: int, seen: Both, own: Any) -> None:
        """Begin a case: this was said of its seed."""

    def begin(self, slot: int, partner: int) -> None:
        """Begin a path: from the seed to this screened seed, or −1."""

    def learn(self, slots: IntArray, ends: IntArray, seen: Both, stays: BoolArray) -> None:
        """Put an end of each of these slots where this was said; it `stays` where it is the seed's answer."""

    def leads(self, slots: IntArray) -> Vectors:
        """Return by how much the seed's answer leads at both ends, the mean of the variants [n, end, rivals]."""

    def rank(self, rows: IntArray, distances: FloatArray, slot: int, by: str) -> FloatArray | None:
        """Return a score for each path from the slot's seed to these screened seeds, the least for the best."""


def crossing(at_low: Vectors, at_high: Vectors, power: FloatArray) -> FloatArray:
    """Return where another class first overtakes [n], a share of the way, from leads [n, classes] at both ends.

    Between the ends sign(lead) × |lead| ** power is taken for a straight line; 1 where no class leads at the high end.
    """
    up, down = np.maximum(at_low, 0.0) ** power[:, None], np.maximum(-at_high, 0.0) ** power[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(down > 0, (up + 1e-9) / (up + 1e-9 + down), 1.0)
    return np.asarray(share.min(axis=1))


class Classes:
    """Log-probabilities of every class, from states: a third answer on the way is seen coming."""

    def __init__(self, slots: int, screened: ScreenedSeeds) -> None:
        assert screened.reference.states is not None
        width = screened.reference.states.shape[1]
        self._screened = screened
        self._floors = np.array([_floor(one) for one in (screened.reference, screened.candidate)])
        self._own = np.zeros(slots, dtype=np.int64)
        self._origin: Vectors = np.zeros((slots, 2, width))  # at the seed [slots, variant, classes]
        self._values: Vectors = np.zeros((slots, 2, 2, width))  # [slots, end, variant, classes]

    def seat(self, slot: int, seen: Both, own: Any) -> None:
        self._own[slot] = own
        self._origin[slot] = self._logs(seen)[0]

    def begin(self, slot: int, partner: int) -> None:
        self._values[slot, 0] = self._origin[slot]
        if partner >= 0:
            self._values[slot, 1] = self._at(np.array([partner]))[0]

    def learn(self, slots: IntArray, ends: IntArray, seen: Both, stays: BoolArray) -> None:
        self._values[slots, ends] = self._logs(seen)

    def leads(self, slots: IntArray) -> Vectors:
        """Return the mean leads over every class.

        Where one variant's probability is at its floor, a quantised zero, it only says "at most": the other's counts.
        """
        values, own, rows = self._values[slots], self._own[slots], np.arange(len(slots))
        leads = values[rows, :, :, own][..., None] - values
        least = values <= self._floors[None, None, :, None] + 1e-9
        least |= least[rows, :, :, own][..., None]
        mean: Vectors = np.where(least & ~least[:, :, ::-1], leads[:, :, ::-1], leads).mean(axis=2)
        return mean

    def rank(self, rows: IntArray, distances: FloatArray, slot: int, by: str) -> FloatArray | None:
        """Return a score from where both variants are to cross; "crossing" favours near, far apart and gentle ones."""
        own, at = self._own[slot], np.arange(len(rows))
        start = np.broadcast_to(self._origin[slot], (len(rows), *self._origin[slot].shape))
        leads = [values[:, :, own][..., None] - values for values in (start, self._at(rows))]
        power = np.full(len(rows), _RANK_POWER)
        ours, theirs = (crossing(leads[0][:, one], leads[1][:, one], power) for one in (0, 1))
        gap = np.abs(ours - theirs)
        if by == "gap":
            return -gap * distances
        rival = leads[1].mean(axis=1).argmin(axis=1)  # the class that takes over
        swing = (leads[0] - leads[1]).mean(axis=1)[at, rival]
        near = np.log(distances * (ours + theirs) / 2 + 1e-9)
        score: FloatArray = near - 0.2 * np.log(gap + 1e-3) + 0.2 * np.log(np.maximum(swing, 1e-6))
        return score

    def _at(self, rows: IntArray) -> Vectors:
        return self._logs((self._screened.reference.take(rows), self._screened.candidate.take(rows)))

    def _logs(self, seen: Both) -> Vectors:
        states = [one.states for one in seen if one.states is not None]
        with np.errstate(divide="ignore"):
            logs = np.log(np.stack(states, axis=1).astype(np.float64))
        values: Vectors = np.maximum(logs, self._floors[None, :, None])
        return values


class Scored:
    """Log-scores of the answers at both ends, from scorers: for sentences, of which there is no end.

    What was stored of seeds has no scorer. Until something was asked on both sides of a crossing, and where decoders
    have no scores, every step is a bisection.
    """

    def __init__(self, slots: int) -> None:
        self._own: list[Any] = [None] * slots
        self._seen: list[list[Both | None]] = [[None, None] for _ in range(slots)]

    def seat(self, slot: int, seen: Both, own: Any) -> None:
        self._own[slot] = own

    def begin(self, slot: int, partner: int) -> None:
        self._seen[slot] = [None, None]

    def learn(self, slots: IntArray, ends: IntArray, seen: Both, stays: BoolArray) -> None:
        for row, (slot, end) in enumerate(zip(slots.tolist(), ends.tolist(), strict=True)):
            self._seen[slot][end] = seen[0].take([row]), seen[1].take([row])

    def leads(self, slots: IntArray) -> Vectors:
        return np.array([self._lead(slot) for slot in slots.tolist()]).reshape(-1, 2, 1)

    def rank(self, rows: IntArray, distances: FloatArray, slot: int, by: str) -> FloatArray | None:
        return None

    def _lead(self, slot: int) -> tuple[float, float]:
        low, high = self._seen[slot]
        if low is None or high is None:
            return 1.0, -1.0
        rival = first_of(high[0].decisions)
        at_low, at_high = (_apart(both, self._own[slot], rival) for both in (low, high))
        if not (np.isfinite(at_low) and np.isfinite(at_high)):
            return 1.0, -1.0
        return max(at_low, _BARELY), min(at_high, -_BARELY)


def _apart(both: Both, own: Any, rival: Any) -> float:
    """Return the log-odds of one answer against another, the mean of both variants; NaN without scores."""
    apart = 0.0
    for one in both:
        ours, theirs = one.score([own]), one.score([rival])
        if ours is None or theirs is None:
            return np.nan
        with np.errstate(invalid="ignore"):
            apart += 0.5 * float((ours - theirs)[0])
    return apart


def reading(slots: int, screened: ScreenedSeeds | None) -> Reading:
    """Return how to read answers: by states where they are the scores of decisions, else by what is seen on the way."""
    if screened is None or not len(screened):
        return Scored(slots)
    for one in (screened.reference, screened.candidate):
        if one.states is None or not isinstance(one.decisions, np.ndarray):
            return Scored(slots)
        if one.states.shape[1] <= one.decisions.max() or (one.states.argmax(axis=1) != one.decisions).any():
            return Scored(slots)
    return Classes(slots, screened)


def _floor(seen: Observations) -> float:
    """Return the least log-probability: that of half the smallest that was seen."""
    states = seen.states
    assert states is not None
    above = states[states > 0]
    return max(float(np.log(above.min() / 2)), _NO_FLOOR) if len(above) else 0.0


def first_of(decisions: Any) -> Any:
    """Return the first decision, as a plain value."""
    decision = decisions[0]
    return decision.item() if hasattr(decision, "item") else decision


def listed(decisions: Any) -> list[Any]:
    """Return the decisions as plain values."""
    return decisions.tolist() if isinstance(decisions, np.ndarray) else list(decisions)


def alike(decisions: Any, own: Sequence[Any]) -> BoolArray:
    """Tell which decisions are these."""
    answers = listed(decisions)
    return np.array([answer == ours for answer, ours in zip(answers, own, strict=True)], dtype=np.bool_)
