"""The decoder of networks trained with connectionist temporal classification: the answer is a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from attrs import evolve, field, frozen, validators

from dltf.plugin import MisfitError, Observations, TensorSpec
from dltf_speech.decoders.alphabet import Reading, is_silent, read_alphabet
from dltf_speech.decoders.beam import search
from dltf_speech.decoders.forward import Alignments, SentenceScorer
from dltf_speech.decoders.lexicon import Lexicon, read_lexicon
from dltf_speech.normalise import Normalise, known_normalisation

if TYPE_CHECKING:
    from numpy.typing import NDArray

Scores = Literal["auto", "logits", "log_probabilities", "probabilities"]
Search = Literal["greedy", "beam"]
Layout = Literal["NTC", "NCT"]
_SMALLEST = float(np.finfo(np.float32).tiny)
_NEAR_ONE = 0.02


def _one_character_each(_: object, attribute: Any, value: tuple[str, ...]) -> None:
    long = [entry for entry in value if len(entry) > 1 and not is_silent(entry)]
    if long:
        raise ValueError(
            f"'{attribute.name}' must list single characters, and marks such as \"<pad>\"; word pieces are not read: "
            f"{long[0]!r}"
        )


def _blank(_: object, attribute: Any, value: int | str) -> None:
    if value != "last" and (not isinstance(value, int) or value < 0):
        raise ValueError(f"'{attribute.name}' must be \"last\", or the number of a class: {value}")


@frozen
class Ctc:
    """Scores of characters for each frame [n, frames, classes] become a sentence, words separated by single spaces.

    "greedy" reads the best class of each frame, without repeats and blanks; "beam" looks for the likeliest sentence
    over all alignments, of `words` alone where there is a list.

    The log-score is that of the sentence by the forward algorithm, so that any sentence can be scored; one that the
    network cannot give scores −∞. Added up over all alignments, another sentence may be above the greedy one near where
    the answer changes; by the best alignment alone, none ever is, and margins end there at 0. Spaces before, after and
    in excess do not count, and neither do the case and punctuation that `normalise` takes away. The state is the mean
    probability of each class over the frames, float32 [n, classes], of one length however long the clip is: enough to
    tell two answers apart, not to score sentences.

    An alphabet of one entry less than there are classes goes with `blank = "last"`. Entries such as "<pad>" stand for
    nothing. An observation is tied where a frame, or two sentences, had equal scores at the top.
    """

    output: str = ""  # the tensor's name; may stay empty where one output alone has three dimensions
    alphabet: tuple[str, ...] = field(default=(), validator=_one_character_each)  # what each class stands for
    alphabet_file: Path | None = None  # or a file that lists it: JSON, or text with one class a line
    blank: int | Literal["last"] = field(default=0, validator=_blank)
    separator: str = field(default=" ", validator=validators.max_len(1))  # the entry between words: "|" for wav2vec2
    layout: Layout = field(default="NTC", validator=validators.in_(get_args(Layout)))  # T: frames, C: classes
    scores: Scores = field(default="auto", validator=validators.in_(get_args(Scores)))
    floor: float | None = field(  # of probabilities; None: half a step if quantised, else the smallest float32
        default=None, validator=validators.optional([validators.gt(0.0), validators.lt(1.0)])
    )
    search: Search = field(default="greedy", validator=validators.in_(get_args(Search)))
    beam_width: int = field(default=16, validator=validators.ge(1))
    alignments: Alignments = field(default="all", validator=validators.in_(get_args(Alignments)))  # that a score counts
    words: Path | None = None  # a text file of the words that there are, for "beam"
    normalise: Normalise = field(default="none", validator=known_normalisation)

    def __attrs_post_init__(self) -> None:
        if self.alphabet and self.alphabet_file is not None:
            raise ValueError("'alphabet_file' must be left out where alphabet is given")
        if self.words is not None and self.search != "beam":
            raise ValueError("'words' need search = \"beam\"")

    def settle(self, specs: Sequence[TensorSpec], outputs: Mapping[str, NDArray[Any]]) -> Ctc:
        """Pick the output, read the alphabet, and tell logits from probabilities and their logarithms."""
        spec = self._picked(specs, outputs)
        values = self._by_frame(outputs[spec.name])
        alphabet, blank = self._lettered(spec, values.shape[2])
        scores = _kind(spec, values) if self.scores == "auto" else self.scores
        floor = self.floor or (spec.quantisation.scale / 2 if spec.quantisation is not None else _SMALLEST)
        settled = evolve(
            self,
            output=spec.name,
            alphabet=alphabet,
            alphabet_file=None,
            blank=blank,
            scores=scores,
            floor=min(floor, 0.5),
        )
        _ = settled._reading, settled._lexicon  # made now: what is wrong with them is told before the run
        return settled

    def decode(self, outputs: Mapping[str, NDArray[Any]]) -> Observations:
        """Observe n rows; no row depends on another."""
        values = self._by_frame(outputs[self.output]).astype(np.float64)
        with np.errstate(all="ignore"):  # NaN and infinities are observations, not accidents
            logs = self._logs(values)
            states = (np.exp(logs).sum(axis=1) / max(values.shape[1], 1)).astype(np.float32)
        folded = self._reading.folded(logs)
        best = self._reading.folded(logs, np.maximum) if self.alignments == "best" else folded
        if self.search == "beam":
            decisions, tied = search(self._reading, folded, self.beam_width, self._lexicon)
        else:
            decisions = _greedy(self._reading, values)
            tied = ((values == values.max(axis=2, keepdims=True)).sum(axis=2) > 1).any(axis=1)
        scorer = SentenceScorer.of(self._reading, best, self.alignments)
        return Observations(
            decisions=list(decisions),
            log_scores=scorer.score(decisions),
            states=states,
            tied=tied,
            finite=np.asarray(np.isfinite(values).all(axis=(1, 2))),
            scorer=scorer,
        )

    @cached_property
    def _reading(self) -> Reading:
        assert self.blank != "last", "settle comes first"
        return Reading.of(self.alphabet, self.blank, self.separator, self.normalise)

    @cached_property
    def _lexicon(self) -> Lexicon | None:
        return None if self.words is None else read_lexicon(self.words, self._reading)

    def _by_frame(self, values: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(values if self.layout == "NTC" else values.transpose(0, 2, 1))

    def _picked(self, specs: Sequence[TensorSpec], outputs: Mapping[str, NDArray[Any]]) -> TensorSpec:
        fitting = [spec for spec in specs if self.output in ("", spec.name) and outputs[spec.name].ndim == 3]
        if len(fitting) != 1:
            have = ", ".join(map(str, specs)) or "none"
            raise MisfitError(
                f"one output is needed with the scores [n, frames, classes]; the model has {have}",
                hint="name it with `output`, or choose another decoder",
            )
        return fitting[0]

    def _lettered(self, spec: TensorSpec, classes: int) -> tuple[tuple[str, ...], int]:
        """Return what each class stands for, and the number of the blank."""
        alphabet = self.alphabet if self.alphabet_file is None else read_alphabet(self.alphabet_file)
        if not alphabet:
            raise MisfitError(
                f"no file tells what the {classes} classes of {spec} stand for",
                hint='add alphabet = ["-", " ", "a", …] or alphabet_file = "…" to the model\'s output table',
            )
        _alphabet_of_file(self.alphabet_file, alphabet)
        if self.blank == "last" and len(alphabet) == classes - 1:
            alphabet = (*alphabet, "")
        blank = classes - 1 if self.blank == "last" else self.blank
        if len(alphabet) != classes or blank >= classes:
            last = ' (if the blank is the last and not listed, set blank = "last")' if len(alphabet) < classes else ""
            raise MisfitError(
                f"the alphabet has {len(alphabet)} entries, its blank is number {blank}, and {spec} {classes} classes",
                hint=f"give one entry for each class, the blank included{last}; check `layout`, which is {self.layout}",
            )
        return alphabet, blank

    def _logs(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-probabilities [n, frames, classes]."""
        if self.scores == "probabilities":
            return np.log(np.maximum(values, self.floor or _SMALLEST))
        if self.scores == "log_probabilities":
            return values
        shifted = values - values.max(axis=2, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True)))


