"""Every promise of every component, tested by the kit that ships with dltf."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import hugging_face
import numpy as np
import soundfile
import standin_deepspeech
import whisper_pair

from dltf.plugin import TensorSpec
from dltf.testing import Examples, ModelExample, conformance, observations
from dltf_speech.seeds.commands import TWELVE

DATA = Path(os.environ.get("DLTF_DATA", "nowhere"))
ABSENT = (
    {} if (DATA / "fsdd_flac.npz").is_file() else {"speech.digits": "no fsdd_flac.npz: set DLTF_DATA to its folder"}
)
if importlib.util.find_spec("transformers") is None:
    ABSENT["transformers"] = "it is not installed: pip install 'dltf-speech[transformers]'"

SAID = ("one two three", "four", "", "five six", "don't", "seven")
HEARD = ("one two three", "for", "oh", "five nine six", "don't", "")


def written(folder, clips):
    """Write clips in every layout that there is a source for."""
    for name in ("folder", "chapters/61/70968", "commands/yes", "commands/bed", "noise"):
        (folder / name).mkdir(parents=True)
    for number, clip in enumerate(clips):
        soundfile.write(folder / "folder" / f"{number}.wav", clip, 16000)
        (folder / "folder" / f"{number}.txt").write_text(SAID[number])
        soundfile.write(folder / "chapters/61/70968" / f"61-70968-000{number}.flac", clip, 16000)
        soundfile.write(folder / "commands" / ("yes", "bed")[number % 2] / f"{number}_nohash_0.wav", clip, 16000)
    lines = [f"61-70968-000{number} {text.upper()}" for number, text in enumerate(SAID[: len(clips)])]
    (folder / "chapters/61/70968/61-70968.trans.txt").write_text("\n".join(lines))
    (folder / "commands/testing_list.txt").write_text("yes/0_nohash_0.wav\nbed/1_nohash_0.wav\n")
    rows = [{"audio_filepath": f"folder/{number}.wav", "text": SAID[number]} for number in range(len(clips))]
    (folder / "manifest.json").write_text("\n".join(map(json.dumps, rows)))
    offsets = np.cumsum([0, *map(len, clips)])
    texts = SAID[: len(clips)]
    np.savez(folder / "clips.npz", samples=np.concatenate(clips), offsets=offsets, text=texts, sample_rate=16000)
    soundfile.write(folder / "noise/hum.wav", np.random.default_rng(5).normal(0, 0.1, 9000), 16000)
    return {
        "speech.folder": {"path": folder / "folder"},
        "speech.manifest": {"path": folder / "manifest.json"},
        "speech.npz": {"path": folder / "clips.npz"},
        "speech.librispeech": {"path": folder / "chapters"},
        "speech.commands": {"path": folder / "commands", "classes": TWELVE},
        "speech.background_noise": {"path": folder / "noise"},
        "ctc": {"alphabet": ("-", " ", "a", "b", "c")},
    }


def models(folder):
    """Make a small model for each backend."""
    quiet = np.zeros((2, 16000), np.int16)
    quiet[1] = np.random.default_rng(3).normal(0, 9000, 16000)
    made = {
        "whisper-onnx": whisper_pair.save(folder / "whisper"),
        "deepspeech": standin_deepspeech.save(folder / "deepspeech.tflite"),
    }
    if "transformers" not in ABSENT:
        made["transformers"] = hugging_face.wav2vec2(folder / "wav2vec2")
    return {name: [ModelExample(file, {"sample": quiet})] for name, file in made.items()}


@conformance("speech", without=ABSENT)
def test_conformance(folder):
    rng = np.random.default_rng(0)
    clips = [rng.normal(0, 4000, length).clip(-32768, 32767).astype(np.int16) for length in (900, 900, 2501, 2501, 41)]
    clips.append(np.zeros(900, np.int16))
    scores = rng.normal(0, 3, (4, 12, 5)).astype(np.float32)
    said = np.array(SAID), np.array(HEARD)
    answers = observations(list(SAID)), observations(list(HEARD))
    return Examples(
        samples=clips,
        inputs=[TensorSpec("sound", (None, None), "float32"), TensorSpec("fixed", (None, 900), "float32")],
        settings=written(folder, clips),
        models=models(folder),
        outputs={
            "ctc": [{"logits": scores}],
            "text": [{"text": said[0], "log_score": -np.arange(6, dtype=np.float32)}, {"text": said[1]}],
        },
        observations=dict.fromkeys(("same_words", "word_error_rate", "character_error_rate", "transcript"), answers),
        labels={"transcript": list(SAID)},
    )
