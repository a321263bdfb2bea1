"""The oracle that knows what was said."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import Joins, MisfitError, Observations, Verdicts
from dltf_speech.normalise import Normalise, known_normalisation
from dltf_speech.oracles.alignment import aligned_words, word_error_rate
from dltf_speech.oracles.sentences import sentence, sentences

_SLACK = 1e-9  # a difference of two rates is rounded; one that equals the margin is within it


@frozen
class Transcript(Joins):
    """One variant's word error rate against the clip's transcript is above the other's by more than a margin.

    Mutants are held against the transcript of their seed. Two different sentences that are equally wrong do not
    deviate; with `regression = true` only a candidate that is worse does. The distance is the difference of the two
    rates (with `regression`, 0 where the candidate is better). A clip without a transcript gets no verdict: it never
    deviates, and counts among those on which the variants agree.
    """

    margin: float = field(default=0.0, validator=validators.ge(0.0))  # in word error rate; 0: any difference of the two
    regression: bool = False  # whether only a candidate that is worse than the reference deviates
    normalise: Normalise = field(
        default="none", validator=known_normalisation
    )  # the spelling of answers and transcript

    needs_labels: ClassVar[bool] = True

    def judge(self, reference: Observations, candidate: Observations, labels: Sequence[Hashable | None]) -> Verdicts:
        ours, theirs = (sentences(seen, "transcript", self.normalise) for seen in (reference, candidate))
        rows = zip(ours, theirs, labels, strict=True)
        worse = np.array([self._worse(one, other, label) for one, other, label in rows], dtype=np.float64)
        distances = np.maximum(worse, 0.0) if self.regression else np.abs(worse)
        deviates = distances > self.margin + _SLACK
        return Verdicts(deviates=deviates, distances=distances, tied=reference.tied | candidate.tied)

    def align(self, ours: Hashable, theirs: Hashable) -> Sequence[tuple[str, str]]:
        """Return the words of the two answers that belong together, in the spelling that they are compared in."""
        return aligned_words(*(sentence(decision, "transcript", self.normalise) for decision in (ours, theirs)))

    def _worse(self, ours: str, theirs: str, label: Hashable | None) -> float:
        """Return by how much the candidate's error rate is above the reference's; 0 without a transcript."""
        if label is None or ours == theirs:
            return 0.0
        if not isinstance(label, str):
            raise MisfitError(
                f'the oracle "transcript" needs what was said, and a seed has the label {label!r}',
                hint="give seeds with transcripts, or choose another oracle",
            )
        said = sentence(label, "transcript", self.normalise)
        return word_error_rate(said, theirs) - word_error_rate(said, ours)
