"""Which seeds tests are made of: screened step by step, and taken in the order that the profile chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import frozen

if TYPE_CHECKING:
    from dltf.values import BoolArray, FloatArray, IntArray

Choose = Literal["random", "density", "margin", "both"]

STEPS: Mapping[str, str] = {
    "label": "the nearest reference code has another label",
    "reconstruction": "a check judge gives its reconstruction another label",
    "right": "what is under test answers it wrong",
    "reconstruction_right": "what is under test answers its reconstruction wrong",
    "radius": "it lies as near to other labels as suspects do",
}
"""The steps of the screen, in order: why one removes a seed."""


def reason(step: str, *, sure: bool) -> str:
    """Return why a step removes a seed; `sure`: whether check judges have to be sure of labels."""
    unsure = ", or is not sure of its label" if sure and step == "reconstruction" else ""
    return STEPS[step] + unsure


@frozen(eq=False)
class Screened:
    """n seeds after the screen: which passed, and the step that removed each of the others."""

    accepted: BoolArray
    removed_by: list[str]  # "" where it passed

    def counts(self) -> dict[str, Any]:
        """Return how many seeds were offered, how many each step removed, and how many are left after it."""
        removed = {step: self.removed_by.count(step) for step in STEPS}
        left, steps = len(self.accepted), {}
        for step, count in removed.items():
            left -= count
            steps[step] = left
        return {"offered": len(self.accepted), **removed, "steps": steps, "accepted": left}

    @property
    def reconstruction_failures(self) -> IntArray:
        """The seeds whose reconstruction alone, with no move, what is under test gets wrong."""
        return np.flatnonzero([step == "reconstruction_right" for step in self.removed_by])


def screen(steps: Mapping[str, BoolArray | None]) -> Screened:
    """Combine what each step says of n seeds; a step that could not be made (None) removes none."""
    known = {step: passes for step in STEPS if (passes := steps.get(step)) is not None}
    count = len(next(iter(known.values())))
    removed_by = [""] * count
    for step, passes in known.items():
        for row in np.flatnonzero(~passes):
            removed_by[row] = removed_by[row] or step
    return Screened(np.array([not step for step in removed_by], dtype=np.bool_), removed_by)


def suspect_radius(radii: FloatArray, suspects: int, trim: float) -> float:
    """Return the radius that a seed has to exceed: of the reference codes listed as suspects, the largest.

    Of few codes, no more than the share `trim` are suspects; without any it is 0, which duplicates with two labels
    still have.
    """
    listed = min(suspects, int(trim * len(radii)))
    return float(np.partition(radii, listed - 1)[listed - 1]) if listed else 0.0


def order_of(choose: Choose, density: Callable[[], FloatArray], vulnerability: FloatArray, cases: IntArray) -> IntArray:
    """Return rows of seeds, the most promising first; equal ones stay as they were offered.

    `density` returns log-densities, and `vulnerability` is the target of a search at the reconstruction, in nats: above
    0 it fails. "both" is the product of density and vulnerability (HDA), each by its rank, so that no unit matters.
    """
    if choose == "random":
        return np.arange(len(cases))
    if choose == "density":
        worth = density()
    elif choose == "margin":
        worth = vulnerability
    else:
        worth = (_ranks(density()) + 1.0) * (_ranks(vulnerability) + 1.0)
    return np.argsort(-worth, kind="stable")


def _ranks(values: FloatArray) -> FloatArray:
    """Return the rank of each value from 0, equal ones alike."""
    _, places = np.unique(values, return_inverse=True)
    return np.asarray(places, dtype=np.float64)
