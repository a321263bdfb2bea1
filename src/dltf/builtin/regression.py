"""The decoder of models that answer with numbers: a dose, a pose, an embedding."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen

from dltf.builtin.outputs import pick_output
from dltf.plugin import MisfitError, Observations, TensorSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray


@frozen
class Regression:
    """The numbers of one output, row by row, in their order.

    The decision is the tuple of them, unrounded: equal bits are equal decisions; NaN and the infinities are written as
    "nan", "inf" and "-inf", so that they are equal to themselves. The state is the same numbers, float32 [n, numbers].
    No number has a score, so all log-scores are 0. Judge with the oracle `tolerance`: by `top_label`, the last bit of
    one number is a deviation.
    """

    output: str = ""  # the tensor's name; may stay empty where the model has one output

    def settle(self, specs: Sequence[TensorSpec], outputs: Mapping[str, NDArray[Any]]) -> Regression:
        """Pick the output; anything with a number in it will do."""
        spec = pick_output(specs, self.output)
        values = outputs[spec.name]
        if values.dtype.kind not in "biuf" or not np.prod(values.shape[1:]):
            raise MisfitError(
                f"the output {spec} has no numbers", hint="name another output with `output`, or choose another decoder"
            )
        return evolve(self, output=spec.name)

    def decode(self, outputs: Mapping[str, NDArray[Any]]) -> Observations:
        """Observe n rows; no row depends on another."""
        values = outputs[self.output]
        rows = values.reshape(len(values), -1)
        with np.errstate(over="ignore"):  # a float64 may be beyond float32
            states = rows.astype(np.float32)
        return Observations(
            decisions=[tuple(map(_plain, row)) for row in rows.tolist()],
            log_scores=np.zeros(len(rows)),
            states=states,
            tied=np.zeros(len(rows), dtype=np.bool_),
            finite=np.asarray(np.isfinite(rows).all(axis=1)),
        )


def _plain(number: float) -> Hashable:
    return number if isfinite(number) else str(number)
