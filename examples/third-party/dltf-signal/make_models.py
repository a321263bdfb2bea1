"""Write the two networks of `profile.toml`: one that tells tones, and the same with rounded weights.

A network correlates each segment of a signal with the waves of each tone, squares, and adds up: the energy of each tone
in the segment, against that of silence. Both take float32 [n, 1, length] for any n and length.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SEGMENT, CYCLES = 16, (2, 5)
SILENCE = 0.6
"""The score of silence: a tone has to have more energy than this."""


def make_models(folder: Path, bits: int = 3) -> tuple[Path, Path]:
    """Write `reference.onnx` and `rounded.onnx`, its weights rounded to so many bits; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    waves, mixture = _weights()
    reference, rounded = folder / "reference.onnx", folder / "rounded.onnx"
    onnx.save(_network(waves, mixture), reference)
    onnx.save(_network(_round(waves, bits), _round(mixture, bits)), rounded)
    return reference, rounded


def _weights() -> tuple[Any, Any]:
    angles = 2 * np.pi * np.outer(CYCLES, np.arange(SEGMENT)) / SEGMENT
    waves = np.stack([np.sin(angles), np.cos(angles)], axis=1).reshape(4, 1, SEGMENT) * 2 / SEGMENT
    mixture = np.zeros((3, 4, 1))  # silence, low, high ← sine and cosine of each tone
    mixture[1, :2] = mixture[2, 2:] = 8.0
    mixture[1, 2:] = mixture[2, :2] = -1.0
    return waves, mixture


def _round(weights: Any, bits: int) -> Any:
    step = np.abs(weights).max() / (2 ** (bits - 1) - 1)
    return np.rint(weights / step) * step


def _network(waves: Any, mixture: Any) -> onnx.ModelProto:
    weights = {"waves": waves, "mixture": mixture, "bias": np.array([SILENCE, 0.0, 0.0])}
    nodes = [
        helper.make_node("Conv", ["signal", "waves"], ["correlations"], strides=[SEGMENT]),
        helper.make_node("Mul", ["correlations", "correlations"], ["energies"]),
        helper.make_node("Conv", ["energies", "mixture", "bias"], ["by_tone"]),
        helper.make_node("Transpose", ["by_tone"], ["scores"], perm=[0, 2, 1]),
    ]
    graph = helper.make_graph(
        nodes,
        "tones",
        [helper.make_tensor_value_info("signal", TensorProto.FLOAT, ["n", 1, "length"])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", "segments", 3])],
        [numpy_helper.from_array(values.astype(np.float32), name) for name, values in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    for path in make_models(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent / "models"):
        print(path)
