"""Random search: what a method must beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import Briefing, Observations, Plans, Turn

if TYPE_CHECKING:
    from dltf.plugin import BoolArray, IntArray, Stream


@frozen
class RandomSearch:
    """Uniformly chosen operators, whatever came of the last ones.

    `chain` operators are applied one after another before the search starts again from the seed; 1 mutates the seed
    itself for ever.
    """

    needs_operators: ClassVar[bool] = True

    chain: int = field(default=1, validator=validators.ge(1))

    def start(self, briefing: Briefing) -> _Walk:
        return _Walk(self.chain, len(briefing.operators), briefing.slots)


class _Walk:
    def __init__(self, chain: int, operators: int, slots: int) -> None:
        self._chain = chain
        self._operators = operators
        self._steps = np.zeros(slots, dtype=np.int64)

    def seat(self, slots: IntArray, reference: Observations, candidate: Observations, rows: IntArray) -> None:
        self._steps[slots] = 0

    def ask(self, slots: IntArray, streams: Sequence[Stream]) -> Plans:
        return Plans(
            operators=np.array([stream.integers(self._operators) for stream in streams], dtype=np.int64),
            strengths=np.ones(len(slots)),
            from_seed=self._steps[slots] % self._chain == 0,
        )

    def tell(self, slots: IntArray, turn: Turn) -> BoolArray:
        self._steps[slots] += 1
        return np.ones(len(slots), dtype=np.bool_)
