"""Oracles join with `&` and `|`, as small values do."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from dltf.values import Verdicts

if TYPE_CHECKING:
    from dltf.contracts import Oracle
    from dltf.values import Observations


class Joins:
    """Gives an oracle `&` (both say that the answers differ) and `|` (one of them does)."""

    __slots__ = ()

    def __and__(self: Oracle, other: Oracle) -> Joined:
        return Joined((self, other), "all")

    def __or__(self: Oracle, other: Oracle) -> Joined:
        return Joined((self, other), "any")


@frozen
class Joined(Joins):
    """Several oracles as one; the distances are those of the first, a tie in any is a tie."""

    oracles: tuple[Oracle, ...]
    rule: Literal["all", "any"]

    def judge(self, reference: Observations, candidate: Observations) -> Verdicts:
        verdicts = [oracle.judge(reference, candidate) for oracle in self.oracles]
        return Verdicts(
            deviates=reduce(and_ if self.rule == "all" else or_, (verdict.deviates for verdict in verdicts)),
            distances=verdicts[0].distances,
            tied=reduce(or_, (verdict.tied for verdict in verdicts)),
        )
