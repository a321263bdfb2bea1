"""What the candidate says, corrected: a network that begins as the identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, field, frozen, validators

from dltf_drepair import fitted
from dltf_drepair.answering import dense, head, placed
from dltf_drepair.export import export
from dltf_drepair.features import Feature, Reading, columns
from dltf_drepair.lesson import Lesson, Target, Wish, lesson, loss, parted, temperature
from dltf_drepair.linear import scaling
from dltf_drepair.runtime import versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from dltf.plugin import FittedHead, FloatArray, IntArray, Shipped, Shipping, Stream


@frozen(eq=False)
class Network:
    """logits = trust · log p + relu(features · inner + shift) · outer + offset; begins with outer and offset 0."""

    inner: FloatArray  # [m, hidden]
    shift: FloatArray  # [hidden]
    outer: FloatArray  # [hidden, corrections]
    offset: FloatArray  # [corrections]
    trust: float

    def logits(self, features: NDArray[Any], base: FloatArray) -> FloatArray:
        made = self.trust * base
        hidden = np.maximum(features.astype(np.float64) @ self.inner + self.shift, 0)
        made[:, : len(self.offset)] += hidden @ self.outer + self.offset
        return made


@frozen
class Residual:
    """scores = softmax((trust · log p + correction) / temperature), where the correction is a small network's.

    It begins as what the candidate says, and a penalty on the correction, chosen on groups kept back, pulls it there:
    what no row speaks for stays as it is, classes that no row has included.
    """

    features: tuple[Feature, ...] | None = None  # None: logs, margins and ranks; top where answers are by rank
    target: Target = "auto"  # corrections of each class, or of the candidate's best places
    hidden: int = field(default=32, validator=validators.ge(1))
    penalties: tuple[float, ...] = field(  # the ladder to choose from; the first one where nothing can be kept back
        default=(1e-2, 1e-3, 1e-4),
        validator=[validators.min_len(1), validators.deep_iterable(validators.gt(0))],
    )
    steps: int = field(default=120, validator=validators.ge(1))  # of L-BFGS
    agreeing: float = field(default=1.0, validator=validators.gt(0))  # weight of rows where the candidate is right
    floor: float = field(default=1e-4, validator=[validators.gt(0), validators.lt(1)])  # of a probability
    places: int = field(default=5, validator=validators.ge(2))
    validation: float = field(default=0.25, validator=[validators.ge(0), validators.le(0.5)])  # share of groups

    def fit(
        self, states: NDArray[np.float32], answers: IntArray, groups: IntArray, classes: int, stream: Stream
    ) -> FittedHead:
        wish = Wish(self.features, self.target, self.floor, self.places, self.agreeing)
        rows = lesson(states, answers, groups, classes, wish)
        begin = stream.normal(size=(rows.features.shape[1], self.hidden)) / np.sqrt(rows.features.shape[1])
        penalty, heat, told = self._choose(rows, begin, stream)
        network = _learn(rows, begin, penalty, self.steps)
        facts = {
            "head": "residual",
            "hidden": self.hidden,
            "penalty": penalty,
            "temperature": heat,
            "trust": network.trust,
            **told,
        }
        cooled = evolve(network, outer=network.outer / heat, offset=network.offset / heat, trust=network.trust / heat)
        return head(rows, facts, lambda source, inputs: _scores(source, rows, inputs, cooled))

    def load(self, file: Path) -> FittedHead:
        return fitted.load(file)

    def export(self, shipping: Shipping, folder: Path) -> Shipped:
        return export(shipping, folder)

    def versions(self) -> Mapping[str, str]:
        return versions()

    def _choose(self, rows: Lesson, begin: FloatArray, stream: Stream) -> tuple[float, float, dict[str, Any]]:
        """Return penalty and temperature that do best on groups kept back."""
        parts = parted(rows, self.validation, stream)
        if parts is None:
            return self.penalties[0], 1.0, {"kept_back": 0}
        taught, held = parts
        losses, heats = [], []
        for penalty in self.penalties:
            logits = _learn(taught, begin, penalty, self.steps).logits(held.features, held.base)
            heats.append(temperature(logits, held, np.arange(rows.base.shape[1])))
            losses.append(loss(logits / heats[-1], held.right, held.weights))
        best = int(np.argmin(losses))
        return self.penalties[best], heats[best], {"kept_back": len(held.right), "losses": losses}


def _scores(source: Reading, rows: Lesson, inputs: str, network: Network) -> str:
    graph = source.graph
    hidden = graph.add("Relu", dense(source, inputs, network.inner, network.shift))
    correction = dense(source, hidden, network.outer, network.offset)
    trusted = graph.add("Mul", source.logs, graph.constant(network.trust))
    if not rows.by_rank:
        return graph.add("Softmax", graph.add("Add", trusted, correction), axis=1)
    best = graph.add("GatherElements", trusted, columns(source, source.order, 0, rows.width), axis=1)
    changed = placed(source, graph.add("Add", best, correction), rows.width, trusted)
    return graph.add("Softmax", changed, axis=1)


def _learn(rows: Lesson, begin: FloatArray, penalty: float, steps: int) -> Network:
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    mean, scale = scaling(rows.features)
    inputs = (rows.features - mean) / scale
    shapes = [begin.shape, (begin.shape[1],), (begin.shape[1], rows.width), (rows.width,), ()]
    start = np.concatenate([begin.ravel(), np.zeros(sum(int(np.prod(shape)) for shape in shapes[1:]))])
    start[-1] = 1.0
    with threadpool_limits(1):
        found = minimize(
            _objective, start, (inputs, rows, shapes, penalty), "L-BFGS-B", jac=True, options={"maxiter": steps}
        )
    inner, shift, outer, offset, trust = _parts(found.x, shapes)
    inner = inner / scale[:, None]
    return Network(inner, shift - mean @ inner, outer, offset, float(trust))


def _objective(
    values: FloatArray, inputs: FloatArray, rows: Lesson, shapes: list[tuple[int, ...]], penalty: float
) -> tuple[float, FloatArray]:
    """Return the penalised loss, and its gradient."""
    inner, shift, outer, offset, trust = _parts(values, shapes)
    before = inputs @ inner + shift
    hidden = np.maximum(before, 0)
    logits = trust * rows.base
    logits[:, : rows.width] += hidden @ outer + offset
    shares = rows.weights / rows.weights.sum()
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits)
    totals = powers.sum(axis=1)
    at = np.arange(len(rows.right))
    value = float(((np.log(totals) - logits[at, rows.right]) * shares).sum())
    error = powers / totals[:, None]
    error[at, rows.right] -= 1
    error *= shares[:, None]
    ours = error[:, : rows.width]
    back = (ours @ outer.T) * (before > 0)
    gradient = [inputs.T @ back, back.sum(axis=0), hidden.T @ ours, ours.sum(axis=0), (error * rows.base).sum()]
    held = [inner, shift, outer, offset, trust - 1.0]
    value += penalty / 2 * sum(float((part * part).sum()) for part in held)
    return value, np.concatenate([np.ravel(g + penalty * part) for g, part in zip(gradient, held, strict=True)])


def _parts(values: FloatArray, shapes: list[tuple[int, ...]]) -> list[Any]:
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    return [part.reshape(shape) for part, shape in zip(np.split(values, ends), shapes, strict=True)]
