"""scikit-learn's boosted trees as a node of ONNX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dltf_drepair.answering import UNSEEN
from dltf_drepair.graph import TREES, Graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import FloatArray, IntArray

_NODES = (
    "nodes_treeids",
    "nodes_nodeids",
    "nodes_featureids",
    "nodes_modes",
    "nodes_values",
    "nodes_truenodeids",
    "nodes_falsenodeids",
)
_TARGETS = ("target_treeids", "target_nodeids", "target_ids", "target_weights")


def ensemble(graph: Graph, inputs: str, model: Any, seen: IntArray, width: int) -> str:
    """Add the raw predictions [n, width] of a fitted `HistGradientBoostingClassifier`.

    Its trees have no public face: `_predictors` and `_baseline_prediction` are what skl2onnx reads, too. Features are
    float32 on both sides, so that with thresholds rounded down every row goes the way it went in scikit-learn.
    """
    nodes: dict[str, list[Any]] = {name: [] for name in (*_NODES, *_TARGETS)}
    told = seen[1:] if len(seen) == 2 else seen  # of two answers, the first one's raw prediction is 0
    for number, (target, tree) in enumerate(
        (place, one.nodes) for each in model._predictors for place, one in enumerate(each)
    ):
        _add_tree(nodes, number, tree)
        leaves = np.flatnonzero(tree["is_leaf"])
        nodes["target_treeids"] += [number] * len(leaves)
        nodes["target_nodeids"] += leaves.tolist()
        nodes["target_ids"] += [target] * len(leaves)
        nodes["target_weights"] += tree["value"][leaves].tolist()
    sums = graph.add(
        "TreeEnsembleRegressor",
        inputs,
        domain=TREES,
        n_targets=len(told),
        aggregate_function="SUM",
        post_transform="NONE",
        base_values=np.ravel(model._baseline_prediction).tolist(),
        **nodes,
    )
    # A target without trees would lose its base value in ONNX Runtime: what was not seen is added here.
    bias = np.full(width, UNSEEN)
    bias[seen] = 0.0
    return graph.add("Gemm", sums, graph.constant(np.eye(width)[told]), graph.constant(bias))


def _add_tree(nodes: dict[str, list[Any]], number: int, tree: NDArray[Any]) -> None:
    leaf = tree["is_leaf"].astype(bool)
    columns = (
        np.full(len(tree), number),
        np.arange(len(tree)),
        np.where(leaf, 0, tree["feature_idx"]),
        np.where(leaf, "LEAF", "BRANCH_LEQ"),
        np.where(leaf, 0.0, _rounded_down(tree["num_threshold"])),
        np.where(leaf, 0, tree["left"]),
        np.where(leaf, 0, tree["right"]),
    )
    for name, values in zip(_NODES, columns, strict=True):
        nodes[name] += values.tolist()


def _rounded_down(thresholds: FloatArray) -> FloatArray:
    """Return the greatest float32 that is no greater: for x in float32, x <= it just where x <= the threshold."""
    limits = np.finfo(np.float32)
    inside = np.clip(thresholds, limits.min, limits.max)
    near = inside.astype(np.float32)
    down = np.where(near > inside, np.nextafter(near, np.float32(-np.inf)), near)
    return down.astype(np.float64)
