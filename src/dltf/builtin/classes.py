"""The decoder of classifiers: one score for each class, the best one is the answer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import evolve, field, frozen, validators

from dltf.builtin.outputs import pick_output
from dltf.plugin import MisfitError, Observations, Suggestion, TensorSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import BoolArray, FloatArray, IntArray


_SMALLEST = float(np.finfo(np.float32).tiny)


@frozen
class Classes:
    """One score for each class.

    The decision is the class with the best score; where several share it, the lowest of them, as `argmax` has it, and
    the observation is marked as tied. The state is the vector of probabilities, float32 [n, classes]. Any class can be
    scored: by its log-probability, where no probability counts as less than `floor`, so that quantised zeros have one.
    """

    output: str = ""  # the tensor's name; may stay empty where the model has one output
    scores: Literal["auto", "probabilities", "logits"] = "auto"
    label_offset: int = field(default=0, validator=validators.ge(0))  # 1 where output 0 is a background class
    floor: float | None = field(  # None: half a step where the output is quantised, else the smallest normal float32
        default=None, validator=validators.optional([validators.gt(0.0), validators.le(1.0)])
    )

    def settle(self, specs: Sequence[TensorSpec], outputs: Mapping[str, NDArray[Any]]) -> Classes:
        """Pick the output; tell probabilities (rows in [0, 1] with sum 1, or quantised to that range) from logits."""
        spec = pick_output(specs, self.output)
        values = outputs[spec.name]
        width = int(np.prod(values.shape[1:]))
        if width - self.label_offset < 2:
            raise MisfitError(
                f"the output {spec} has {width} values for each input, and a label_offset of {self.label_offset} "
                "leaves fewer than two classes",
                hint="name another output with `output`, or choose another decoder",
            )
        scores = self.scores
        if scores == "auto":
            scores = "probabilities" if _are_probabilities(spec, values.reshape(len(values), width)) else "logits"
        floor = self.floor or (spec.quantisation.scale / 2 if spec.quantisation is not None else _SMALLEST)
        return evolve(self, output=spec.name, scores=scores, floor=min(floor, 1.0))

    def suggest(self, specs: Sequence[TensorSpec]) -> Sequence[Suggestion]:
        """Return the settings that no file could tell: whether output 0 is a background class."""
        if self.label_offset:
            return [Suggestion(self)]
        spec = pick_output(specs, self.output)
        why = {"label_offset": f"guessed: {spec} may or may not begin with a background class"}
        return [Suggestion(self), Suggestion(evolve(self, label_offset=1), why)]

    def scorer_of(self, states: NDArray[Any]) -> ClassScorer:
        """Return what scores any class from stored probabilities."""
        return ClassScorer(states, self.floor or _SMALLEST)

    def decode(self, outputs: Mapping[str, NDArray[Any]]) -> Observations:
        """Observe n rows; no row depends on another."""
        values = outputs[self.output]
        values = values.reshape(len(values), -1)[:, self.label_offset :]
        decisions = values.argmax(axis=1)
        best = values[np.arange(len(values)), decisions]
        floor = self.floor or _SMALLEST
        with np.errstate(all="ignore"):  # zeros, NaN and infinities are observations, not accidents
            if self.scores == "logits":
                shifted = values.astype(np.float64) - best[:, None]
                powers = np.exp(shifted)
                totals = powers.sum(axis=1)
                log_scores = -np.log(totals)
                states = (powers / totals[:, None]).astype(np.float32)
                scorer = ClassScorer(values, floor, best + np.log(totals))
            else:
                log_scores = np.log(best.astype(np.float64))
                states = np.ascontiguousarray(values, dtype=np.float32)
                scorer = ClassScorer(values, floor)
        return Observations(
            decisions=decisions,
            log_scores=log_scores,
            states=states,
            tied=(values == best[:, None]).sum(axis=1) > 1,
            finite=np.isfinite(values).all(axis=1),
            scorer=scorer,
        )


@frozen(eq=False)
class ClassScorer:
    """The log-probability of any class: from probabilities [n, classes], or from logits and what they add up to."""

    values: NDArray[Any]
    floor: float  # the smallest probability
    log_totals: FloatArray | None = None  # [n], of logits

    def score(self, decisions: Sequence[Hashable] | NDArray[Any]) -> FloatArray:
        picked = self.values[np.arange(len(self.values)), np.asarray(decisions, dtype=np.int64)].astype(np.float64)
        with np.errstate(all="ignore"):
            if self.log_totals is None:
                return np.log(np.maximum(picked, self.floor))
            return np.maximum(picked - self.log_totals, np.log(self.floor))

    def take(self, rows: IntArray | Sequence[int]) -> ClassScorer:
        log_totals = None if self.log_totals is None else self.log_totals[rows]
        return ClassScorer(self.values[rows], self.floor, log_totals)


def _are_probabilities(spec: TensorSpec, rows: NDArray[Any]) -> bool:
    if spec.quantisation is not None and np.issubdtype(np.dtype(spec.dtype), np.integer):
        limits = np.iinfo(spec.dtype)
        low, high = (
            (int(end) - spec.quantisation.zero_point) * spec.quantisation.scale for end in (limits.min, limits.max)
        )
        return low == 0.0 and 0.98 <= high <= 1.0
    usable: BoolArray = np.isfinite(rows).all(axis=1)
    rows = rows[usable].astype(np.float64)
    if not len(rows):
        return False
    return bool((rows >= 0).all() and (rows <= 1 + 1e-3).all() and (np.abs(rows.sum(axis=1) - 1) < 0.02).all())
