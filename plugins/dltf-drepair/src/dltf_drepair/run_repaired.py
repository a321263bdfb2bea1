"""Run a TFLite model together with the head that repairs it: numpy and LiteRT are all this needs.

As it was written by dltf-drepair, beside the model and head.npz:

    python run_repaired.py inputs.npy [labels.npy]

    from run_repaired import Repaired
    scores = Repaired()(inputs)          # float32 [n, classes]; inputs [n, …] as the model takes them
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent


class Head:
    """The head's graph, node by node; operators are those of ONNX."""

    def __init__(self, file: Path) -> None:
        with np.load(file, allow_pickle=False) as kept:
            self.told = json.loads(str(kept["told"]))
            self.tensors = {name: kept[f"tensor_{number}"] for number, name in enumerate(self.told["tensors"])}

    def __call__(self, states: Any) -> Any:
        """Return the scores [n, classes] of states [n, classes]."""
        values = {**self.tensors, "states": np.asarray(states, dtype=np.float32)}
        for node in self.told["nodes"]:
            inputs = [values[name] for name in node["inputs"]]
            made = OPERATORS[node["operator"]](*inputs, **node["attributes"])
            values.update(zip(node["outputs"], made if isinstance(made, tuple) else (made,), strict=False))
        return values["scores"]


class Repaired:
    """The model on LiteRT, and its head."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.head = Head(folder / "head.npz")
        self.told = self.head.told
        self.interpreter = _interpreter()(model_path=str(folder / self.told["model"]))
        self.interpreter.allocate_tensors()
        (self.input,) = self.interpreter.get_input_details()
        outputs = self.interpreter.get_output_details()
        name = self.told["output"]
        (self.output,) = [one for one in outputs if one["name"] == name] if name else outputs

    def __call__(self, inputs: Any) -> Any:
        """Return scores [n, classes], float32: the head's where it intervenes, else the model's probabilities."""
        own = np.concatenate([self._run(np.asarray(one)[None]) for one in inputs])[:, self.told["label_offset"] :]
        states = softmax(own.astype(np.float64)).astype(np.float32) if self.told["scores"] == "logits" else own
        scores = self.head(states)
        rows, ours, theirs = np.arange(len(own)), scores.argmax(axis=1), own.argmax(axis=1)
        enough = scores[rows, ours] - scores[rows, theirs] >= np.float32(self.told["threshold"])
        return np.where(((ours != theirs) & enough)[:, None], scores, states)

    def _run(self, sample: Any) -> Any:
        if sample.dtype != self.input["dtype"] and np.issubdtype(self.input["dtype"], np.integer):
            scale, zero = self.input["quantization"]
            limits = np.iinfo(self.input["dtype"])
            sample = np.clip(np.rint(sample / scale) + zero, limits.min, limits.max)
        self.interpreter.set_tensor(self.input["index"], sample.astype(self.input["dtype"]))
        self.interpreter.invoke()
        made = self.interpreter.get_tensor(self.output["index"]).reshape(1, -1)
        if np.issubdtype(made.dtype, np.integer):
            scale, zero = self.output["quantization"]
            made = (made.astype(np.float32) - np.float32(zero)) * np.float32(scale)
        return made.astype(np.float32)


def softmax(values: Any, axis: int = 1) -> Any:
    """Return probabilities of logits."""
    powers = np.exp(values - values.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _top_k(values: Any, count: Any, axis: int, largest: int = 1) -> Any:
    order = np.argsort(-values if largest else values, axis=axis, kind="stable")[:, : int(count[0])]
    return np.take_along_axis(values, order, axis=axis), order


def _scatter(values: Any, places: Any, updates: Any, axis: int) -> Any:
    made = values.copy()
    np.put_along_axis(made, places, updates, axis=axis)
    return made


def _log_softmax(values: Any, axis: int) -> Any:
    shifted = values - values.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _trees(values: Any, n_targets: int, base_values: Any, **told: Any) -> Any:
    """Add up the leaves that the rows fall into; every row walks down every tree."""
    made = np.tile(np.asarray(base_values, dtype=np.float32), (len(values), 1))
    trees, numbers = np.asarray(told["nodes_treeids"]), np.asarray(told["nodes_nodeids"])
    leaf_trees, leaf_nodes = np.asarray(told["target_treeids"]), np.asarray(told["target_nodeids"])
    columns = [told[f"nodes_{name}"] for name in ("featureids", "values", "truenodeids", "falsenodeids")]
    feature, limit, left, right = (np.asarray(column) for column in columns)
    limit, branch = limit.astype(np.float32), np.asarray(told["nodes_modes"]) != "LEAF"
    for tree in np.unique(trees):
        rows = np.flatnonzero(trees == tree)
        place = np.zeros(int(numbers[rows].max()) + 1, dtype=np.int64)
        place[numbers[rows]] = rows
        at = np.full(len(values), place[0])
        while branch[at].any():
            down = np.where(values[np.arange(len(values)), feature[at]] <= limit[at], left[at], right[at])
            at = np.where(branch[at], place[down], at)
        leaves = np.zeros(len(trees), dtype=np.float32)
        ends = leaf_trees == tree
        leaves[place[leaf_nodes[ends]]] = np.asarray(told["target_weights"], dtype=np.float32)[ends]
        made[:, np.asarray(told["target_ids"])[ends][0]] += leaves[at]
    return made


OPERATORS: dict[str, Any] = {
    "Add": np.add,
    "Cast": lambda values, to: values.astype(np.float32),
    "Clip": lambda values, low, high=np.inf: np.clip(values, low, np.float32(high)),
    "Concat": lambda *parts, axis: np.concatenate(parts, axis=axis),
    "Div": np.divide,
    "Equal": np.equal,
    "Gather": lambda values, places, axis: np.take(values, places, axis=axis),
    "GatherElements": lambda values, places, axis: np.take_along_axis(values, places, axis=axis),
    "Gemm": lambda values, weights, bias: values @ weights + bias,
    "Identity": lambda values: values,
    "Log": np.log,
    "LogSoftmax": _log_softmax,
    "MatMul": np.matmul,
    "Mul": np.multiply,
    "ReduceSum": lambda values, axes, keepdims: values.sum(axis=int(axes[0]), keepdims=bool(keepdims)),
    "Relu": lambda values: np.maximum(values, 0),
    "Round": np.rint,
    "ScatterElements": _scatter,
    "Slice": lambda values, start, stop, axes: values[:, int(start[0]) : int(stop[0])],
    "Softmax": softmax,
    "Sub": np.subtract,
    "TopK": _top_k,
    "TreeEnsembleRegressor": lambda values, aggregate_function, post_transform, **told: _trees(values, **told),
}


def _interpreter() -> Any:
    """Return LiteRT's interpreter, under whichever name it is installed."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        from tflite_runtime.interpreter import Interpreter
    return Interpreter


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit("python run_repaired.py inputs.npy [labels.npy]")
    answers = Repaired()(np.load(sys.argv[1])).argmax(axis=1)
    if len(sys.argv) == 3:
        np.save(sys.argv[2], answers)
    else:
        print(*answers.tolist(), sep="\n")
