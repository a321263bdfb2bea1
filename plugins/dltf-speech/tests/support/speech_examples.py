"""Material for the conformance kit: what oracles judge, what `text` decodes, and small models for the backends."""

from __future__ import annotations

from pathlib import Path

import hugging_face
import numpy as np
import standin_deepspeech
import whisper_pair

from dltf.plugin import NATIVE
from dltf.testing import ModelExample, observations

CLIPS = np.stack(
    [
        np.zeros(6000, dtype=np.int16),
        *np.random.default_rng(0).normal(0, [[3000], [9000]], (2, 6000)).clip(-32768, 32767).astype(np.int16),
    ]
)
SENTENCES = ["one two three", "", "one", "oh nine", "four five"]
OTHERS = ["one two three", "one", "", "oh five nine", "five four"]
ORACLES = ("same_words", "word_error_rate", "character_error_rate", "transcript")
LABELS = {"transcript": SENTENCES}
SETTINGS = {"whisper-onnx": {"length_s": 1.0}}
TEXTS = {"text": np.array(SENTENCES), "log_score": np.array([-0.5, -1.0, -2.0, -0.1, 0.0])}


def models(folder: Path) -> dict[str, list[ModelExample]]:
    """Return the models by backend, written to a folder."""
    inputs = {NATIVE: CLIPS}
    return {
        "whisper-onnx": [ModelExample(whisper_pair.save(folder / "pair"), inputs)],
        "deepspeech": [ModelExample(standin_deepspeech.save(folder / "deepspeech.tflite"), inputs)],
        "transformers": [
            ModelExample(hugging_face.whisper(folder / "whisper"), inputs),
            ModelExample(hugging_face.wav2vec2(folder / "wav2vec2"), inputs),
        ],
    }


def judged() -> dict[str, tuple[object, object]]:
    """Return what two variants answered, by oracle."""
    return dict.fromkeys(ORACLES, (observations(SENTENCES), observations(OTHERS)))
