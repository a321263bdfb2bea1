"""Where on its ways one variant, taken alone, leaves the answer that the reference gives to the seed.

What is followed is the answer's *lead*: its log-score less that of the best other one, above 0 where the variant gives
the answer and never where it does not. A decoder whose states are the scores of all answers tells any third answer
that comes between; one that only scores answers tells the lead over that of the other end; with labels alone the lead
is ±1, and every step a bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, frozen

from dltf.errors import RuntimeFailedError
from dltf.roots import Brackets
from dltf.variant import concatenate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.campaign.gap.ways import Ways
    from dltf.feed import Columns
    from dltf.values import BoolArray, FloatArray, IntArray, Observations, Sample
    from dltf.variant import Variant

    Samples = NDArray[Any]  # [n], of objects

BATCH = 64  # inputs that a variant sees at once
RESOLUTION = 2.0**-16  # of a way: a narrower bracket is not halved again
_BARELY = float(np.finfo(np.float64).tiny)  # the lead of an answer that ties with another


@frozen(eq=False)
class Answers:
    """The answers that are followed: `own` the seed's, `others` those of the far ends; sequences or integer arrays."""

    own: Any
    others: Any

    def take(self, rows: IntArray) -> Answers:
        return Answers(picked(self.own, rows), picked(self.others, rows))


@frozen(eq=False)
class Ends:
    """The lead at both ends of each way; a variant crosses where it is above 0 at the seed and not at the other end."""

    at_seed: FloatArray
    at_other: FloatArray

    @property
    def crosses(self) -> BoolArray:
        return np.asarray((self.at_seed > 0) & (self.at_other <= 0))


@define(eq=False)
class Crossings:
    """Between which t a variant's answer changes, NaN where it was not looked for; `queries` are inputs shown to it."""

    low: FloatArray
    high: FloatArray
    at_low: FloatArray
    at_high: FloatArray
    queries: int = 0

    @staticmethod
    def nowhere(n: int) -> Crossings:
        low, high, at_low, at_high = np.full((4, n), np.nan)
        return Crossings(low, high, at_low, at_high)

    def take(self, rows: IntArray) -> Crossings:
        return Crossings(self.low[rows], self.high[rows], self.at_low[rows], self.at_high[rows])

    @property
    def middle(self) -> FloatArray:
        return np.asarray((self.low + self.high) / 2)


def picked(decisions: Any, rows: IntArray) -> Any:
    """Return the decisions of these rows: an array of an array, a list of anything else."""
    return decisions[rows] if isinstance(decisions, np.ndarray) else [decisions[row] for row in rows]


def observe(variant: Variant, samples: Sequence[Sample], columns: Sequence[Columns]) -> Observations:
    """Return what a variant answers, batch by batch."""
    try:
        parts = [
            variant.observe(samples[first : first + BATCH], columns[first : first + BATCH])
            for first in range(0, len(samples), BATCH)
        ]
    except RuntimeFailedError as error:
        raise RuntimeFailedError(f"the {variant.role} ({variant.name}): {error.message}", hint=error.hint) from error
    return parts[0] if len(parts) == 1 else concatenate(parts)


def leads(seen: Observations, answers: Answers) -> FloatArray:
    """Return the lead of the seed's answer, float64 [n]; NaN where an output is not finite."""
    given = _equal(seen.decisions, answers.own)
    apart = _apart(seen, answers, given)
    if apart is None:
        apart = np.where(given, 1.0, -1.0)
    apart = np.where(np.isnan(apart), np.where(given, 1.0, -1.0), apart)
    signed = np.where(given, np.maximum(apart, _BARELY), np.minimum(apart, 0.0))
    return np.where(seen.finite, signed, np.nan)


def locate(
    variant: Variant,
    ways: Ways,
    answers: Answers,
    ends: Ends,
    near: Crossings | None = None,
    progressed: Callable[[int], None] = lambda done: None,
) -> Crossings:
    """Locate the crossing of every way that has one.

    Where another variant's crossings are known, those nearest to them are looked for: on a way that an answer leaves
    more than once, both are then the same. `progressed` is told how many ways are done.
    """
    found = Crossings.nowhere(len(ways.seeds))
    rows = np.flatnonzero(ends.crosses)
    search = _Search(variant, ways, answers, found, progressed)
    search.begin(rows, ends, near)
    while search.turn():
        pass
    return found


