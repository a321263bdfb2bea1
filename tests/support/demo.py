"""The demo's models, trained once for each process that runs tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).parents[2]


@lru_cache(maxsize=1)
def demo_models() -> Path:
    """Return a folder with digits.onnx and digits-int8.onnx."""
    folder = Path(mkdtemp(prefix="dltf-demo-"))
    script = ROOT / "examples" / "demo" / "make_models.py"
    subprocess.run([sys.executable, script, folder], check=True, capture_output=True)
    return folder


def copy_demo(folder: Path) -> Path:
    """Copy the models and the profile of the demo into a folder, and return the profile."""
    for model in demo_models().glob("*.onnx"):
        shutil.copy(model, folder)
    text = (ROOT / "examples" / "demo" / "profile.toml").read_text().replace("../../demo/", "")
    profile = folder / "profile.toml"
    profile.write_text(text)
    return profile


def quantise_dynamically(folder: Path) -> Path:
    """Write digits-dynamic.onnx, whose answers depend on the batch: its scales are those of the whole batch."""
    import logging

    from onnxruntime.quantization import quantize_dynamic

    logging.disable(logging.WARNING)
    try:
        quantize_dynamic(folder / "digits.onnx", folder / "digits-dynamic.onnx")
    finally:
        logging.disable(logging.NOTSET)
    return folder / "digits-dynamic.onnx"
