"""What importing a plugin's modules brings in, seen in a fresh interpreter: one for the whole plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

from attrs import frozen

from dltf.testing.promise import BrokenPromiseError, Offer

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAVY = [
    "PIL",
    "ai_edge_litert",
    "audiomentations",
    "cv2",
    "jiwer",
    "librosa",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "openvino",
    "pooch",
    "ray",
    "scipy",
    "skimage",
    "sklearn",
    "soundfile",
    "soxr",
    "tensorflow",
    "tflite_runtime",
    "torch",
    "transformers",
]
"""The packages that no plugin imports before a run asks for the component."""

_SCRIPT = """
import importlib, json, sys

plugin, heavy, modules = json.loads(sys.argv[1])
there = set(sys.modules)
importlib.import_module(plugin)
numpy = "numpy" in sys.modules and "numpy" not in there
brought, failed = {}, {}
for module in [plugin, *modules]:
    try:
        importlib.import_module(module)
    except BaseException as error:
        failed[module] = f"{type(error).__name__}: {error}"
    brought[module] = sorted(name for name in heavy if name in sys.modules and name not in there)
    there |= set(sys.modules)
print(json.dumps([numpy, brought, failed]))
"""


@frozen
class Weight:
    """Whether the plugin's module imports numpy, and which heavy packages each module is the first to import."""

    numpy: bool
    brought: Mapping[str, list[str]]
    failed: Mapping[str, str]


@cache
def look(offer: Offer) -> Weight:
    """Import the plugin's module and all target modules in a fresh interpreter, and list what they bring."""
    modules = sorted({component.target.partition(":")[0] for _, component in offer.components})
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, json.dumps([offer.module, HEAVY, modules])],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BrokenPromiseError(f"{offer.module} cannot be imported in a fresh interpreter:\n{done.stderr}")
    return Weight(*json.loads(done.stdout.splitlines()[-1]))
