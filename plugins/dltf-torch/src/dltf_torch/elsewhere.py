"""A script for the interpreter of another environment: it imports nothing of dltf, and old Pythons take it.

    python elsewhere.py WORK JOB.json RESULT.json

The job and what came of it are JSON files: what libraries print does not matter.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from pathlib import Path
from typing import Any


def convert(job: dict[str, Any]) -> dict[str, Any]:
    """Make a TFLite file of a .pt2 file; its batch is fixed, since litert-torch takes no open sizes."""
    import litert_torch  # type: ignore[import-not-found,unused-ignore]
    import torch

    torch.set_num_threads(1)
    program = torch.export.load(job["source"])

    class ByName(torch.nn.Module):
        """Takes inputs by name, so that the file has them."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = program.module(check_guards=False)

        def forward(self, **inputs: Any) -> Any:
            return self.inner(*[inputs[name] for name, _, _ in job["inputs"]])

    module = ByName()
    module.training = False
    example = {name: torch.zeros(shape, dtype=getattr(torch, dtype)) for name, shape, dtype in job["inputs"]}
    litert_torch.convert(module, sample_kwargs=example).export(job["out"])
    return {"batch": job["batch"]}


def quantise(job: dict[str, Any]) -> dict[str, Any]:
    """Quantise a TFLite file: weights, and activations where there are seeds to calibrate them with."""
    from ai_edge_quantizer import quantizer, recipe  # type: ignore[import-not-found,unused-ignore]

    content = Path(job["source"]).read_bytes()
    tool = quantizer.Quantizer(content, getattr(recipe, job["recipe"])())
    calibrated = None
    if job["seeds"]:
        calibrated = tool.calibrate(_seeds(content, job["seeds"]), num_threads=1)
    made = bytes(tool.quantize(calibrated).quantized_model)
    Path(job["out"]).write_bytes(made)
    return {"recipe": job["recipe"], "bytes_before": len(content), "bytes": len(made)}


def _seeds(content: bytes, file: str) -> dict[str, list[dict[str, Any]]]:
    """Return the seeds for each signature, by the names that its inputs have there: the seeds have those of tensors."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-not-found,import-untyped,unused-ignore]

    interpreter = Interpreter(model_content=content)
    archive = np.load(file)
    count = 1 + max(int(key.partition("/")[0]) for key in archive.files)
    found = {}
    for signature in interpreter.get_signature_list():
        details = interpreter.get_signature_runner(signature).get_input_details()
        named = {name: detail["name"] for name, detail in details.items()}
        found[signature] = [
            {name: archive[f"{number}/{tensor}"] for name, tensor in named.items()} for number in range(count)
        ]
    if not found:
        raise ValueError("the file has no signature, which ai-edge-quantizer calibrates by")
    return found


WORKS = {"convert": (convert, ("torch", "litert_torch")), "quantise": (quantise, ("numpy", "ai_edge_quantizer"))}


def main(name: str, job: str, result: str) -> None:
    """Do one job, and write what came of it: facts, what is missing, or what failed."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    work, needs = WORKS[name]
    told: dict[str, Any]
    try:
        for package in needs:
            __import__(package)
    except ImportError as error:
        told = {"missing": str(error)}
    else:
        try:
            told = {"facts": work(json.loads(Path(job).read_text(encoding="utf-8")))}
        except Exception as error:  # whatever a library raises is told where it can be read
            told = {"failed": f"{type(error).__name__}: {error}"}
    Path(result).write_text(json.dumps(told), encoding="utf-8")
    os._exit(0)  # some libraries hang, or fail, when Python takes them apart


def _end_with_the_parent() -> None:
    """Wait for the end of standard input, which the parent holds open: with it, a job that hangs ends as well."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    del sys.path[0]  # this folder: its modules are none of what libraries mean by `tree` or `network`
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
