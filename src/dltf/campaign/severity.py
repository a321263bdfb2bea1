"""How much a finding matters: margins, severity and grade.

A variant's *margin* is the log-odds by which it prefers its own answer to the other variant's, in nats. The *severity*
of a finding is the smaller of the two: near 0 it is a coin toss for at least one of them, far from 0 a confident
contradiction. The *grade* puts first what a person would want to see first.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dltf.values import FloatArray, Observations

SURE = math.log(2.0)
"""The margin, in nats, from which a variant counts as sure: it prefers its answer two to one."""

NEAR_TIE = 0.01
"""The margin, in nats, below which a variant's answer counts as a near-tie: its odds are within 1 % of even."""

GRADES = ("regression", "contradiction", "one-sided", "unsure", "near tie", "unscored")
"""The worst first.

- regression: the reference was right (its answer is the seed's label) and sure, and the candidate says otherwise.
- contradiction: both are sure of different answers, and nothing says that the reference was right.
- one-sided: one of them is sure.
- unsure: neither is sure.
- near tie: neither is sure, and one of them is within 1 % of even odds.
- unscored: the decoder scores no answers but its own, or an output was not finite.
"""


def margins(reference: Observations, candidate: Observations) -> tuple[FloatArray | None, FloatArray | None]:
    """Return both margins on n inputs, float64 [n], or None where a decoder cannot score the other's answers."""
    return _margin(reference, candidate), _margin(candidate, reference)


def grade_of(
    reference_margin: float | None,
    candidate_margin: float | None,
    label: Hashable | None,
    decision: Hashable | None,
) -> str:
    """Return the grade; `decision` is the reference's."""
    if reference_margin is None or candidate_margin is None:
        return "unscored"
    sure = (reference_margin >= SURE, candidate_margin >= SURE)
    if sure[0] and label is not None and label == decision:
        return "regression"
    if all(sure):
        return "contradiction"
    if any(sure):
        return "one-sided"
    return "near tie" if min(reference_margin, candidate_margin) < NEAR_TIE else "unsure"


def _margin(own: Observations, other: Observations) -> FloatArray | None:
    ours = own.score(own.decisions)
    theirs = own.score(other.decisions)
    if ours is None or theirs is None:
        return None
    with np.errstate(invalid="ignore"):
        return np.asarray(ours - theirs)
