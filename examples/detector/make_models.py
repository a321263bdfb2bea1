"""Train a small detector of wide and tall rectangles, export it to ONNX in two conventions, and quantise it to int8.

Usage: python make_models.py FOLDER      (in seconds)

Writes three models and FOLDER/pictures/, 60 pictures to look at. detector.onnx has two outputs: boxes [n, 64, 4] as
ymin, xmin, ymax, xmax in shares of the picture, and scores [n, 64, 3], the first of them the background's.
detector-combined.onnx is the same network with one output [n, 7, 64]: centre, size in pixels, and the scores.
detector-int8.onnx is the latter, its convolutions in 8 bits.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from PIL import Image
from sklearn.neural_network import MLPClassifier, MLPRegressor

SIDE, STRIDE, WINDOW = 32, 4, 20
"""Pictures are 32×32; a cell of 4×4 pixels looks for a centre in it, and sees the 20×20 around."""
CELLS = SIDE // STRIDE
EDGE = (WINDOW - STRIDE) // 2
CENTRES = STRIDE * np.arange(CELLS) + STRIDE / 2
SIZES = ((8, 13), (4, 7))
"""The longer and the shorter side of a rectangle: from, and below."""


def draw(rng: np.random.Generator) -> tuple[Any, list[tuple[int, float, float, int, int]]]:
    """Return a picture with one to three bright rectangles, and (class, cx, cy, width, height) of each."""
    picture = rng.normal(40, 12, (SIDE, SIDE))
    free = np.ones((SIDE, SIDE), dtype=bool)
    things = []
    for _ in range(rng.integers(1, 4)):
        tall = int(rng.integers(2))
        long, short = (int(rng.integers(*limits)) for limits in SIZES)
        width, height = (short, long) if tall else (long, short)
        x, y = (int(rng.integers(1, SIDE - size)) for size in (width, height))
        if not free[max(0, y - 3) : y + height + 3, max(0, x - 3) : x + width + 3].all():
            continue
        free[y : y + height, x : x + width] = False
        picture[y : y + height, x : x + width] += rng.uniform(60, 180)
        things.append((tall, x + width / 2, y + height / 2, width, height))
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8), things


def training(count: int, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Return windows [m, 400], their class (0: no centre here), and (dx, dy, width, height) in cells of those."""
    windows, kinds, places = [], [], []
    for _ in range(count):
        picture, things = draw(rng)
        padded = np.pad(picture, EDGE).astype(np.float32) / 255
        owners = {(int(thing[2]) // STRIDE, int(thing[1]) // STRIDE): thing for thing in things}
        for row, column in np.ndindex(CELLS, CELLS):
            if (row, column) not in owners and rng.random() > 0.15:
                continue
            kind, cx, cy, width, height = owners.get((row, column), (-1, 0, 0, 0, 0))
            windows.append(padded[STRIDE * row :, STRIDE * column :][:WINDOW, :WINDOW].ravel())
            kinds.append(kind + 1)
            places.append(np.array([cx - CENTRES[column], cy - CENTRES[row], width, height]) / STRIDE)
    return np.stack(windows), np.array(kinds), np.stack(places)


def train() -> tuple[MLPClassifier, MLPRegressor]:
    """Fit the two heads: what is centred in a cell, and where its box is."""
    windows, kinds, places = training(800, np.random.default_rng(0))
    classifier = MLPClassifier((24,), max_iter=100, learning_rate_init=0.005, early_stopping=True, random_state=0)
    regressor = MLPRegressor(hidden_layer_sizes=(24,), max_iter=400, tol=1e-3, early_stopping=True, random_state=0)
    classifier.fit(windows, kinds)
    regressor.fit(windows[kinds > 0], places[kinds > 0])
    return classifier, regressor


def weights_of(heads: tuple[MLPClassifier, MLPRegressor]) -> dict[str, Any]:
    """Return both heads as two convolutions, and the constants that make boxes of what they give."""
    first = np.concatenate([head.coefs_[0].T for head in heads])
    hidden, outputs = (sum(len(head.intercepts_[layer]) for head in heads) for layer in (0, 1))
    split = len(heads[0].intercepts_[0])
    second = np.zeros((outputs, hidden))
    second[:3, :split], second[3:, split:] = (head.coefs_[1].T for head in heads)
    anchors = np.zeros((1, CELLS * CELLS, 4))
    anchors[0, :, 0], anchors[0, :, 1] = np.tile(CENTRES, CELLS), np.repeat(CENTRES, CELLS)
    corners = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, -0.5, 0, 0.5], [-0.5, 0, 0.5, 0]]) / SIDE
    return {
        "windows": first.reshape(-1, 1, WINDOW, WINDOW),
        "windows_bias": np.concatenate([head.intercepts_[0] for head in heads]),
        "mixture": second[:, :, None, None],
        "mixture_bias": np.concatenate([head.intercepts_[1] for head in heads]),
        "stride": np.float32(STRIDE),
        "anchors": anchors,
        "corners": corners,
    }


