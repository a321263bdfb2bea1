"""Small ONNX models, made on the spot, and where the public ones are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Callable

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


class Models:
    """Writes models to a folder; each method returns the file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, name: str, nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any], **more: Any) -> Path:
        """Write a graph; inputs and outputs map a name to (element type, shape), constants a name to an array."""
        graph = helper.make_graph(
            nodes,
            name,
            [helper.make_tensor_value_info(key, *value) for key, value in inputs.items()],
            [helper.make_tensor_value_info(key, *value) for key, value in outputs.items()],
            [numpy_helper.from_array(np.asarray(value), key) for key, value in more.pop("constants", {}).items()],
        )
        opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(domain, 1) for domain in more.pop("domains", ()))]
        file = self.folder / f"{name}.onnx"
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(file))
        return file

    def dense(self, batch: int | str, name: str = "dense") -> Path:
        """y = 2x + [0, 1, 2], of three columns."""
        return self.save(
            name,
            [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Add", ["h", "b"], ["y"])],
            {"x": (FLOAT, [batch, 3])},
            {"y": (FLOAT, [batch, 3])},
            constants={"w": np.diag(np.float32([2, 2, 2])), "b": np.float32([0, 1, 2])},
        )

    def convolution(self) -> Path:
        """A convolution, a rectifier and a mean: something to quantise; the weights are drawn."""
        stream = np.random.default_rng(0)
        return self.save(
            "convolution",
            [
                helper.make_node("Conv", ["x", "w", "b"], ["c"], name="first"),
                helper.make_node("Relu", ["c"], ["r"], name="second"),
                helper.make_node("GlobalAveragePool", ["r"], ["g"], name="third"),
                helper.make_node("Flatten", ["g"], ["y"], name="fourth"),
            ],
            {"x": (FLOAT, ["n", 3, 8, 8])},
            {"y": (FLOAT, ["n", 4])},
            constants={
                "w": stream.normal(size=(4, 3, 3, 3)).astype(np.float32),
                "b": stream.normal(size=4).astype(np.float32),
            },
        )

    def reshaped(self, batch: int | str, to: list[int]) -> Path:
        """y = x, [batch, 4], in a constant shape."""
        return self.save(
            "reshaped",
            [helper.make_node("Reshape", ["x", "to"], ["y"])],
            {"x": (FLOAT, [batch, 4])},
            {"y": (FLOAT, [None] * len(to))},
            constants={"to": np.int64(to)},
        )

    def mixing(self) -> Path:
        """A softmax over the whole batch: it can be reshaped, and mixes up its rows."""
        return self.save(
            "mixing",
            [helper.make_node("Softmax", ["x"], ["p"], axis=0), helper.make_node("Add", ["p", "x"], ["y"])],
            {"x": (FLOAT, [1, 4])},
            {"y": (FLOAT, [1, 4])},
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


@pytest.fixture
def pictures(data: Path) -> np.ndarray:
    """The first 500 test pictures of CIFAR-10, uint8 [500, 32, 32, 3]."""
    cv2 = pytest.importorskip("cv2", reason="decodes the pictures: pip install opencv-python-headless")
    with np.load(data / "cifar10_jpeg.npz") as arrays:
        stream, offsets = arrays["jpeg_test"], arrays["offsets_test"]
    decoded = [cv2.imdecode(stream[offsets[i] : offsets[i + 1]], cv2.IMREAD_COLOR)[:, :, ::-1] for i in range(500)]
    return np.stack(decoded)
