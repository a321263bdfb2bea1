"""Bracket: between an input that both variants answer alike and one that both answer otherwise, they differ somewhere.

A *path* is a function from t in [0, 1] to an input that starts at the seed: the line to another screened seed with
another answer (its end is known, and costs no query), or one operator's strength with its draw held fixed (one query
tells its end). Each variant changes its answer somewhere on the path, and unless both do so at the same place, there is
an interval on which they differ. It lies around the crossing, which is found as a root is found, by the margins of both
variants at once: whoever falls between the two crossings has found a deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from attrs import field, frozen, validators

from dltf.builtin.leads import alike, crossing, first_of, reading
from dltf.plugin import Briefing, Observations, Plans, Turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import BoolArray, FloatArray, IntArray, Stream

    Vectors = NDArray[np.float64]

_EDGE = 0.02  # of a bracket: no step is nearer to an end
_SLOW = 4  # steps in a row that leave more than half of a bracket, before it is halved
_POWER = 0.75  # margins bend along a path: a wide bracket is cut by their powers, a narrow one by themselves
_NARROWEST = 1e-4  # of a path: below it there is hardly another sample


@frozen
class Bracket:
    """Paths to other seeds first, the most promising of the nearest; then operators, their draws held fixed.

    A path is left after `steps` queries, so that no seed costs more than `paths × steps` queries before the operators
    have their turn. Where the variants' scores are known at both ends of a path, they tell where each variant is to
    change its answer: `rank = "crossing"` tries first the path whose crossings are near the seed, a little more so
    where they are far apart and the margins fall gently; `"gap"` the one with the widest gap between them; `"distance"`
    the shortest.
    """

    needs_operators: ClassVar[bool] = False
    takes_paths: ClassVar[bool] = True

    paths: int = field(default=8, validator=validators.ge(0))  # to other seeds, for each seed; 0: operators alone
    steps: int = field(default=14, validator=validators.ge(1))  # queries on a path
    rank: Literal["crossing", "gap", "distance"] = "crossing"  # which path comes first

    def start(self, briefing: Briefing) -> _Search:
        return _Search(self, briefing)


class _Search:
    """The state of all live cases, one row a slot."""

    def __init__(self, settings: Bracket, briefing: Briefing) -> None:
        self._settings = settings
        self._operators = len(briefing.operators)
        self._screened = briefing.screened
        slots = briefing.slots
        self._reads = reading(slots, self._screened)
        self._ends = np.zeros((slots, 2))  # low and high t
        self._answers: list[Any] = [None] * slots
        self._ahead: list[list[int]] = [[] for _ in range(slots)]  # partners not tried yet, the last one next
        self._partner = np.full(slots, -1, dtype=np.int64)
        self._operator = np.full(slots, -1, dtype=np.int64)
        self._open = np.zeros(slots, dtype=np.bool_)  # on a path whose ends are known
        self._steps = np.zeros(slots, dtype=np.int64)
        self._slow = np.zeros(slots, dtype=np.int64)
        self._asked = np.ones(slots)
        self._waits = np.zeros(slots, dtype=np.bool_)  # for what was asked last
        self._tried = np.zeros((slots, self._operators), dtype=np.int64)  # in vain, by operator

    # --- seats -------------------------------------------------------------------------------------------------------

    def seat(self, slots: IntArray, reference: Observations, candidate: Observations, rows: IntArray) -> None:
        for position, (slot, row) in enumerate(zip(slots.tolist(), rows.tolist(), strict=True)):
            seen = reference.take([position]), candidate.take([position])
            self._answers[slot] = first_of(seen[0].decisions)
            self._open[slot] = self._waits[slot] = False
            self._partner[slot] = self._operator[slot] = -1
            self._tried[slot] = 0
            self._reads.seat(slot, seen, self._answers[slot])
            self._ahead[slot] = self._ranked(row, slot) if row >= 0 and self._settings.paths else []

    def _ranked(self, row: int, slot: int) -> list[int]:
        """Return the partners of a seed, the best one last."""
        screened = self._screened
        assert screened is not None
        rows, distances = screened.neighbours.nearest(row)
        if not len(rows):
            return []
        by = self._settings.rank
        scores = None if by == "distance" else self._reads.rank(rows, distances, slot, by)
        order = np.arange(len(rows)) if scores is None else np.argsort(scores, kind="stable")
        return [int(partner) for partner in rows[order[: self._settings.paths]][::-1]]

    # --- queries -----------------------------------------------------------------------------------------------------

    def ask(self, slots: IntArray, streams: Sequence[Stream]) -> Plans:
        self._open[slots[self._waits[slots]]] = False  # nobody could tell what is there: another path is taken
        self._waits[slots] = True
        for slot, stream in zip(slots[~self._open[slots]].tolist(), _those(streams, ~self._open[slots]), strict=True):
            self._begin(slot, stream)
        opened = self._open[slots]
        strengths = np.ones(len(slots))
        strengths[opened] = self._next(slots[opened])
        self._asked[slots] = strengths
        operators = np.where(self._partner[slots] >= 0, -1, self._operator[slots])
        return Plans(
            operators=operators,
            strengths=strengths,
            from_seed=np.ones(len(slots), dtype=np.bool_),
            keeps=opened & (operators >= 0),
            partners=self._partner[slots],
        )

    def _begin(self, slot: int, stream: Stream) -> None:
        """Begin the next path: to a partner, whose end is known, or along an operator, whose end is asked for first."""
        self._steps[slot] = self._slow[slot] = 0
        self._ends[slot] = 0.0, 1.0
        self._partner[slot] = self._operator[slot] = -1
        if self._ahead[slot]:
            self._partner[slot] = self._ahead[slot].pop()
            self._open[slot] = True
        elif self._operators:
            least = np.flatnonzero(self._tried[slot] == self._tried[slot].min())
            self._operator[slot] = operator = int(least[stream.integers(len(least))])
            self._tried[slot, operator] += 1
        self._reads.begin(slot, int(self._partner[slot]))

    def _next(self, slots: IntArray) -> FloatArray:
        """Return where both variants together are expected to change their answer, or the middle."""
        low, high = self._ends[slots].T
        width = high - low
        leads = self._reads.leads(slots)
        share = crossing(leads[:, 0], leads[:, 1], _POWER + (1 - _POWER) * (1 - width))
        halve = (self._slow[slots] >= _SLOW) | (share >= 1.0)
        return np.asarray(low + width * np.where(halve, 0.5, np.clip(share, _EDGE, 1 - _EDGE)))

    # --- answers -----------------------------------------------------------------------------------------------------

    def tell(self, slots: IntArray, turn: Turn) -> BoolArray:
        self._waits[slots] = False
        stays = alike(turn.reference.decisions, [self._answers[slot] for slot in slots.tolist()])
        opened = self._open[slots]
        # An operator's full strength has to change the answer, or the next draw is tried.
        told = np.flatnonzero(opened | ~stays)
        ends = np.where(stays, 0, 1)
        seen = turn.reference.take(told), turn.candidate.take(told)
        self._reads.learn(slots[told], ends[told], seen, stays[told])
        self._open[slots[~opened & ~stays]] = True
        self._narrow(slots[opened], ends[opened])
        return np.zeros(len(slots), dtype=np.bool_)

    def _narrow(self, slots: IntArray, end: IntArray) -> None:
        before = self._ends[slots, 1] - self._ends[slots, 0]
        self._ends[slots, end] = self._asked[slots]
        width = self._ends[slots, 1] - self._ends[slots, 0]
        self._slow[slots] = np.where(width > before / 2, self._slow[slots] + 1, 0)
        self._steps[slots] += 1
        over = (self._steps[slots] >= self._settings.steps) | (width < _NARROWEST)
        self._open[slots[over]] = False


def _those(items: Sequence[Any], wanted: BoolArray) -> list[Any]:
    return [item for item, want in zip(items, wanted.tolist(), strict=True) if want]
