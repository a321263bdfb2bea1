"""What a variant answered on all seeds, and which of its outputs goes with which of another's."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.errors import MisfitError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.values import BoolArray, FloatArray, Observations

_SMALLEST = float(np.finfo(np.float32).tiny)


@frozen(eq=False)
class Outputs:
    """What one variant answered on n inputs.

    `decisions`: n hashable answers. `raw`: the model's outputs by name, real numbers [n, …], in the model's order.
    `states`: [n, classes] where the decisions are classes, or what another decoder keeps, or None. `finite`, `tied`:
    bool [n], as in observations. `least`: what a smaller probability counts as, half a step where it is quantised.
    """

    decisions: Sequence[Hashable] | NDArray[Any]
    raw: Mapping[str, NDArray[Any]]
    states: NDArray[Any] | None
    finite: BoolArray
    tied: BoolArray
    least: float = _SMALLEST

    @classmethod
    def of(cls, seen: Observations, raw: Mapping[str, NDArray[Any]], least: float = _SMALLEST) -> Outputs:
        """Return a variant's observations and raw outputs as one."""
        return cls(seen.decisions, raw, seen.states, seen.finite, seen.tied, least)

    def __len__(self) -> int:
        return len(self.finite)

    def class_scores(self) -> NDArray[Any] | None:
        """Return a score for each class [n, classes], where the decisions are classes: the place of the best score."""
        if self.states is None or self.states.ndim != 2 or self.states.shape[1] < 2:
            return None
        decisions = np.asarray(self.decisions)
        if not np.issubdtype(decisions.dtype, np.integer) or ((decisions < 0) | (decisions >= self.classes)).any():
            return None
        own = np.take_along_axis(self.states, decisions[:, None], axis=1)[:, 0]
        with np.errstate(invalid="ignore"):
            best = own == self.states.max(axis=1)
        return self.states if bool(best[self.usable].all()) else None

    def log_probabilities(self) -> FloatArray | None:
        """Return float64 [n, classes] in nats, or None where the scores are neither probabilities nor their logs."""
        scores = self.class_scores()
        if scores is None:
            return None
        values = scores.astype(np.float64)
        rows = values[self.usable]
        with np.errstate(all="ignore"):
            if _sums_to_one(rows):
                return np.log(np.maximum(values, self.least))
            if (rows <= 1e-6).all() and _sums_to_one(np.exp(rows)):
                return np.maximum(values, np.log(self.least))
        return None

    @property
    def classes(self) -> int:
        """The number of classes; 0 where there are no states."""
        return 0 if self.states is None else self.states.shape[1]

    @property
    def usable(self) -> BoolArray:
        """Where the states are finite, bool [n]."""
        return self.finite if self.states is None else self.finite & np.isfinite(self.states).all(axis=1)


@frozen(eq=False)
class Paired:
    """One output of both variants, named as the reference does, as rows [n, values]."""

    name: str
    reference: NDArray[Any]
    candidate: NDArray[Any]


def check(reference: Outputs, candidate: Outputs) -> None:
    """Raise `MisfitError` where two variants cannot be compared: another number of inputs or of classes."""
    if len(reference) != len(candidate):
        raise MisfitError(
            f"the reference answered {len(reference)} inputs, the candidate {len(candidate)}",
            hint="let both see the same seeds",
        )
    if reference.classes and candidate.classes and reference.classes != candidate.classes:
        raise MisfitError(
            f"the reference tells {reference.classes} classes apart, the candidate {candidate.classes}",
            hint="if one of them begins with a background class, say so: label_offset = 1 in its [output]",
        )


def pair(reference: Outputs, candidate: Outputs) -> tuple[str, list[Paired]]:
    """Return how outputs were paired, by "name" or else by "position", and the pairs; sizes of 1 do not matter."""
    by = "name" if reference.raw.keys() == candidate.raw.keys() else "position"
    if len(reference.raw) != len(candidate.raw):
        raise _misfit(reference, candidate, f"{len(reference.raw)} and {len(candidate.raw)} outputs")
    theirs = [candidate.raw[name] for name in reference.raw] if by == "name" else [*candidate.raw.values()]
    pairs = []
    for (name, ours), other in zip(reference.raw.items(), theirs, strict=True):
        if _sizes(ours) != _sizes(other):
            raise _misfit(reference, candidate, f'the shapes of the output "{name}" differ')
        pairs.append(Paired(name, _rows(ours), _rows(other)))
    return by, pairs


def _misfit(reference: Outputs, candidate: Outputs, why: str) -> MisfitError:
    told = [
        ", ".join(f"{name} [{'×'.join(map(str, array.shape[1:]))}]" for name, array in side.raw.items()) or "nothing"
        for side in (reference, candidate)
    ]
    return MisfitError(
        f"the reference gives {told[0]}; the candidate gives {told[1]}: {why}",
        hint="leave the variant out, or name an output that both have in [matrix.output]",
    )


def _sizes(array: NDArray[Any]) -> tuple[int, ...]:
    return (len(array), *(size for size in array.shape[1:] if size != 1))


def _rows(array: NDArray[Any]) -> NDArray[Any]:
    return array.reshape(len(array), int(np.prod(array.shape[1:])))


def _sums_to_one(rows: FloatArray) -> bool:
    return bool(((rows >= 0) & (rows <= 1 + 1e-3)).all() and (np.abs(rows.sum(axis=1) - 1) < 0.02).all())
