"""What counts as a deviation, for decoders whose states are score vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import Joins, MisfitError, Observations, Verdicts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import BoolArray


@frozen
class TopLabel(Joins):
    """The answers differ: DFlare's oracle (section 3.1), for any decoder.

    A tie (several classes share the best score exactly, as quantised outputs often do) is broken towards the lowest
    class by the decoder. With `ties = "lowest"` that class is the answer, as it is in deployed code; with
    `ties = "overlap"` two variants agree when some class is among the best of both. Ties are counted either way.
    """

    ties: Literal["lowest", "overlap"] = "lowest"  # what a tie counts as

    def judge(self, reference: Observations, candidate: Observations) -> Verdicts:
        deviates = _differ(reference.decisions, candidate.decisions)
        tied = reference.tied | candidate.tied
        if self.ties == "overlap" and (deviates & tied).any():
            ours, theirs = _states(reference, "top_label"), _states(candidate, "top_label")
            shared = (_is_best(ours) & _is_best(theirs)).any(axis=1)
            deviates = deviates & ~(tied & shared)
        return Verdicts(deviates=deviates, distances=deviates.astype(np.float64), tied=tied)


@frozen
class TopK(Joins):
    """The k best classes differ: as a set, or with `ranked = true` in their order.

    The distance is the share of the k classes that the two lists do not have in common (as sets) or the share of ranks
    that differ. Equal scores rank by class number; a tie that decides who is among the k marks the verdict as tied.
    """

    k: int = field(default=5, validator=validators.ge(1))  # how many of the best classes
    ranked: bool = False  # whether their order counts

    def judge(self, reference: Observations, candidate: Observations) -> Verdicts:
        ours, theirs = _states(reference, "top_k"), _states(candidate, "top_k")
        if self.k >= ours.shape[1]:
            raise MisfitError(
                f"top_k with k = {self.k} says nothing of {ours.shape[1]} classes", hint="set k below their number"
            )
        ranks, other = self._best(ours), self._best(theirs)
        if self.ranked:
            distances = (ranks != other).mean(axis=1)
        else:
            distances = 1.0 - (ranks[:, :, None] == other[:, None, :]).any(axis=2).mean(axis=1)
        return Verdicts(
            deviates=distances > 0, distances=distances, tied=self._undecided(ours) | self._undecided(theirs)
        )

    def _best(self, states: NDArray[Any]) -> NDArray[np.int64]:
        return np.argsort(-states, axis=1, kind="stable")[:, : self.k]

    def _undecided(self, states: NDArray[Any]) -> BoolArray:
        falling = -np.sort(-states, axis=1)[:, : self.k + 1]
        if self.ranked:
            return np.asarray((falling[:, :-1] == falling[:, 1:]).any(axis=1))
        return np.asarray(falling[:, self.k - 1] == falling[:, self.k])


@frozen
class Tolerance(Joins):
    """Some score differs by more than `atol + rtol × |the reference's|`; the distance is the largest difference."""

    atol: float = field(default=0.1, validator=validators.ge(0.0))  # absolute
    rtol: float = field(default=0.0, validator=validators.ge(0.0))  # relative to the reference's score

    def judge(self, reference: Observations, candidate: Observations) -> Verdicts:
        ours = _states(reference, "tolerance").astype(np.float64)
        theirs = _states(candidate, "tolerance").astype(np.float64)
        with np.errstate(invalid="ignore"):
            differences = np.abs(ours - theirs)
            differences[np.isnan(ours) & np.isnan(theirs) | (ours == theirs)] = 0.0
            beyond: BoolArray = ~(differences <= self.atol + self.rtol * np.nan_to_num(np.abs(ours)))
        return Verdicts(
            deviates=np.asarray(beyond.any(axis=1)),
            distances=differences.max(axis=1),
            tied=np.zeros(len(ours), dtype=np.bool_),
        )


def _differ(ours: Any, theirs: Any) -> BoolArray:
    if isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray):
        return np.asarray(ours != theirs, dtype=np.bool_)
    return np.fromiter((a != b for a, b in zip(ours, theirs, strict=True)), dtype=np.bool_, count=len(ours))


def _is_best(states: NDArray[Any]) -> BoolArray:
    return np.asarray(states == states.max(axis=1, keepdims=True))


def _states(observations: Observations, oracle: str) -> NDArray[np.float32]:
    if observations.states is None:
        raise MisfitError(
            f'the oracle "{oracle}" needs a score for every class, and the decoder gives none',
            hint='use the oracle "top_label", or another decoder',
        )
    return observations.states
