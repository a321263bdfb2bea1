"""A vote of the nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

from dltf_drepair import fitted
from dltf_drepair.answering import head
from dltf_drepair.export import export
from dltf_drepair.features import Feature, Reading
from dltf_drepair.lesson import Lesson, Wish, lesson
from dltf_drepair.linear import scaling
from dltf_drepair.runtime import versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from dltf.plugin import FittedHead, IntArray, Shipped, Shipping, Stream


@frozen
class Nearest:
    """The reference's answers on the nearest rows that were seen vote, and the candidate votes with its probabilities.

    It has no shape of its own: what it does not reach is not in the rows. Its file holds them all.
    """

    neighbours: int = field(default=15, validator=validators.ge(1))
    own: float = field(default=1.0, validator=validators.ge(0))  # what the candidate's vote counts
    features: tuple[Feature, ...] = ("logs",)  # by these, scaled to deviation 1, rows are near
    agreeing: float = field(default=1.0, validator=validators.gt(0))  # weight of rows where the candidate is right
    floor: float = field(default=1e-4, validator=[validators.gt(0), validators.lt(1)])  # of a probability
    places: int = field(default=5, validator=validators.ge(2))

    def fit(
        self, states: NDArray[np.float32], answers: IntArray, groups: IntArray, classes: int, stream: Stream
    ) -> FittedHead:
        wish = Wish(self.features, "class", self.floor, self.places, self.agreeing)
        rows = lesson(states, answers, groups, classes, wish)
        count = min(self.neighbours, len(rows.right))
        facts = {"head": "nearest", "neighbours": count}
        return head(rows, facts, lambda source, inputs: self._scores(source, rows, inputs, count))

    def load(self, file: Path) -> FittedHead:
        return fitted.load(file)

    def export(self, shipping: Shipping, folder: Path) -> Shipped:
        return export(shipping, folder)

    def versions(self) -> Mapping[str, str]:
        return versions()

    def _scores(self, source: Reading, rows: Lesson, inputs: str, count: int) -> str:
        """Add |x|² - 2 x·q for every row x that is kept: less the same number, |q|², the squared distance."""
        graph = source.graph
        mean, scale = scaling(rows.features)
        kept = ((rows.features - mean) / scale).astype(np.float32)
        asked = graph.add("Mul", graph.add("Sub", inputs, graph.constant(mean)), graph.constant(1 / scale))
        lengths = (kept.astype(np.float64) ** 2).sum(axis=1)
        far = graph.add("Gemm", asked, graph.constant(-2 * kept.T), graph.constant(lengths))
        _, near = graph.add_many("TopK", far, graph.constant([count], np.int64), outputs=2, axis=1, largest=0)
        votes = np.zeros((len(kept), rows.classes))
        votes[np.arange(len(kept)), rows.right] = rows.weights
        total = graph.add(
            "ReduceSum",
            graph.add("Gather", graph.constant(votes), near, axis=0),
            graph.constant([1], np.int64),
            keepdims=0,
        )
        ours = graph.add("Add", total, graph.add("Mul", source.probabilities, graph.constant([self.own])))
        # A ReduceSum along rows adds up in another order where a row begins at another place in memory.
        everything = graph.add("MatMul", ours, graph.constant(np.ones((rows.classes, 1))))
        return graph.add("Div", ours, everything)
