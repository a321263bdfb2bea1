"""What dltf-signal does not offer, either: a repair head, sound."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import ModelFileError

FACTS = "logistic"  # what the facts are called in a head's file


@frozen
class Logistic:
    """Multinomial logistic regression by gradient descent; groups that are kept back tell where to stop."""

    steps: int = field(default=100, validator=validators.ge(1))
    rate: float = field(default=2.0, validator=validators.gt(0))
    kept_back: float = field(default=0.25, validator=[validators.ge(0), validators.le(0.5)])  # share of groups

    def fit(self, states: Any, answers: Any, groups: Any, classes: int, stream: Any) -> Fitted:
        names = np.unique(groups)
        kept = np.isin(groups, stream.permutation(names)[: int(self.kept_back * len(names))])
        learnt, right = ~kept, np.eye(classes)[answers]
        judged = kept if kept.any() else learnt
        weights = np.zeros((states.shape[1], classes))  # no bias: probabilities have the sum 1
        least, best, stop = np.inf, weights, 0
        for step in range(1, self.steps + 1):
            errors = probabilities(states[learnt], weights) - right[learnt]
            weights = weights - self.rate * states[learnt].T @ errors / len(errors)
            loss = -np.log((probabilities(states[judged], weights) * right[judged]).sum(axis=1)).mean()
            if loss < least:
                least, best, stop = loss, weights, step
        return Fitted(best.astype(np.float32), {"steps": stop, "kept_back": int(kept.sum())})

    def load(self, file: Path) -> Fitted:
        import onnx
        from google.protobuf.message import DecodeError

        try:
            model = onnx.load(str(file))
            facts = json.loads({entry.key: entry.value for entry in model.metadata_props}[FACTS])
            (weights,) = map(onnx.numpy_helper.to_array, model.graph.initializer)
        except (OSError, DecodeError, KeyError, ValueError) as error:
            raise ModelFileError(f"{file.name} is no logistic head: {error!r}") from error
        return Fitted(weights, facts)

    def versions(self) -> Mapping[str, str]:
        return {"numpy": np.__version__, "onnx": version("onnx")}


@frozen(eq=False)
class Fitted:
    """What was learnt: float32 [states, classes]."""

    weights: Any
    facts: Mapping[str, Any]

    def scores(self, states: Any) -> Any:
        return probabilities(states, self.weights)

    def save(self, file: Path) -> None:
        from onnx import TensorProto, helper, numpy_helper, save

        graph = helper.make_graph(
            [
                helper.make_node("MatMul", ["states", "weights"], ["logits"]),
                helper.make_node("Softmax", ["logits"], ["scores"], axis=1),
            ],
            "logistic",
            [helper.make_tensor_value_info("states", TensorProto.FLOAT, ["n", self.weights.shape[0]])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", self.weights.shape[1]])],
            [numpy_helper.from_array(self.weights, "weights")],
        )
        model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
        helper.set_model_props(model, {FACTS: json.dumps(self.facts)})
        save(model, str(file))


def probabilities(states: Any, weights: Any) -> Any:
    logits = (states.astype(np.float64)[:, :, None] * weights).sum(axis=1)  # a product of matrices may mix rows' bits
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