def to_onnx(weights: dict[str, Any], *, combined: bool) -> onnx.ModelProto:
    """Write the network for pictures [n, 1, 32, 32] in [0, 1]."""
    cells = CELLS * CELLS
    nodes = [
        helper.make_node(
            "Conv", ["picture", "windows", "windows_bias"], ["seen"], strides=[STRIDE] * 2, pads=[EDGE] * 4
        ),
        helper.make_node("Relu", ["seen"], ["hidden"]),
        helper.make_node("Conv", ["hidden", "mixture", "mixture_bias"], ["grid"]),
        helper.make_node("Reshape", ["grid", "shape"], ["columns"]),
        helper.make_node("Transpose", ["columns"], ["rows"], perm=[0, 2, 1]),
        helper.make_node("Split", ["rows", "parts"], ["logits", "offsets"], axis=2),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=2),
        helper.make_node("Mul", ["offsets", "stride"], ["pixels"]),
        helper.make_node("Add", ["pixels", "anchors"], ["centred"]),
    ]
    if combined:
        nodes.append(helper.make_node("Concat", ["centred", "scores"], ["whole"], axis=2))
        nodes.append(helper.make_node("Transpose", ["whole"], ["detections"], perm=[0, 2, 1]))
        outputs = {"detections": [7, cells]}
        weights = {name: values for name, values in weights.items() if name != "corners"}
    else:
        nodes.append(helper.make_node("MatMul", ["centred", "corners"], ["boxes"]))
        outputs = {"boxes": [cells, 4], "scores": [cells, 3]}
    shapes = {"shape": np.int64([0, 7, cells]), "parts": np.int64([3, 4])}
    graph = helper.make_graph(
        nodes,
        "rectangles",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["n", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape]) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.asarray(values, dtype=np.float32), name) for name, values in weights.items()]
        + [numpy_helper.from_array(values, name) for name, values in shapes.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


class Calibration(CalibrationDataReader):
    """Hands pictures to the quantiser, one at a time."""

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(1)
        pictures = (draw(rng)[0] for _ in range(count))
        self._inputs: Iterator[Any] = (picture[None, None].astype(np.float32) / 255 for picture in pictures)

    def get_next(self) -> dict[str, Any] | None:
        picture = next(self._inputs, None)
        return None if picture is None else {"picture": picture}


def main(folder: Path) -> None:
    """Train, export, quantise, and draw the pictures."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    heads = train()
    windows, kinds, _ = training(100, np.random.default_rng(2))
    print(f"trained on rectangles: {heads[0].score(windows, kinds):.3f} of the cells of new pictures are right")
    weights = weights_of(heads)
    apart, combined, quantised = (folder / f"detector{end}.onnx" for end in ("", "-combined", "-int8"))
    onnx.save(to_onnx(weights, combined=False), apart)
    onnx.save(to_onnx(weights, combined=True), combined)
    logging.disable(logging.WARNING)  # the quantiser advises a pre-processing that a graph this small does not need
    quantize_static(
        combined,
        quantised,
        Calibration(100),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    rng = np.random.default_rng(3)
    for number in range(60):
        Image.fromarray(draw(rng)[0]).save(folder / "pictures" / f"{number:02}.png")
    for file in (apart, combined, quantised):
        print(f"wrote {file} ({file.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
