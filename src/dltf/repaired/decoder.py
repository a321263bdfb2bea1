"""The decoder of a repaired variant: the variant's own, and a head that corrects what it reads."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen

from dltf.errors import MisfitError
from dltf.repaired.intervention import intervened
from dltf.values import Observations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.contracts import Decoder, FittedHead
    from dltf.repaired.record import Repair
    from dltf.values import FloatArray, IntArray, Scorer, TensorSpec

_SMALLEST = float(np.finfo(np.float32).tiny)


@frozen(eq=False)
class Correction:
    """A head that was fitted, loaded, and the record of when it takes the word."""

    record: Repair
    head: FittedHead

    @property
    def note(self) -> str:
        """What a reader of the results has to know."""
        record = self.record
        return (
            f"repaired by a head ({record.use}), which takes the word where it is surer of its own class than of the "
            f"candidate's by {record.threshold:.4g}; times are those of the model without it"
        )


@frozen(eq=False)
class Repaired:
    """Answers as its `inner` decoder does, but for the rows in which the head takes the word.

    The state is what decides: the head's scores in these rows, the candidate's own in the others.
    """

    inner: Decoder
    correction: Correction

    def settle(self, specs: Sequence[TensorSpec], outputs: Mapping[str, NDArray[Any]]) -> Repaired:
        return evolve(self, inner=self.inner.settle(specs, outputs))

    def decode(self, outputs: Mapping[str, NDArray[Any]]) -> Observations:
        """Observe n rows; no row depends on another. Raise `MisfitError` where the head does not fit what is read."""
        seen = self.inner.decode(outputs)
        own = self._fitting(seen)
        with np.errstate(all="ignore"):  # NaN and infinities are observations, not accidents
            scores, _ = intervened(own, self.correction.head.scores(own), self.correction.record.threshold)
            decisions = scores.argmax(axis=1)
            best = scores[np.arange(len(scores)), decisions]
            scorer = self.scorer_of(scores)
            log_scores = scorer.score(decisions)
        return Observations(
            decisions=decisions,
            log_scores=log_scores,
            states=scores,
            tied=(scores == best[:, None]).sum(axis=1) > 1,
            finite=seen.finite & np.isfinite(scores).all(axis=1),
            scorer=scorer,
        )

    def scorer_of(self, states: NDArray[Any]) -> Scorer:
        """Return what scores any class from the states: as the decoder within does, where it can."""
        scorer_of = getattr(self.inner, "scorer_of", None)  # contracts.Rescores
        found: Scorer = _Scores(states) if scorer_of is None else scorer_of(states)
        return found

    def _fitting(self, seen: Observations) -> NDArray[Any]:
        """Return the states that the head reads; raise where it cannot."""
        record, called = self.correction.record, type(self.inner).__name__.lower()
        if seen.states is None:
            raise MisfitError(
                f"the decoder ({called}) reads answers alone, and a repair head reads scores of all classes",
                hint='read the outputs with a decoder that has scores (use = "classes"), or leave `repair` out',
            )
        if not isinstance(seen.decisions, np.ndarray) or seen.decisions.dtype.kind not in "iu":
            raise MisfitError(
                f"the decoder ({called}) gives no classes, and a repair head gives nothing else",
                hint='repair a model that answers with classes (use = "classes")',
            )
        width = seen.states.shape[1]
        if not width == record.states == record.classes:
            raise MisfitError(
                f"the model gives {width} scores, and the head of {record.file} goes from {record.states} of them to "
                f"{record.classes} classes",
                hint="see label_offset and output in its table [models.*.output], or fit a head anew with dltf repair",
            )
        return seen.states


@frozen(eq=False)
class _Scores:
    """Log-probabilities of classes from states, where the decoder within scores none."""

    states: NDArray[Any]

    def score(self, decisions: Sequence[Hashable] | NDArray[Any]) -> FloatArray:
        picked = self.states[np.arange(len(self.states)), np.asarray(decisions, dtype=np.int64)].astype(np.float64)
        scores: FloatArray = np.log(np.maximum(picked, _SMALLEST))
        return scores

    def take(self, rows: IntArray | Sequence[int]) -> _Scores:
        return _Scores(self.states[rows])
