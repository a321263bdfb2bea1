"""The decoder: scores for each segment become the sequence of tones heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen

from dltf.plugin import MisfitError, Observations, TensorSpec
from dltf_signal.waves import heard

if TYPE_CHECKING:
    from numpy.typing import NDArray


@frozen
class Tones:
    """The best tone of each segment, without repeats and silence: a tuple of ints.

    Takes logits [n, segments, tones]. The log score is that of the best path; the state is the mean probability of each
    tone, float32 [n, tones], which has the same length however long the signal is.
    """

    output: str = ""  # the tensor's name; may stay empty where the model has one output

    def settle(self, specs: Sequence[TensorSpec], outputs: Mapping[str, NDArray[Any]]) -> Tones:
        fitting = [spec.name for spec in specs if self.output in ("", spec.name) and outputs[spec.name].ndim == 3]
        if len(fitting) != 1:
            have = ", ".join(str(spec) for spec in specs) or "none"
            raise MisfitError(
                f"one output is needed with the scores [n, segments, tones]; the model has {have}",
                hint="name it with `output`, or choose another decoder",
            )
        return evolve(self, output=fitting[0])

    def decode(self, outputs: Mapping[str, NDArray[Any]]) -> Observations:
        scores = outputs[self.output].astype(np.float64)
        best = scores.max(axis=2, keepdims=True)
        with np.errstate(all="ignore"):  # NaN and infinities are observations, not accidents
            powers = np.exp(scores - best)
            totals = powers.sum(axis=2, keepdims=True)
            states = (powers / totals).mean(axis=1).astype(np.float32)
            log_scores = -np.log(totals[:, :, 0]).sum(axis=1)
        return Observations(
            decisions=[heard(tones) for tones in scores.argmax(axis=2).tolist()],
            log_scores=log_scores,
            states=states,
            tied=((scores == best).sum(axis=2) > 1).any(axis=1),
            finite=np.asarray(np.isfinite(scores).all(axis=(1, 2))),
        )
