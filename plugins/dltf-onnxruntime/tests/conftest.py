"""Small ONNX models, made on the spot, and where the public ones are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

if TYPE_CHECKING:
    from collections.abc import Callable

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


class Models:
    """Writes models to a folder; each method returns the file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, name: str, nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any], **more: Any) -> Path:
        """Write a graph; inputs and outputs map a name to (element type, shape)."""
        graph = helper.make_graph(
            nodes,
            name,
            [helper.make_tensor_value_info(key, *value) for key, value in inputs.items()],
            [helper.make_tensor_value_info(key, *value) for key, value in outputs.items()],
            more.pop("initialisers", []),
        )
        opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(domain, 1) for domain in more.pop("domains", ()))]
        file = self.folder / f"{name}.onnx"
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(file))
        return file

    def dense(self, batch: int | str | None, out_batch: int | str | None = "same") -> Path:
        """y = 2x + [0, 1, 2], of three columns; the weight is listed as an input too, as old exporters do."""
        weights = np.diag([2.0, 2.0, 2.0]).astype(np.float32)
        return self.save(
            f"dense_{batch}_{out_batch}",
            [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Add", ["h", "b"], ["y"])],
            {"x": (FLOAT, [batch, 3]), "w": (FLOAT, [3, 3])},
            {"y": (FLOAT, [batch if out_batch == "same" else out_batch, 3])},
            initialisers=[
                helper.make_tensor("w", FLOAT, [3, 3], weights.ravel()),
                helper.make_tensor("b", FLOAT, [3], [0.0, 1.0, 2.0]),
            ],
        )


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path)


@pytest.fixture
def rows() -> Callable[[int], np.ndarray]:
    return lambda n: np.random.default_rng(n).random((n, 3), dtype=np.float32)


@pytest.fixture
def data() -> Path:
    if "DLTF_DATA" not in os.environ:
        pytest.skip("needs the public models: set DLTF_DATA to their folder")
    return Path(os.environ["DLTF_DATA"])
