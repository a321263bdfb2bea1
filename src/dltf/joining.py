"""Oracles join with `&` and `|`, as small values do."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any, Literal

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

    @property
    def needs_labels(self) -> bool:
        return any(needs_labels(oracle) for oracle in self.oracles)

    def judge(
        self, reference: Observations, candidate: Observations, labels: Sequence[Hashable | None] | None = None
    ) -> Verdicts:
        verdicts = [judged(oracle, reference, candidate, labels) for oracle in self.oracles]
        return Verdicts(
            deviates=reduce(and_ if self.rule == "all" else or_, (verdict.deviates for verdict in verdicts)),
            distances=verdicts[0].distances,
            tied=reduce(or_, (verdict.tied for verdict in verdicts)),
        )


def needs_labels(oracle: Oracle) -> bool:
    """Whether an oracle is one of `contracts.JudgesByLabels`."""
    return bool(getattr(oracle, "needs_labels", False))


def aligning(oracle: Any) -> Callable[[Hashable, Hashable], Sequence[tuple[str, str]]] | None:
    """Return how an oracle aligns two answers (`contracts.Aligns`), that of its first part that does, or None."""
    for part in getattr(oracle, "oracles", (oracle,)):
        if hasattr(part, "align"):
            align: Callable[[Hashable, Hashable], Sequence[tuple[str, str]]] = part.align
            return align
    return None


def judged(
    oracle: Any, reference: Observations, candidate: Observations, labels: Sequence[Hashable | None] | None
) -> Verdicts:
    """Return an oracle's verdicts; one that goes by labels is given those of the seeds."""
    if not needs_labels(oracle):
        verdicts: Verdicts = oracle.judge(reference, candidate)
        return verdicts
    known: Verdicts = oracle.judge(reference, candidate, [None] * len(reference) if labels is None else labels)
    return known
