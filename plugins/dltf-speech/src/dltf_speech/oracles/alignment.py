"""How far two sentences are apart, and which words of them belong together: the shortest edit, by jiwer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from dltf.plugin import FloatArray

Rate = Callable[[str, str], float]


def word_error_rate(said: str, heard: str) -> float:
    """Return the words left out, put in or exchanged, per word of `said`; where that is empty, per one word.

    So each word heard where nothing was said counts 1: the rate is 0 for two empty sentences, and never infinite.
    """
    return 0.0 if said == heard else float(_words(said, heard).wer)


def character_error_rate(said: str, heard: str) -> float:
    """Return the characters left out, put in or exchanged, per character of `said`, spaces included; as for words."""
    if said == heard:
        return 0.0
    from jiwer import process_characters

    return float(process_characters(said, heard).cer)


def word_edits(said: str, heard: str) -> float:
    """Return how many words are left out, put in or exchanged."""
    if said == heard:
        return 0.0
    found = _words(said, heard)
    return float(found.substitutions + found.deletions + found.insertions)


def rates(measure: Rate, said: Sequence[str], heard: Sequence[str]) -> FloatArray:
    """Return a measure of n pairs, float64 [n]."""
    return np.array([measure(one, other) for one, other in zip(said, heard, strict=True)], dtype=np.float64)


def aligned_words(said: str, heard: str) -> list[tuple[str, str]]:
    """Return the words that belong together, in order; "" where one sentence has none."""
    ours, theirs = said.split(), heard.split()
    if ours == theirs:
        return list(zip(ours, theirs, strict=True))
    pairs: list[tuple[str, str]] = []
    for chunk in _words(said, heard).alignments[0]:
        one = ours[chunk.ref_start_idx : chunk.ref_end_idx]
        other = theirs[chunk.hyp_start_idx : chunk.hyp_end_idx]
        longest = max(len(one), len(other))
        pairs += zip(_filled(one, longest), _filled(other, longest), strict=True)
    return pairs


def _words(said: str, heard: str) -> Any:
    from jiwer import process_words

    return process_words(said, heard)


def _filled(words: list[str], length: int) -> list[str]:
    return words + [""] * (length - len(words))
