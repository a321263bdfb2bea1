"""What a head learns from: rows that were checked, in the terms in which it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from attrs import evolve, frozen

from dltf.plugin import MisfitError
from dltf_drepair.features import View, computed, form_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dltf.plugin import BoolArray, FloatArray, IntArray, Stream
    from dltf_drepair.features import Feature

Target: TypeAlias = Literal["auto", "class", "rank"]

WIDE = 50
"""From so many outputs on, `target = "auto"` learns which place the right class has, not which class it is."""

_FEWEST_GROUPS = 8  # below that, nothing is kept back to choose by


@frozen(eq=False)
class Lesson:
    """n rows: features [n, m], what is right (a class, or a place among the candidate's best), and their weights.

    `base` is what a head that corrects begins with: log-probabilities, by class or in order [n, d].
    """

    view: View
    names: tuple[Feature, ...]
    by_rank: bool
    classes: int  # of the head's answers
    width: int  # of what is learnt: classes, or places
    features: NDArray[np.float32]
    base: NDArray[np.float64]
    right: IntArray
    groups: IntArray
    weights: FloatArray
    dropped: Mapping[str, int]

    def take(self, rows: BoolArray) -> Lesson:
        """Return these rows."""
        return evolve(
            self,
            features=self.features[rows],
            base=self.base[rows],
            right=self.right[rows],
            groups=self.groups[rows],
            weights=self.weights[rows],
        )

    def facts(self) -> dict[str, Any]:
        """Return what the record of every head has."""
        return {
            **self.view.facts(),
            "classes": self.classes,
            "features": list(self.names),
            "target": "rank" if self.by_rank else "class",
            "rows": len(self.right),
            "groups": len(np.unique(self.groups)),
            "seen": len(np.unique(self.right)),
            **self.dropped,
        }


@frozen
class Wish:
    """How a head wants to be taught: its settings."""

    features: tuple[Feature, ...] | None  # None: by the number of outputs
    target: Target
    floor: float
    places: int
    agreeing: float  # the weight of a row on which the candidate is right; others weigh 1
    rounded: bool = False  # features to whole steps


def lesson(states: NDArray[Any], answers: IntArray, groups: IntArray, classes: int, wish: Wish) -> Lesson:
    """Check the rows, drop those that are not finite, and compute the features of the others.

    Raise `MisfitError` where there is nothing to learn from, or where states and answers do not belong together.
    """
    _check(states, answers, groups, classes)
    finite = np.isfinite(states).all(axis=1)
    states, answers, groups = (np.asarray(array)[finite] for array in (states, answers, groups))
    if not len(states):
        raise MisfitError(f"none of {len(finite)} rows is finite: there is nothing to learn from")
    width = states.shape[1]
    view = View(form_of(states), width, wish.floor, min(wish.places, width), wish.rounded)
    by_rank = wish.target == "rank" or (wish.target == "auto" and width >= WIDE)
    names = wish.features or (("top",) if by_rank else ("logs", "margins", "ranks"))
    logs = computed(evolve(view, rounded=False), ("logs",), states).astype(np.float64)
    order = np.argsort(-states, axis=1, kind="stable")
    right = (order == answers[:, None]).argmax(axis=1) if by_rank else answers
    made = Lesson(
        view=view,
        names=names,
        by_rank=by_rank,
        classes=classes,
        width=view.places if by_rank else classes,
        features=computed(view, names, states),
        base=np.take_along_axis(logs, order, axis=1) if by_rank else logs,
        right=right.astype(np.int64),
        groups=groups.astype(np.int64),
        weights=np.where(order[:, 0] == answers, wish.agreeing, 1.0),
        dropped={"dropped_not_finite": int((~finite).sum())},
    )
    return _within_reach(made) if by_rank else made


def parted(made: Lesson, share: float, stream: Stream) -> tuple[Lesson, Lesson] | None:
    """Keep a share of the groups back, drawn from the stream; None where there are too few, or share is 0."""
    names = np.unique(made.groups)
    if not share or len(names) < _FEWEST_GROUPS:
        return None
    kept = stream.permutation(names)[: max(1, round(share * len(names)))]
    back = np.isin(made.groups, kept)
    return made.take(~back), made.take(back)


def loss(logits: FloatArray, right: IntArray, weights: FloatArray) -> float:
    """Return the weighted mean of the negative log-likelihood."""
    top = logits.max(axis=1)
    totals = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    each = totals - logits[np.arange(len(right)), right]
    return float((each * weights).sum() / weights.sum())


def temperature(logits: FloatArray, held: Lesson, seen: Sequence[int] | IntArray) -> float:
    """Return the number, 1/4 … 8, that logits of rows kept back are best divided by.

    Rows whose answer was not among those seen count for nothing: no temperature helps there.
    """
    rows = np.isin(held.right, seen)
    if not rows.any():
        return 1.0
    ladder = np.append(1.0, np.geomspace(0.25, 8.0, 41))  # where several are as good, 1
    losses = [loss(logits[rows] / number, held.right[rows], held.weights[rows]) for number in ladder]
    return float(ladder[int(np.argmin(losses))])


def _within_reach(made: Lesson) -> Lesson:
    """Drop rows whose right class is not among the best places: no answer by place would be right."""
    near = made.right < made.width
    if not near.any():
        raise MisfitError(
            f"the reference's answer is never among the candidate's best {made.width}: there is nothing to learn from",
            hint='raise `places`, or learn classes: target = "class"',
        )
    return evolve(made.take(near), dropped={**made.dropped, "dropped_out_of_reach": int((~near).sum())})


def _check(states: NDArray[Any], answers: IntArray, groups: IntArray, classes: int) -> None:
    if states.ndim != 2 or not len(states):
        raise MisfitError(f"a head learns from states [n, d] of at least one row, not {list(states.shape)}")
    if states.shape[1] < 2 or states.shape[1] != classes:
        raise MisfitError(
            f"the candidate's states have {states.shape[1]} values, and the reference has {classes} classes",
            hint="a head needs one value for each class, at least two, in the order of the reference's classes",
        )
    if not len(states) == len(answers) == len(groups):
        raise MisfitError(f"{len(states)} states, {len(answers)} answers and {len(groups)} groups do not go together")
    low, high = int(np.min(answers)), int(np.max(answers))
    if low < 0 or high >= classes:
        raise MisfitError(f"answers go from {low} to {high}, and there are {classes} classes")
