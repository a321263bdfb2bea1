"""Gradient-boosted trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen, validators

from dltf_drepair import fitted
from dltf_drepair.answering import dense, head, probabilities, spread, two_sided
from dltf_drepair.export import export
from dltf_drepair.features import Feature, Reading
from dltf_drepair.lesson import Lesson, Target, Wish, lesson, loss, parted, temperature
from dltf_drepair.runtime import versions
from dltf_drepair.trees import ensemble

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from dltf.plugin import FittedHead, FloatArray, IntArray, Shipped, Shipping, Stream


@frozen
class Boosted:
    """scikit-learn's histogram boosting; how many trees, and how sure they are, is chosen on groups kept back."""

    features: tuple[Feature, ...] | None = None  # None: logs, margins and ranks; top where answers are by rank
    target: Target = "auto"  # the class that is right, or its place among the candidate's best
    rounds: int = field(default=40, validator=validators.ge(1))  # at most: in each, one tree for every answer
    leaves: int = field(default=8, validator=validators.ge(2))
    rate: float = field(default=0.1, validator=[validators.gt(0), validators.le(1)])
    fewest: int = field(default=10, validator=validators.ge(1))  # rows in a leaf
    penalty: float = field(default=1.0, validator=validators.ge(0))  # on the values of leaves
    agreeing: float = field(default=1.0, validator=validators.gt(0))  # weight of rows where the candidate is right
    floor: float = field(default=1e-4, validator=[validators.gt(0), validators.lt(1)])  # of a probability
    places: int = field(default=5, validator=validators.ge(2))
    validation: float = field(default=0.25, validator=[validators.ge(0), validators.le(0.5)])  # share of groups

    def fit(
        self, states: NDArray[np.float32], answers: IntArray, groups: IntArray, classes: int, stream: Stream
    ) -> FittedHead:
        wish = Wish(self.features, self.target, self.floor, self.places, self.agreeing, rounded=True)
        rows = lesson(states, answers, groups, classes, wish)
        number = int(stream.integers(2**31))
        rounds, heat, told = self._choose(rows, parted(rows, self.validation, stream), number)
        model = self._learn(rows, rounds, number)
        return head(
            rows,
            {"head": "boosted", "rounds": rounds, "temperature": heat, **told},
            lambda source, inputs: _scores(source, rows, inputs, model, heat),
        )

    def load(self, file: Path) -> FittedHead:
        return fitted.load(file)

    def export(self, shipping: Shipping, folder: Path) -> Shipped:
        return export(shipping, folder)

    def versions(self) -> Mapping[str, str]:
        return versions()

    def _choose(self, rows: Lesson, parts: Any, number: int) -> tuple[int, float, dict[str, Any]]:
        """Return the number of rounds and the temperature that do best on groups kept back."""
        if parts is None:
            return self.rounds, 1.0, {"kept_back": 0}
        taught, held = parts
        seen = np.unique(taught.right)
        known = np.isin(held.right, seen)
        model = self._learn(taught, self.rounds, number)
        if model is None or not known.any():
            return self.rounds, 1.0, {"kept_back": len(held.right)}
        stages = [spread(_columns(raw), seen, rows.width) for raw in model.staged_decision_function(held.features)]
        losses = [loss(raw[known], held.right[known], held.weights[known]) for raw in stages]
        best = int(np.argmin(losses))
        return best + 1, temperature(stages[best], held, seen), {"kept_back": len(held.right)}

    def _learn(self, rows: Lesson, rounds: int, number: int) -> Any:
        """Return a fitted `HistGradientBoostingClassifier`, or None where there is nothing to tell apart."""
        from sklearn.ensemble import HistGradientBoostingClassifier
        from threadpoolctl import threadpool_limits

        if len(np.unique(rows.right)) == 1:
            return None
        model = HistGradientBoostingClassifier(
            max_iter=rounds,
            max_leaf_nodes=self.leaves,
            learning_rate=self.rate,
            min_samples_leaf=self.fewest,
            l2_regularization=self.penalty,
            early_stopping=False,
            random_state=number,
        )
        weights = None if (rows.weights == rows.weights[0]).all() else rows.weights  # weighing takes four times as long
        with threadpool_limits(1):
            return model.fit(rows.features, rows.right, weights)


def _columns(raw: FloatArray) -> FloatArray:
    return two_sided(raw[:, None]) if raw.ndim == 1 else raw


def _scores(source: Reading, rows: Lesson, inputs: str, model: Any, heat: float) -> str:
    """Add the trees, their sums over the temperature, and the softmax; without a model, the one answer seen."""
    seen = np.unique(rows.right)
    if model is None:
        only = spread(np.zeros((1, 1)), seen, rows.width)[0]
        return probabilities(source, rows, dense(source, inputs, np.zeros((rows.features.shape[1], rows.width)), only))
    raw = ensemble(source.graph, inputs, model, seen, rows.width)
    return probabilities(source, rows, source.graph.add("Mul", raw, source.graph.constant(1 / heat)))