class _Search:
    """All brackets that are still too wide, moved on in lockstep."""

    def __init__(
        self, variant: Variant, ways: Ways, answers: Answers, found: Crossings, progressed: Callable[[int], None]
    ) -> None:
        self._variant, self._ways, self._answers = variant, ways, answers
        self._found, self._progressed = found, progressed

    def begin(self, rows: IntArray, ends: Ends, near: Crossings | None) -> None:
        """Start from the ends of the ways, or from where another variant's crossings are."""
        found = self._found
        found.low[rows], found.high[rows] = 0.0, 1.0
        found.at_low[rows], found.at_high[rows] = ends.at_seed[rows], ends.at_other[rows]
        if near is not None:
            known = rows[np.isfinite(near.low[rows])]
            self._narrow(known, near.low[known])
            above = known[found.low[known] == near.low[known]]
            self._narrow(above, near.high[above])
        rows = rows[np.isfinite(found.low[rows])]
        self._rows = rows
        self._brackets = Brackets.of(found.at_low[rows], found.at_high[rows], found.low[rows], found.high[rows])
        self._low, self._high = self._at(rows, found.low[rows]), self._at(rows, found.high[rows])
        self._live = np.arange(len(rows))
        self._leave()

    def turn(self) -> bool:
        """Ask once for every bracket that is too wide; False when there is none left."""
        live = self._live
        if not len(live):
            return False
        t = self._brackets.step(live)
        samples = self._at(self._rows[live], t)
        # A sample that is that of an end again is known; no query is spent on it.
        lead = np.where(_same(samples, self._low[live]), self._brackets.at_low[live], np.nan)
        lead = np.where(_same(samples, self._high[live]), self._brackets.at_high[live], lead)
        new = np.flatnonzero(np.isnan(lead))
        lead[new] = self._ask(self._rows[live[new]], samples[new])
        broken = np.isnan(lead)
        self._lose(self._rows[live[broken]])
        live, t, lead, samples = live[~broken], t[~broken], lead[~broken], samples[~broken]
        self._brackets.learn(live, t, lead)
        self._low[live[lead > 0]], self._high[live[lead <= 0]] = samples[lead > 0], samples[lead <= 0]
        self._live = live
        self._leave()
        return bool(len(self._live))

    def _narrow(self, rows: IntArray, t: FloatArray) -> None:
        """Ask at t where it lies inside of what was found so far."""
        found = self._found
        inside = (t > found.low[rows]) & (t < found.high[rows])
        rows, t = rows[inside], t[inside]
        lead = self._ask(rows, self._at(rows, t))
        stays, left = lead > 0, lead <= 0
        found.low[rows[stays]], found.at_low[rows[stays]] = t[stays], lead[stays]
        found.high[rows[left]], found.at_high[rows[left]] = t[left], lead[left]
        self._lose(rows[np.isnan(lead)])

    def _ask(self, rows: IntArray, samples: Samples) -> FloatArray:
        """Return the leads on these samples of ways."""
        if not len(rows):
            return np.zeros(0)
        self._found.queries += len(rows)
        columns = [self._ways.columns[row] for row in rows]
        return leads(observe(self._variant, list(samples), columns), self._answers.take(rows))

    def _at(self, rows: IntArray, t: FloatArray) -> Samples:
        """Return the samples of these ways at t, as a column of objects: their shapes may differ."""
        samples = np.empty(len(rows), dtype=object)
        for first in range(0, len(rows), BATCH):
            block = slice(first, first + BATCH)
            for row, sample in enumerate(self._ways.at(rows[block], t[block]), start=first):
                samples[row] = sample
        return samples

    def _lose(self, rows: IntArray) -> None:
        """Give up ways on which an output is not finite."""
        for values in (self._found.low, self._found.high):
            values[rows] = np.nan

    def _leave(self) -> None:
        """Write down all brackets, and let go of those that are narrow."""
        found, brackets, live = self._found, self._brackets, self._live
        rows = self._rows[live]
        found.low[rows], found.high[rows] = brackets.low[live], brackets.high[live]
        found.at_low[rows], found.at_high[rows] = brackets.at_low[live], brackets.at_high[live]
        self._live = live[(brackets.width() > RESOLUTION)[live]]
        self._progressed(len(self._found.low) - len(self._live))


def _same(samples: Samples, others: Samples) -> BoolArray:
    pairs = zip(samples, others, strict=True)
    return np.fromiter((np.array_equal(one, other) for one, other in pairs), dtype=np.bool_, count=len(samples))


def _equal(decisions: Any, own: Any) -> BoolArray:
    if isinstance(decisions, np.ndarray) and isinstance(own, np.ndarray):
        return np.asarray(decisions == own)
    return np.array([one == other for one, other in zip(decisions, own, strict=True)], dtype=np.bool_)


def _apart(seen: Observations, answers: Answers, given: BoolArray) -> FloatArray | None:
    """Return how far the seed's answer is ahead, or None where there are labels alone."""
    own = seen.score(answers.own)
    if own is None:
        return None
    tells_all = _tells_all(seen, answers)
    if tells_all:
        assert seen.states is not None
        rivals = seen.states.astype(np.float64)
        rivals[np.arange(len(seen)), answers.own] = -np.inf
        others = rivals.argmax(axis=1)
    else:
        others = answers.others
    against = seen.score(others)
    assert against is not None, "who scores one answer scores any"
    best = against if tells_all else np.where(given, against, seen.log_scores)
    with np.errstate(invalid="ignore"):
        return np.asarray(own - best)


def _tells_all(seen: Observations, answers: Answers) -> bool:
    """Whether states are the scores of all answers: integers, of which the best state's place is the decision."""
    states, decisions = seen.states, seen.decisions
    if states is None or not isinstance(decisions, np.ndarray) or not isinstance(answers.own, np.ndarray):
        return False
    if max(int(decisions.max()), int(answers.own.max())) >= states.shape[1]:
        return False
    # Where states were rounded to a tie, the decision is among the best.
    return bool((states[np.arange(len(seen)), decisions] == states.max(axis=1))[seen.finite].all())
