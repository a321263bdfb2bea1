"""The paper's head: a perceptron with one hidden layer on the candidate's probability vector."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen, validators

from dltf_drepair import fitted
from dltf_drepair.answering import dense, head, probabilities, spread, two_sided
from dltf_drepair.export import export
from dltf_drepair.lesson import Lesson, Wish, lesson
from dltf_drepair.runtime import versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from dltf.plugin import FittedHead, FloatArray, IntArray, Shipped, Shipping, Stream

_SURE = 40.0  # the logit of an answer without alternative, above that of unseen ones


@frozen
class Perceptron:
    """Drepair (Tian et al., DFlare, section 5.5), trained to give the reference's label.

    That it has one hidden layer and sees probabilities is the paper's; width, rate, batch and epochs are those that
    scikit-learn has by default. Nothing is kept back, and nothing calibrated.
    """

    hidden: int = field(default=100, validator=validators.ge(1))
    epochs: int = field(default=200, validator=validators.ge(1))
    rate: float = field(default=1e-3, validator=validators.gt(0))  # of Adam
    batch: int = field(default=200, validator=validators.ge(1))
    decay: float = field(default=1e-4, validator=validators.ge(0))
    agreeing: float = field(default=1.0, validator=validators.gt(0))  # weight of rows where the candidate is right

    def fit(
        self, states: NDArray[np.float32], answers: IntArray, groups: IntArray, classes: int, stream: Stream
    ) -> FittedHead:
        wish = Wish(("probabilities",), "class", float(np.finfo(np.float32).tiny), classes, self.agreeing)
        rows = lesson(states, answers, groups, classes, wish)
        layers, told = self._learn(rows, int(stream.integers(2**31)))

        def score(source: Any, inputs: str) -> str:
            for number, (weights, bias) in enumerate(layers):
                inputs = source.graph.add("Relu", inputs) if number else inputs
                inputs = dense(source, inputs, weights, bias)
            return probabilities(source, rows, inputs)

        return head(rows, {"head": "drepair", "hidden": self.hidden, **told}, score)

    def load(self, file: Path) -> FittedHead:
        return fitted.load(file)

    def export(self, shipping: Shipping, folder: Path) -> Shipped:
        return export(shipping, folder)

    def versions(self) -> Mapping[str, str]:
        return versions()

    def _learn(self, rows: Lesson, number: int) -> tuple[list[tuple[FloatArray, FloatArray]], dict[str, Any]]:
        """Return weights and bias of each layer."""
        seen = np.unique(rows.right)
        if len(seen) == 1:  # nothing to tell apart
            bias = spread(np.full((1, 1), _SURE), seen, rows.width)[0]
            return [(np.zeros((rows.features.shape[1], rows.width)), bias)], {"epochs": 0, "loss": 0.0}
        model = self._network(rows, number)
        first, last = list(zip(model.coefs_, model.intercepts_, strict=True))
        if len(seen) == 2:  # one output, a sigmoid
            last = (two_sided(last[0]), two_sided(last[1]))
        weights = np.zeros((self.hidden, rows.width))
        weights[:, seen] = last[0]
        layers = [first, (weights, spread(last[1][None], seen, rows.width)[0])]
        return layers, {"epochs": int(model.n_iter_), "loss": float(model.loss_)}

    def _network(self, rows: Lesson, number: int) -> Any:
        from sklearn.neural_network import MLPClassifier
        from threadpoolctl import threadpool_limits

        model = MLPClassifier(
            (self.hidden,),
            alpha=self.decay,
            batch_size=min(self.batch, len(rows.right)),
            learning_rate_init=self.rate,
            max_iter=self.epochs,
            n_iter_no_change=self.epochs,
            tol=0.0,
            random_state=number,
        )
        uniform = bool((rows.weights == 1).all())
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it did not converge: the epochs are a setting
            return model.fit(rows.features, rows.right, None if uniform else rows.weights)
