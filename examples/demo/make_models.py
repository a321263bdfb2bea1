"""Train a small network on scikit-learn's digits, export it to ONNX, and quantise it to int8.

Usage: python make_models.py FOLDER      (writes FOLDER/digits.onnx and FOLDER/digits-int8.onnx, in seconds)
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from sklearn.neural_network import MLPClassifier

from dltf_image.seeds.digits import Digits

PIXELS = 64


def digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures as float32 [n, 64] in [0, 1], and their labels."""
    seeds = Digits(split=split).open()
    pictures = np.stack([seeds[i].sample for i in range(len(seeds))])
    labels = np.array([seeds[i].label for i in range(len(seeds))])
    return pictures.reshape(len(seeds), PIXELS).astype(np.float32) / 255, labels


def to_onnx(network: MLPClassifier) -> onnx.ModelProto:
    """Write a multilayer perceptron as Gemm and Relu layers with a Softmax, for pictures [n, 8, 8, 1]."""
    weights = [
        numpy_helper.from_array(array.astype(np.float32), f"{kind}{layer}")
        for kind, arrays in (("w", network.coefs_), ("b", network.intercepts_))
        for layer, array in enumerate(arrays)
    ]
    nodes = [helper.make_node("Flatten", ["picture"], ["x0"])]
    last = len(network.coefs_) - 1
    for layer in range(last + 1):
        nodes.append(helper.make_node("Gemm", [f"x{layer}", f"w{layer}", f"b{layer}"], [f"y{layer}"]))
        activation = "Softmax" if layer == last else "Relu"
        nodes.append(helper.make_node(activation, [f"y{layer}"], ["scores" if layer == last else f"x{layer + 1}"]))
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["n", 8, 8, 1])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", network.coefs_[-1].shape[1]])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


class Calibration(CalibrationDataReader):
    """Hands the pictures to the quantiser, one at a time."""

    def __init__(self, pictures: np.ndarray) -> None:
        self._pictures: Iterator[np.ndarray] = iter(pictures.reshape(-1, 1, 8, 8, 1))

    def get_next(self) -> dict[str, np.ndarray] | None:
        picture = next(self._pictures, None)
        return None if picture is None else {"picture": picture}


def main(folder: Path) -> None:
    """Train, export, quantise."""
    folder.mkdir(parents=True, exist_ok=True)
    original, quantised = folder / "digits.onnx", folder / "digits-int8.onnx"
    pictures, labels = digits("train")
    network = MLPClassifier((32,), max_iter=60, learning_rate_init=0.01, early_stopping=True, random_state=0)
    network.fit(pictures, labels)
    print(f"trained on {len(pictures)} digits: accuracy {network.score(*digits('test')):.3f} on the test split")
    onnx.save(to_onnx(network), original)
    logging.disable(logging.WARNING)  # the quantiser advises a pre-processing that a graph this small does not need
    quantize_static(
        original,
        quantised,
        Calibration(pictures[:200]),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Gemm"],  # a Softmax of 8 bits would tie
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    for file in (original, quantised):
        print(f"wrote {file} ({file.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
