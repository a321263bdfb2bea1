"""The decoder of models that give text itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, field, frozen

from dltf.plugin import MisfitError, Observations, TensorSpec
from dltf_speech.normalise import Normalise, known_normalisation, normalise

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LOG_SCORE = "log_score"


@frozen
class Text:
    """The sentence that the model gives, in a spelling of your choice, its words separated by single spaces.

    The model's outputs are an array of strings [n] and, where it has one, the natural logarithm of its own score of
    that text, float [n]; without one all log-scores are 0. There is no state, and no other sentence can be scored: so
    `dflare` goes by the difference of the scores, and `bracket` bisects. A Python callable that returns an array of
    strings, or {"text": …, "log_score": …}, is such a model.
    """

    output: str = ""  # the output with the text; may stay empty where one alone is text
    log_score: str = ""  # the output with the score; empty: the one of that name, where there is one
    normalise: Normalise = field(default="none", validator=known_normalisation)  # the spelling of decisions

    def settle(self, specs: Sequence[TensorSpec], outputs: Mapping[str, NDArray[Any]]) -> Text:
        """Find the output with the text, and the one with the score."""
        output = self._text(specs, outputs)
        log_score = self.log_score or (_LOG_SCORE if _LOG_SCORE in outputs else "")
        if log_score and not _numbers(outputs.get(log_score), len(outputs[output])):
            raise MisfitError(
                f'"{log_score}" is no output with one number for each input: the model has {_listed(specs)}',
                hint="set `log_score` to the output with the score of the text, or leave it out",
            )
        return evolve(self, output=output, log_score=log_score)

    def decode(self, outputs: Mapping[str, NDArray[Any]]) -> Observations:
        """Observe n rows; no row depends on another."""
        texts = [normalise(_readable(str(text)), self.normalise) for text in outputs[self.output]]
        n = len(texts)
        scores = np.asarray(outputs[self.log_score], dtype=np.float64).reshape(n) if self.log_score else np.zeros(n)
        return Observations(
            decisions=list(texts),
            log_scores=scores,
            states=None,
            tied=np.zeros(n, dtype=np.bool_),
            finite=np.isfinite(scores),
        )

    def _text(self, specs: Sequence[TensorSpec], outputs: Mapping[str, NDArray[Any]]) -> str:
        texts = [name for name, values in outputs.items() if _is_text(values)]
        if self.output in texts:
            return self.output
        if not self.output and len(texts) == 1:
            return texts[0]
        what = f'"{self.output}" is no output with one string' if self.output else f"{len(texts)} outputs have a string"
        raise MisfitError(
            f"{what} for each input: the model has {_listed(specs)}",
            hint='set `output` to one that is text, or choose another decoder: "ctc" for scores of characters',
        )


def _readable(text: str) -> str:
    """Return a text that a file can hold: halves of characters, which UTF-8 has not, are written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _is_text(values: NDArray[Any]) -> bool:
    """Whether this is one string for each input; in an array of objects, each has to be one."""
    if values.ndim != 1:
        return False
    return values.dtype.kind in "UT" or (values.dtype.kind == "O" and all(isinstance(text, str) for text in values))


def _numbers(values: NDArray[Any] | None, n: int) -> bool:
    return values is not None and values.dtype.kind in "biuf" and values.size == n == len(values)


def _listed(specs: Sequence[TensorSpec]) -> str:
    return ", ".join(f'"{spec.name}" ({spec})' for spec in specs) or "no outputs"
