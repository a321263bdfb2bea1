"""Oracles that let small differences pass: the error rate between the two answers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from attrs import field, frozen, validators

from dltf.plugin import Joins, Observations, Verdicts
from dltf_speech.normalise import Normalise, known_normalisation
from dltf_speech.oracles.alignment import Rate, aligned_words, character_error_rate, rates, word_error_rate
from dltf_speech.oracles.sentences import sentence, sentences


@frozen
class WordErrorRate(Joins):
    """The word error rate of the candidate's sentence is above a threshold, with the reference's as what was said.

    The distance is that rate: words left out, put in or exchanged, per word of the reference's sentence (per one word
    where that is empty), so it can be above 1.
    """

    above: float = field(
        default=0.0, validator=validators.ge(0.0)
    )  # 0: any difference; 0.1: one word in ten may differ
    normalise: Normalise = field(default="none", validator=known_normalisation)  # the spelling of both answers

    def judge(self, reference: Observations, candidate: Observations) -> Verdicts:
        return _verdicts(self, word_error_rate, reference, candidate)

    def align(self, ours: Hashable, theirs: Hashable) -> Sequence[tuple[str, str]]:
        """Return the words that belong together, in the spelling that they are compared in."""
        return _aligned(self, ours, theirs)


@frozen
class CharacterErrorRate(Joins):
    """The character error rate of the candidate's sentence is above a threshold, with the reference's as what was said.

    The distance is that rate, spaces included; for the rest, see `word_error_rate`.
    """

    above: float = field(default=0.0, validator=validators.ge(0.0))  # 0: any difference
    normalise: Normalise = field(default="none", validator=known_normalisation)  # the spelling of both answers

    def judge(self, reference: Observations, candidate: Observations) -> Verdicts:
        return _verdicts(self, character_error_rate, reference, candidate)

    def align(self, ours: Hashable, theirs: Hashable) -> Sequence[tuple[str, str]]:
        """Return the words that belong together, in the spelling that they are compared in."""
        return _aligned(self, ours, theirs)


_Oracle = WordErrorRate | CharacterErrorRate
_NAMES = {WordErrorRate: "word_error_rate", CharacterErrorRate: "character_error_rate"}


def _verdicts(oracle: _Oracle, rate: Rate, reference: Observations, candidate: Observations) -> Verdicts:
    name = _NAMES[type(oracle)]
    ours, theirs = (sentences(seen, name, oracle.normalise) for seen in (reference, candidate))
    distances = rates(rate, ours, theirs)
    return Verdicts(deviates=distances > oracle.above, distances=distances, tied=reference.tied | candidate.tied)


def _aligned(oracle: _Oracle, ours: Hashable, theirs: Hashable) -> Sequence[tuple[str, str]]:
    name = _NAMES[type(oracle)]
    return aligned_words(*(sentence(decision, name, oracle.normalise) for decision in (ours, theirs)))
