"""Prefix beam search: the likeliest sentence, over all of its alignments, among those that a beam keeps.

Hannun et al., "First-pass large vocabulary continuous speech recognition using bi-directional recurrent DNNs", 2014,
algorithm 1, without a language model; whole batches at once. (pyctcdecode, which would do it, needs numpy below 2.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define

from dltf_speech.decoders.alphabet import Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import BoolArray, FloatArray, IntArray
    from dltf_speech.decoders.lexicon import Lexicon

_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no two prefixes of one parent share a name


@define(eq=False)
class _Beams:
    """The prefixes that are kept, arrays [n, beams]; a prefix is known by a 64-bit name made of its labels."""

    silent: FloatArray  # probability of alignments that end with silence, in proportion to the best prefix
    said: FloatArray  # … with the last label
    last: IntArray  # label; the separator for the empty prefix
    names: NDArray[np.uint64]
    parents: NDArray[np.uint64]
    nodes: IntArray  # where in the lexicon

    @classmethod
    def empty(cls, n: int, beams: int, separator: int) -> _Beams:
        shape = (n, beams)
        silent = np.zeros(shape)
        silent[:, 0] = 1.0
        names = np.ones(shape, dtype=np.uint64)
        last = np.full(shape, separator)
        return cls(silent, np.zeros(shape), last, names, np.zeros_like(names), np.zeros(shape, dtype=np.int64))


def search(
    reading: Reading, logs: NDArray[np.float64], beams: int, lexicon: Lexicon | None
) -> tuple[list[str], BoolArray]:
    """Return the best sentence of each row of log-probabilities [n, frames, labels], and whether another is as good."""
    n = len(logs)
    with np.errstate(all="ignore"):  # NaN and infinities are observations, not accidents
        frames = np.exp(logs.transpose(1, 0, 2))
        kept = _Beams.empty(n, beams, reading.separator)
        steps = [_step(kept, frame, reading.separator, lexicon) for frame in frames]
    labels = _traced(steps, n, beams)
    scores = kept.silent + kept.said
    best = [_best(reading, labels[row], scores[row], kept.nodes[row], lexicon) for row in range(n)]
    return [sentence for sentence, _ in best], np.array([tied for _, tied in best], dtype=np.bool_)


def _step(kept: _Beams, frame: FloatArray, separator: int, lexicon: Lexicon | None) -> tuple[IntArray, IntArray]:
    """Go on by one frame [n, labels]; return which beam each came from, and the label that it appended (0: none)."""
    n, beams = kept.last.shape
    rows, each = np.arange(n)[:, None], np.arange(beams)[None, :]
    total = kept.silent + kept.said
    again = frame[rows, kept.last]  # the probability of the label that came last
    parted = (kept.last == separator) & (separator > 0)
    silent = total * frame[:, :1]
    said = np.where(parted, total, kept.said) * again
    longer = total[:, :, None] * frame[:, None, :]
    longer[rows, each, kept.last] = np.where(parted, 0.0, kept.silent * again)
    longer[:, :, 0] = 0.0
    if lexicon is not None:
        longer *= lexicon.after[kept.nodes] >= 0
    _merge(kept, total, said, longer)
    whole = np.concatenate([(silent + said)[:, :, None], longer[:, :, 1:]], axis=2).reshape(n, -1)
    chosen = np.argsort(-whole, axis=1, kind="stable")[:, :beams]
    origin, label = np.divmod(chosen, frame.shape[1])
    scale = whole[rows, chosen[:, :1]]
    scale[scale == 0.0] = 1.0  # a frame that allows nothing
    stays = label == 0
    _take(kept, rows, origin, label, lexicon)
    kept.silent = np.where(stays, silent[rows, origin], 0.0) / scale
    kept.said = np.where(stays, said[rows, origin], whole[rows, chosen]) / scale
    return origin, label


def _merge(kept: _Beams, total: FloatArray, said: FloatArray, longer: FloatArray) -> None:
    """Where a longer prefix is one that is kept already, add its probability there."""
    alike = (kept.parents[:, :, None] == kept.names[:, None, :]) & (total > 0)[:, :, None] & (total > 0)[:, None, :]
    row, child, parent = np.nonzero(alike)
    label = kept.last[row, child]
    said[row, child] += longer[row, parent, label]
    longer[row, parent, label] = 0.0


def _take(kept: _Beams, rows: IntArray, origin: IntArray, label: IntArray, lexicon: Lexicon | None) -> None:
    stays = label == 0
    names = kept.names[rows, origin]
    kept.parents = np.where(stays, kept.parents[rows, origin], names)
    kept.names = np.where(stays, names, (names + label.astype(np.uint64)) * _FACTOR)
    kept.last = np.where(stays, kept.last[rows, origin], label)
    nodes = kept.nodes[rows, origin]
    kept.nodes = nodes if lexicon is None else np.where(stays, nodes, lexicon.after[nodes, label])


def _traced(steps: list[tuple[IntArray, IntArray]], n: int, beams: int) -> IntArray:
    """Return the labels of each beam [n, beams, frames], with zeros where a frame appended none."""
    labels = np.zeros((n, beams, len(steps)), dtype=np.int64)
    rows, at = np.arange(n)[:, None], np.broadcast_to(np.arange(beams), (n, beams))
    for step in range(len(steps) - 1, -1, -1):
        origin, label = steps[step]
        labels[:, :, step] = label[rows, at]
        at = origin[rows, at]
    return labels


def _best(
    reading: Reading, labels: IntArray, scores: FloatArray, nodes: IntArray, lexicon: Lexicon | None
) -> tuple[str, bool]:
    """Return a row's best sentence; where no beam ends with a whole word, the best one's unfinished word is dropped."""
    alive = np.flatnonzero(scores > 0)
    ended = alive if lexicon is None else alive[lexicon.whole[nodes[alive]]]
    totals: dict[str, float] = {}
    for beam in ended:
        sentence = reading.text(labels[beam].tolist())
        totals[sentence] = totals.get(sentence, 0.0) + float(scores[beam])
    if totals:
        best = max(totals, key=totals.__getitem__)
        return best, sum(total == totals[best] for total in totals.values()) > 1
    if not len(alive):
        return "", False
    unfinished = reading.text(labels[alive[0]].tolist())
    return unfinished.rpartition(" ")[0], False