def _alphabet_of_file(file: Path | None, alphabet: tuple[str, ...]) -> None:
    long = [entry for entry in alphabet if len(entry) > 1 and not is_silent(entry)]
    if file is not None and long:
        raise MisfitError(
            f"{file} lists word pieces ({long[0]!r}), and this decoder reads single characters",
            hint="a model of word pieces can be run as a Python callable that gives text, with the decoder `text`",
        )


def _greedy(reading: Reading, values: NDArray[np.float64]) -> list[str]:
    """Return what the best class of each frame reads as, without repeats and silence."""
    labels = np.array(reading.labels)[values.argmax(axis=2)]
    changes = np.diff(labels, axis=1, prepend=0) != 0
    return [reading.text(row[kept].tolist()) for row, kept in zip(labels, changes & (labels != 0), strict=True)]


def _kind(spec: TensorSpec, values: NDArray[Any]) -> Literal["logits", "log_probabilities", "probabilities"]:
    """Tell what scores are from those that are finite, or from the range of a quantised output."""
    rows = values.reshape(-1, values.shape[2]).astype(np.float64)
    rows = rows[np.isfinite(rows).all(axis=1)]
    if spec.quantisation is not None and np.issubdtype(np.dtype(spec.dtype), np.integer):
        limits = np.iinfo(spec.dtype)
        low, high = (
            (int(end) - spec.quantisation.zero_point) * spec.quantisation.scale for end in (limits.min, limits.max)
        )
        return "probabilities" if low == 0.0 and 0.98 <= high <= 1.0 else "logits"
    if not len(rows):
        return "logits"
    if (rows >= 0).all() and (np.abs(rows.sum(axis=1) - 1) < _NEAR_ONE).all():
        return "probabilities"
    if (rows <= 1e-3).all() and (np.abs(np.exp(rows).sum(axis=1) - 1) < _NEAR_ONE).all():
        return "log_probabilities"
    return "logits"
