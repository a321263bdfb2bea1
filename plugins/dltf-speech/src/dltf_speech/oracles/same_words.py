"""The oracle of DFlare's speech study: two sentences, word by word."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from attrs import field, frozen

from dltf.plugin import Joins, Observations, Verdicts
from dltf_speech.normalise import Normalise, known_normalisation
from dltf_speech.oracles.alignment import aligned_words, rates, word_edits
from dltf_speech.oracles.sentences import sentence, sentences


@frozen
class SameWords(Joins):
    """Some word differs: the sentences are compared word by word (DFlare, section 6.1).

    The distance is the number of words that are left out, put in or exchanged, in the shortest edit.
    """

    normalise: Normalise = field(default="none", validator=known_normalisation)  # the spelling of both answers

    def judge(self, reference: Observations, candidate: Observations) -> Verdicts:
        ours, theirs = (sentences(seen, "same_words", self.normalise) for seen in (reference, candidate))
        distances = rates(word_edits, ours, theirs)
        return Verdicts(deviates=distances > 0, distances=distances, tied=reference.tied | candidate.tied)

    def align(self, ours: Hashable, theirs: Hashable) -> Sequence[tuple[str, str]]:
        """Return the words that belong together, in the spelling that they are compared in."""
        return aligned_words(*(sentence(decision, "same_words", self.normalise) for decision in (ours, theirs)))
