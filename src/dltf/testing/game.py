"""A small made-up campaign for strategies: five classes, two variants that differ a little, cases in slots.

Every number of a case comes from the case alone, so that whatever differs between two games is the strategy's doing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from dltf.testing.fakes import class_observations, stream
from dltf.testing.promise import BrokenPromiseError, hold
from dltf.values import Briefing, Observations, Plans, Turn, Verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.contracts import Search, SearchStrategy
    from dltf.values import FloatArray, Stream

OPERATORS = ("blur", "noise", "shift")
_WEIGHTS = np.random.default_rng(7).normal(size=(4, 5))
_REACH = 0.8


@frozen
class Step:
    """What a strategy planned for a case in one turn, and whether it kept the mutant."""

    operator: int
    strength: float
    from_seed: bool
    kept: bool


class _Case:
    def __init__(self, case: int) -> None:
        self.stream: Stream = stream(2024, case)
        self.seed: FloatArray = np.random.default_rng(case).normal(size=4)
        self.base = self.seed
        self.mutant = self.seed
        self.steps: list[Step] = []


class Game:
    """Plays cases with a strategy, up to `slots` at once; `steps` holds what it planned for each."""

    def __init__(self, strategy: SearchStrategy, *, slots: int, operators: Sequence[str] = OPERATORS) -> None:
        self._briefing = Briefing(tuple(operators), slots)
        self._search: Search = strategy.start(self._briefing)
        self._live: dict[int, _Case] = {}
        self.steps: dict[int, list[Step]] = {}

    def play(self, cases: Sequence[int], turns: int = 25) -> dict[int, list[Step]]:
        """Play these cases in this order, each until the variants deviate or its turns are used up."""
        __tracebackhide__ = True
        waiting = list(cases)
        while waiting or self._live:
            self._seat(waiting)
            self._turn(turns)
        return self.steps

    def _seat(self, waiting: list[int]) -> None:
        free = [slot for slot in range(self._briefing.slots) if slot not in self._live][: len(waiting)]
        if not free:
            return
        for slot in free:
            number = waiting.pop(0)
            self._live[slot] = _Case(number)
            self.steps[number] = self._live[slot].steps
        values = [self._live[slot].seed for slot in free]
        rows = np.full(len(free), -1, dtype=np.int64)
        self._search.seat(np.array(free, dtype=np.int64), _reference(values), _candidate(values), rows)

    def _turn(self, turns: int) -> None:
        __tracebackhide__ = True
        slots = list(self._live)
        rows = np.array(slots, dtype=np.int64)
        live = [self._live[slot] for slot in slots]
        plans = self._search.ask(rows, [case.stream for case in live])
        _check(plans, len(live), len(self._briefing.operators))
        for case, operator, strength, anew in zip(live, plans.operators, plans.strengths, plans.from_seed, strict=True):
            change = case.stream.normal(size=4) * (int(operator) + 1) * _REACH
            case.mutant = (case.seed if anew else case.base) + float(strength) * change
        turn = _turn_of([case.mutant for case in live])
        kept = self._search.tell(rows, turn)
        told = f"tell gives {getattr(kept, 'dtype', type(kept).__name__)}{list(np.shape(kept))}, not bool[{len(live)}]"
        hold(isinstance(kept, np.ndarray) and kept.dtype == np.bool_ and kept.shape == (len(live),), told)
        for row, (slot, case) in enumerate(zip(slots, live, strict=True)):
            case.steps.append(
                Step(
                    int(plans.operators[row]), float(plans.strengths[row]), bool(plans.from_seed[row]), bool(kept[row])
                )
            )
            case.base = case.mutant if kept[row] else case.base
            if turn.verdicts.deviates[row] or len(case.steps) >= turns:
                del self._live[slot]


def _check(plans: Plans, n: int, operators: int) -> None:
    __tracebackhide__ = True
    for name, dtype in (("operators", np.int64), ("strengths", np.float64), ("from_seed", np.bool_)):
        values = getattr(plans, name)
        told = f"{name} of the plans is {values.dtype}{list(values.shape)}, not {np.dtype(dtype)}[{n}]"
        hold(values.dtype == dtype and values.shape == (n,), told)
    within = (plans.operators >= 0) & (plans.operators < operators)
    hold(within.all(), f"a plan names operator {plans.operators[~within]} of {operators}")
    if not ((plans.strengths >= 0) & (plans.strengths <= 1)).all():
        raise BrokenPromiseError(f"a plan has a strength outside [0, 1]: {plans.strengths}")


def _turn_of(values: Sequence[FloatArray]) -> Turn:
    reference, candidate = _reference(values), _candidate(values)
    deviates = np.asarray(reference.decisions) != np.asarray(candidate.decisions)
    return Turn(
        reference, candidate, Verdicts(deviates, deviates.astype(np.float64), np.zeros(len(deviates), dtype=np.bool_))
    )


def _reference(values: Sequence[FloatArray]) -> Observations:
    return _observed([value @ _WEIGHTS for value in values])


def _candidate(values: Sequence[FloatArray]) -> Observations:
    return _observed([np.round(value, 1) @ np.round(_WEIGHTS, 1) for value in values])


def _observed(logits: Sequence[FloatArray]) -> Observations:
    # Row by row: a matrix product may differ in its last bits with the size of the batch.
    return class_observations([list(np.exp(row - row.max()) / np.exp(row - row.max()).sum() + 1e-9) for row in logits])
