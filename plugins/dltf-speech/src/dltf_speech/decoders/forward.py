"""The forward algorithm: the probability that a CTC network gives a sentence, over all of its alignments or the best.

Graves et al., "Connectionist temporal classification", ICML 2006, section 4.1, on labels as `Reading` folds them: any
number of separators between two words counts, and any before and after the sentence.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import Factory, field, frozen

from dltf_speech.decoders.alphabet import Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import BoolArray, FloatArray, IntArray

_SURE = 1e-200  # what is lost below 1e-308 does not matter to a probability above this
_AT_ONCE = 2**18  # probabilities that are looked up at once


@frozen
class _Numbers:
    """How probabilities are held: as they are, which is fast, or as logarithms, which never underflow."""

    plus: np.ufunc
    times: np.ufunc
    zero: float
    one: float


_PLAIN = _Numbers(np.add, np.multiply, 0.0, 1.0)
_LOGS = _Numbers(np.logaddexp, np.add, -np.inf, 0.0)
_BEST = _Numbers(np.maximum, np.add, -np.inf, 0.0)  # logarithms, and the likeliest alignment counts alone: Viterbi's

Alignments = Literal["all", "best"]


@frozen(eq=False)
class SentenceScorer:
    """What a network says of any sentence: `frames` are log-probabilities [frames, n, labels], `rows` which of the n.

    A sentence that has other characters than the alphabet, or more than the frames can hold, scores −∞.
    """

    reading: Reading
    frames: NDArray[np.float64]
    rows: IntArray
    _plain: NDArray[np.float64] | None = field(repr=False)  # the probabilities; None where the best alignment counts
    _known: dict[tuple[int, str], float] = field(default=Factory(dict), repr=False)  # a search asks again and again

    @classmethod
    def of(cls, reading: Reading, logs: NDArray[np.float64], alignments: Alignments) -> SentenceScorer:
        """Return the scorer of these log-probabilities [n, frames, labels]."""
        frames = np.ascontiguousarray(logs.transpose(1, 0, 2))
        with np.errstate(all="ignore"):
            return cls(reading, frames, np.arange(len(logs)), np.exp(frames) if alignments == "all" else None)

    def take(self, rows: IntArray | Sequence[int]) -> SentenceScorer:
        return SentenceScorer(self.reading, self.frames, self.rows[rows], self._plain, self._known)

    def score(self, decisions: Sequence[Hashable] | NDArray[Any]) -> FloatArray:
        asked = [(row, str(sentence)) for row, sentence in zip(self.rows.tolist(), decisions, strict=True)]
        new = [pair for pair in dict.fromkeys(asked) if pair not in self._known]
        spelled = [self.reading.spelled(sentence) for _, sentence in new]
        self._known.update(dict.fromkeys(new, -np.inf))
        able = [i for i, labels in enumerate(spelled) if labels is not None and _length(labels) <= len(self.frames)]
        if able:
            with np.errstate(all="ignore"):  # NaN and infinities are observations, not accidents
                found = self._scored([spelled[i] or [] for i in able], np.array([new[i][0] for i in able]))
            self._known.update(zip((new[i] for i in able), found.tolist(), strict=True))
        return np.array([self._known[pair] for pair in asked], dtype=np.float64)

    def _scored(self, spelled: list[list[int]], rows: IntArray) -> FloatArray:
        width = self.frames.shape[2]
        if self._plain is None:
            return _forward(self.frames, _targets(spelled, rows, width, self.reading.separator), _BEST)
        found = _forward(self._plain, _targets(spelled, rows, width, self.reading.separator), _PLAIN)
        scores = np.log(found)
        lost = np.flatnonzero(found < _SURE)
        if len(lost):
            again = _targets([spelled[i] for i in lost], rows[lost], width, self.reading.separator)
            scores[lost] = _forward(self.frames, again, _LOGS)
        return np.asarray(scores)


def _length(labels: Sequence[int]) -> int:
    """Return how many frames these labels need: silence stands between two that are equal."""
    return len(labels) + sum(a == b for a, b in pairwise(labels))


@frozen(eq=False)
class _Targets:
    """k sentences, each as a row of states, padded: silence, label 1, silence, label 2, …, silence."""

    index: IntArray  # [k, states], where a frame holds the state's probability
    skips: BoolArray  # [k, states], may follow the state before the last: a label, without silence between
    repeats: BoolArray  # [k, states], may follow the next state: a separator, that comes again after silence
    ends: BoolArray  # [k, states], may be the last
    start: int  # the state before the first frame


def _targets(spelled: Sequence[Sequence[int]], rows: IntArray, width: int, separator: int) -> _Targets:
    around = [separator] if separator else []
    whole = [[*around, *labels, *around] if labels else around for labels in spelled]
    states = np.zeros((len(whole), 1 + 2 * max(map(len, whole))), dtype=np.int64)
    ends = np.zeros(states.shape, dtype=np.bool_)
    for i, labels in enumerate(whole):
        last = 2 * len(labels)
        states[i, 1:last:2] = labels
        may_miss = 2 if separator and spelled[i] else 0  # the separator at the end
        ends[i, max(last - 1 - may_miss, 0) : last + 1] = True
    skips = np.zeros(states.shape, dtype=np.bool_)
    skips[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    return _Targets(
        index=rows[:, None] * width + states,
        skips=skips,
        repeats=(states == separator) & (states > 0),
        ends=ends,
        start=2 * len(around),  # as if the separator before the sentence had been said
    )


def _forward(frames: NDArray[np.float64], targets: _Targets, numbers: _Numbers) -> FloatArray:
    """Return the probability of each target [k]; how far a row is padded does not matter to it."""
    plus, times = numbers.plus, numbers.times
    shape = targets.index.shape
    skips, repeats = (np.where(flags, numbers.one, numbers.zero) for flags in (targets.skips, targets.repeats))
    state = np.full((shape[0], shape[1] + 3), numbers.zero)  # two more on the left, one on the right
    before, last, now, after = (state[:, first : first + shape[1]] for first in range(4))
    now[:, targets.start] = numbers.one
    total, part = np.empty(shape), np.empty(shape)
    for emitted in _emitted(frames, targets.index):
        plus(now, last, out=total)
        plus(total, times(skips, before, out=part), out=total)
        if targets.start:
            plus(total, times(repeats, after, out=part), out=total)
        times(total, emitted, out=now)
    ended = np.where(targets.ends, now, numbers.zero)
    return np.asarray(plus.accumulate(ended, axis=1)[:, -1])  # one by one: `reduce` goes by the length


def _emitted(frames: NDArray[np.float64], index: IntArray) -> Iterator[FloatArray]:
    """Yield what each frame has for each state [k, states]."""
    flat = frames.reshape(len(frames), int(np.prod(frames.shape[1:])))
    some = max(1, _AT_ONCE // index.size)
    for first in range(0, len(flat), some):
        yield from flat[first : first + some][:, index]
