"""What a head looks at, as nodes of its graph; fitting runs the same nodes, so that there is one definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from attrs import frozen

from dltf_drepair.graph import Graph
from dltf_drepair.runtime import run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

Feature: TypeAlias = Literal["probabilities", "logs", "margins", "ranks", "top", "winners"]
"""Of each class: its probability, the logarithm of that, how far it lies below the best, its place (0 the best, 1 the
last). `top`: the best log-probabilities in order, and the steps between them. `winners`: which class is best, and which
second, as zeros and ones."""

STEP = 1 / 1024
"""Where features are rounded, to multiples of this: logarithms differ in the last bit from machine to machine."""

Form: TypeAlias = Literal["probabilities", "logits"]


@frozen
class View:
    """How a head of `width` states reads them."""

    form: Form
    width: int
    floor: float  # no probability counts as less
    places: int  # how many of the best classes `top` and answers by rank are about
    rounded: bool = False  # features to whole steps: else a tree's threshold may lie between a number and the next one

    def facts(self) -> Mapping[str, Any]:
        return {
            "form": self.form,
            "states": self.width,
            "floor": self.floor,
            "places": self.places,
            "rounded": self.rounded,
        }


@frozen(eq=False)
class Reading:
    """Names of tensors in a graph: probabilities, log-probabilities, and these in order [n, d], with their classes."""

    graph: Graph
    view: View
    probabilities: str
    logs: str
    ordered: str
    order: str


def form_of(states: NDArray[Any]) -> Form:
    """Tell probabilities (rows in [0, 1] with sum 1, up to the steps of 8 bits) from logits."""
    rows = states.astype(np.float64)
    near_one = np.abs(rows.sum(axis=1) - 1) < 0.02
    return "probabilities" if bool((rows >= 0).all() and (rows <= 1 + 1e-3).all() and near_one.all()) else "logits"


def reading(view: View) -> Reading:
    """Begin a graph: from the states to log-probabilities that are no less than that of the floor."""
    graph = Graph()
    if view.form == "probabilities":
        probabilities = "states"
        logs = graph.add("Log", graph.add("Clip", "states", graph.constant(view.floor), graph.constant(1.0)))
    else:
        probabilities = graph.add("Softmax", "states", axis=1)
        logs = graph.add("Clip", graph.add("LogSoftmax", "states", axis=1), graph.constant(np.log(view.floor)))
    # By the states, not their logarithms: ONNX Runtime's Log of equal values differs in the last bit, by their place in
    # the batch, and 8-bit candidates have many of equal value.
    _, order = graph.add_many("TopK", "states", graph.constant([view.width], np.int64), outputs=2, axis=1)
    ordered = graph.add("GatherElements", logs, order, axis=1)
    return Reading(graph, view, probabilities, logs, ordered, order)


def features(source: Reading, names: Sequence[Feature]) -> str:
    """Add the features [n, m], in this order."""
    parts = [_PARTS[name](source) for name in names]
    made = parts[0] if len(parts) == 1 else source.graph.add("Concat", *parts, axis=1)
    if not source.view.rounded:
        return made
    steps = source.graph.add("Round", source.graph.add("Mul", made, source.graph.constant(1 / STEP)))
    return source.graph.add("Mul", steps, source.graph.constant(STEP))


def computed(view: View, names: Sequence[Feature], states: NDArray[Any]) -> NDArray[np.float32]:
    """Return the features of these states [n, m]."""
    source = reading(view)
    result = features(source, names)
    return run(source.graph.model(result, (view.width, _width(view, names)), {}, "features"), states)


def _width(view: View, names: Sequence[Feature]) -> int:
    return sum({"top": 2 * view.places - 1, "winners": 2 * view.width}.get(name, view.width) for name in names)


def columns(source: Reading, tensor: str, start: int, stop: int) -> str:
    """Add a slice of columns."""
    places = (source.graph.constant([number], np.int64) for number in (start, stop, 1))
    return source.graph.add("Slice", tensor, *places)


def _margins(source: Reading) -> str:
    return source.graph.add("Sub", source.logs, columns(source, source.ordered, 0, 1))


def _ranks(source: Reading) -> str:
    """Add the order of the order: the place of each class, the best first."""
    graph, width = source.graph, source.view.width
    _, ranks = graph.add_many("TopK", source.order, graph.constant([width], np.int64), outputs=2, axis=1, largest=0)
    as_floats = graph.add("Cast", ranks, to=1)
    return graph.add("Mul", as_floats, graph.constant(1 / max(width - 1, 1)))


def _top(source: Reading) -> str:
    places = source.view.places
    best = columns(source, source.ordered, 0, places)
    before, after = columns(source, best, 0, places - 1), columns(source, best, 1, places)
    return source.graph.add("Concat", best, source.graph.add("Sub", before, after), axis=1)


def _winners(source: Reading) -> str:
    graph = source.graph
    classes = graph.constant([list(range(source.view.width))], np.int64)
    each = [graph.add("Equal", columns(source, source.order, place, place + 1), classes) for place in (0, 1)]
    return graph.add("Concat", *(graph.add("Cast", one, to=1) for one in each), axis=1)


_PARTS: Mapping[Feature, Any] = {
    "probabilities": lambda source: source.probabilities,
    "logs": lambda source: source.logs,
    "margins": _margins,
    "ranks": _ranks,
    "top": _top,
    "winners": _winners,
}
