"""Clips, and what a front end makes of them."""

from __future__ import annotations

import numpy as np

from dltf.plugin import TensorSpec
from dltf_speech.features.settings import SpeechInput
from dltf_speech.features.tensors import Features

ANY_FRAMES = TensorSpec("frames", (None, None, 40), "float64")
ANY_SOUND = TensorSpec("sound", (None, None), "float32")


def clips(*lengths, seed=0):
    """Noise at some loudness, with a chirp."""
    random = np.random.default_rng(seed)
    made = []
    for length in lengths:
        t = np.arange(length) / 16000
        chirp = np.sin(2 * np.pi * (200 + 1500 * t) * t)
        made.append((8000 * chirp + random.normal(0, 500, length)).astype(np.int16))
    return made


def prepared(samples, /, spec=ANY_FRAMES, rate_hz=16000, **keys):
    """The tensor of each sample, in their order."""
    bound = Features(rate_hz).bind([spec], SpeechInput(**keys))
    found = {}
    for rows, tensors in bound(samples):
        found |= dict(zip(rows.tolist(), tensors[spec.name], strict=True))
    return [found[row] for row in range(len(samples))]
