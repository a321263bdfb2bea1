"""Labels by plain ONNX Runtime: `python labels_without_dltf.py MODEL.onnx INPUTS.npy LABELS.npy`; imports no dltf."""

from __future__ import annotations

import sys

import numpy as np
import onnxruntime


def main(model: str, inputs: str, labels: str) -> None:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    answers = [session.run(None, {name: one[None]})[0].argmax() for one in np.load(inputs)]
    assert not any(module.split(".")[0].startswith("dltf") for module in sys.modules)
    np.save(labels, np.array(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
