"""Judge exported pictures with plain ONNX Runtime and LiteRT: `python judge_without_dltf.py MANIFEST ONNX TFLITE`.

Prints how many deviate, and exits with 1 unless all do, with the answers that the manifest says; imports no dltf.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter
from PIL import Image


def main(manifest: Path, reference: str, candidate: str) -> int:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(reference, options)
    interpreter = Interpreter(candidate, num_threads=1)
    interpreter.allocate_tensors()
    takes, gives = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    findings = json.loads(manifest.read_text())["findings"]
    deviating = 0
    for finding in findings:
        with Image.open(manifest.parent / finding["finding"]) as picture:
            pixels = np.asarray(picture, dtype=np.float32).reshape(1, 28, 28, 1) / np.float32(255)
        interpreter.set_tensor(takes, pixels)
        interpreter.invoke()
        ours = int(session.run(None, {session.get_inputs()[0].name: pixels})[0].argmax())
        theirs = int(interpreter.get_tensor(gives).argmax())
        told = (finding["reference"]["decision"], finding["candidate"]["decision"])
        deviating += ours != theirs and (ours, theirs) == told
    assert not any(name.split(".")[0] == "dltf" for name in sys.modules)
    print(f"{deviating} of {len(findings)} deviate")
    return 0 if findings and deviating == len(findings) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
