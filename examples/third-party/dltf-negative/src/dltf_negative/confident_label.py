"""The oracle."""

from __future__ import annotations

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import Joins, Observations, Verdicts


@frozen
class ConfidentLabel(Joins):
    """The answers differ, and both variants give theirs a probability of `at_least`; the distance is the smaller one.

    Where they agree, or one is not that sure, the distance is 0.
    """

    at_least: float = field(default=0.6, validator=[validators.gt(0.0), validators.le(1.0)])

    def judge(self, reference: Observations, candidate: Observations) -> Verdicts:
        pairs = zip(reference.decisions, candidate.decisions, strict=True)
        differ = np.array([ours != theirs for ours, theirs in pairs], dtype=np.bool_)
        surety = np.exp(np.minimum(reference.log_scores, candidate.log_scores))
        deviates = differ & (surety >= self.at_least)
        return Verdicts(
            deviates=deviates,
            distances=np.where(deviates, surety, 0.0),
            tied=reference.tied | candidate.tied,
        )
