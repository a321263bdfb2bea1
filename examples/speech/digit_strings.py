"""Strings of digits out of single recordings, prepared by the table that the campaigns prepare clips with."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dltf.plugin import TensorSpec
from dltf_speech.features.settings import SpeechInput
from dltf_speech.features.tensors import ClipPreprocess, Features
from dltf_speech.seeds.digits import SpokenDigits

PROFILE = Path(__file__).with_name("digits-dynamic.toml")
RATE_HZ = 8000
FULL_SCALE = 32767


class Recordings:
    """The recordings of one part of the free spoken digits: words that strings are made of."""

    def __init__(self, split: Literal["train", "test"], path: Path | None = None) -> None:
        seeds = SpokenDigits(path, split, labels="text", rate_hz=RATE_HZ).open()
        self.words: dict[str, list[Any]] = {}  # recordings with their peak at 1, by the word
        for row in range(len(seeds)):
            seed = seeds[row]
            peak = max(int(np.abs(seed.sample.astype(np.int32)).max()), 1)
            self.words.setdefault(str(seed.label), []).append(seed.sample / peak)

    def string(self, rng: np.random.Generator, count: int, *, varied: bool) -> tuple[Any, str]:
        """Draw so many words with pauses around them, peak at most 1; `varied` draws loudness and tempo, too."""
        spoken = [str(word) for word in rng.choice(sorted(self.words), count)]
        parts = [_pause(rng)]
        for word in spoken:
            sound = self.words[word][rng.integers(len(self.words[word]))]
            if varied:
                sound = _tempo(sound, rng.uniform(0.9, 1.1)) * rng.uniform(0.4, 1.0)
            parts += [sound, _pause(rng)]
        return np.concatenate(parts), " ".join(spoken)

    def batch(self, rng: np.random.Generator, size: int) -> tuple[list[Any], list[str]]:
        """Draw strings of one number of words and one length, for training."""
        count = int(rng.integers(1, 6))
        sounds, texts = zip(*(self.string(rng, count, varied=True) for _ in range(size)), strict=True)
        length = max(map(len, sounds))
        clips = []
        for sound in sounds:
            before = int(rng.integers(length - len(sound) + 1))
            whole = np.pad(sound, (before, length - len(sound) - before))
            clips.append(_pcm(rng, whole, level=rng.uniform(0.1, 0.95), noise=10 ** rng.uniform(-0.5, 2.3)))
        return clips, list(texts)

    def held_out(self, count: int) -> tuple[list[Any], list[str]]:
        """Return strings of two to five words that are the same in every run."""
        rng = np.random.default_rng(0)
        made = [self.string(rng, int(rng.integers(2, 6)), varied=False) for _ in range(count)]
        return [_pcm(rng, sound, level=0.7, noise=30) for sound, _ in made], [text for _, text in made]


def preparation() -> ClipPreprocess:
    """Return the front end of the reference in `digits-dynamic.toml`."""
    table = tomllib.loads(PROFILE.read_text(encoding="utf-8"))["models"]["reference"]["input"]
    spec = TensorSpec("log_mel", (None, None, table["n_mels"]), "float32")
    return Features(RATE_HZ).bind([spec], SpeechInput(**table))


def _pause(rng: np.random.Generator) -> Any:
    return np.zeros(rng.integers(RATE_HZ // 25, RATE_HZ // 4))


def _tempo(sound: Any, rate: float) -> Any:
    """Play a sound faster or slower, as a tape would."""
    return np.interp(np.arange(0, len(sound) - 1, rate), np.arange(len(sound)), sound)


def _pcm(rng: np.random.Generator, sound: Any, *, level: float, noise: float) -> Any:
    heard = sound * level * FULL_SCALE + rng.normal(0, noise, len(sound))
    return np.clip(np.rint(heard), -FULL_SCALE - 1, FULL_SCALE).astype(np.int16)
