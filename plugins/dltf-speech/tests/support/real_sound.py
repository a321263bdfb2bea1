"""Public recordings and models, where the folder that DLTF_DATA names has them."""

from __future__ import annotations

import os
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest


def data(name):
    """The path of a file there; the test skips where it is not."""
    named = os.environ.get("DLTF_DATA")
    path = Path(named or "") / name
    if not named or not path.exists():
        pytest.skip(f"{name} is not here: set DLTF_DATA to a folder that has it")
    return path


def digit_strings():
    """The 200 clips and their texts."""
    with np.load(data("digit_strings.npz")) as archive:
        samples, offsets, texts = archive["samples"], archive["offsets"], archive["text"]
    return [samples[a:b] for a, b in pairwise(offsets)], texts.tolist()


def keyword_clip(name):
    """One second at 16 kHz: "yes", "no", "silence" or "noise"."""
    with wave.open(str(data(f"models/kws_clips/{name}_1000ms.wav"))) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
