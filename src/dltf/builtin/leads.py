"""By how much an answer leads every other, for both variants at once: what the strategy `bracket` interpolates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.plugin import Observations, ScreenedSeeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import FloatArray, IntArray

    Vectors = NDArray[np.float64]

_NO_FLOOR = -80.0  # the least log-probability where states have no steps


def crossing(at_low: Vectors, at_high: Vectors, power: FloatArray) -> FloatArray:
    """Return where another class first overtakes [n], a share of the way, from leads [n, classes] at both ends.

    Between the ends sign(lead) × |lead| ** power is taken for a straight line; 1 where no class leads at the high end.
    """
    up, down = np.maximum(at_low, 0.0) ** power[:, None], np.maximum(-at_high, 0.0) ** power[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(down > 0, (up + 1e-9) / (up + 1e-9 + down), 1.0)
    return np.asarray(share.min(axis=1))


@frozen(eq=False)
class States:
    """Log-probabilities of every class: a third answer on the way is seen coming."""

    screened: ScreenedSeeds
    floors: Vectors  # the least log-probability of each variant

    def both(self, seen: tuple[Observations, Observations], own: Sequence[Any]) -> Vectors:
        """Return what both variants say [n, variant, classes]."""
        states = [one.states for one in seen if one.states is not None]
        with np.errstate(divide="ignore"):
            logs = np.log(np.stack(states, axis=1).astype(np.float64))
        values: Vectors = np.maximum(logs, self.floors[None, :, None])
        return values

    def ends(self, rows: IntArray, own: Any) -> Vectors:
        """Return what both say at the ends of paths to these partners."""
        return self.both((self.screened.reference.take(rows), self.screened.candidate.take(rows)), [])

    def mean(self, leads: Vectors, values: Vectors, own: Sequence[int]) -> Vectors:
        """Return the mean lead of both variants [n, end, classes].

        Where one variant's probability is at its floor, a quantised zero, it only says "at most": the other's counts.
        """
        least = values <= self.floors[None, None, :, None] + 1e-9
        least |= least[np.arange(len(own)), :, :, own][..., None]
        mean: Vectors = np.where(least & ~least[:, :, ::-1], leads[:, :, ::-1], leads).mean(axis=2)
        return mean

    def column(self, own: Any) -> int:
        return int(own)


@frozen(eq=False)
class Labels:
    """Nothing but answers: every step is a bisection."""

    def both(self, seen: tuple[Observations, Observations], own: Sequence[Any]) -> Vectors:
        answers = [listed(one.decisions) for one in seen]
        same = [[1.0 if answer == ours else -1.0 for answer, ours in zip(one, own, strict=True)] for one in answers]
        signs = np.array(same).T.reshape(-1, 2)
        return np.stack([signs, np.zeros_like(signs)], axis=2)

    def ends(self, rows: IntArray, own: Any) -> Vectors:
        return np.tile(np.array([-1.0, 0.0]), (len(rows), 2, 1))

    def mean(self, leads: Vectors, values: Vectors, own: Sequence[int]) -> Vectors:
        mean: Vectors = leads.mean(axis=2)
        return mean

    def column(self, own: Any) -> int:
        return 0


def reading(screened: ScreenedSeeds | None) -> States | Labels:
    """Return how to read answers: by states where they are the scores of decisions, by labels else."""
    if screened is None or not len(screened):
        return Labels()
    seen = (screened.reference, screened.candidate)
    for one in seen:
        if one.states is None or not isinstance(one.decisions, np.ndarray):
            return Labels()
        if one.states.shape[1] <= one.decisions.max() or (one.states.argmax(axis=1) != one.decisions).any():
            return Labels()
    return States(screened, np.array([_floor(one) for one in seen]))


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
