"""Every operator on read utterances: nothing at strength 0, and what is written as WAV is what was made."""

from __future__ import annotations

import io
import os
import wave
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dltf_speech.operators.background_noise import BackgroundNoise
from dltf_speech.operators.time_shift import TimeShift
from dltf_speech.plugin import dltf_mutation_operators
from dltf_speech.presets import DflareSpeech, Natural

FILE = Path(os.environ.get("DLTF_DATA", "nowhere")) / "speech_16k.npz"
NAMES = [component.name for component in dltf_mutation_operators()]
RATE_HZ = 16000

pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason="speech_16k.npz is not here: put it into the folder that DLTF_DATA names"
)


@cache
def utterances():
    with np.load(FILE) as data:
        assert data["sample_rate"] == RATE_HZ
        return np.split(data["samples"], data["offsets"][1:-1])


@pytest.fixture(scope="module")
def operators(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    soundfile.write(folder / "hiss.flac", np.random.default_rng(0).normal(0, 0.1, 30000), 22050)
    made = {**Natural().operators(), **DflareSpeech().operators()}  # the wider ranges where both have one
    return {**made, "speech.time_shift": TimeShift(), "speech.background_noise": BackgroundNoise(folder)}


def written_and_read(clip):
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(clip.astype("<i2").tobytes())
    file.seek(0)
    with wave.open(file, "rb") as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, RATE_HZ)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2")


def test_there_are_34_utterances_and_10_operators(operators):
    assert len(utterances()) == 34
    assert set(NAMES) == set(operators)
    assert len(NAMES) == 10


@pytest.mark.parametrize("name", NAMES)
def test_every_utterance_comes_back_at_0_and_its_mutant_out_of_its_file(operators, name):
    operator = operators[name]
    for case, clip in enumerate(utterances()):
        batch = np.repeat(clip[np.newaxis], 2, axis=0)
        draws = operator.draw(batch, [np.random.default_rng(case), np.random.default_rng(case)])
        back, mutant = operator.apply(batch, draws, np.array([0.0, 1.0]))
        assert np.array_equal(back, clip)
        assert back.dtype == mutant.dtype == np.int16
        assert np.array_equal(written_and_read(mutant), mutant)
        assert not np.array_equal(mutant, clip)
        assert mutant.any()


def log_spectrum(clip):
    frames = np.lib.stride_tricks.sliding_window_view(clip / 32768, 400)[::160] * np.hanning(400)
    bands = np.add.reduceat(np.square(np.abs(np.fft.rfft(frames))), np.arange(0, 200, 5), axis=1)
    return np.log(bands + 1e-7)


def apart(ours, theirs):
    frames = min(len(ours), len(theirs))
    return np.sqrt(np.square(ours[:frames] - theirs[:frames]).mean())


@pytest.mark.parametrize("name", NAMES)
def test_a_little_strength_changes_little_of_what_is_heard(operators, name):
    clip = utterances()[1]
    strengths = np.array([0.0, 1e-4, 0.6, 0.6001, 1.0])
    batch = np.repeat(clip[np.newaxis], len(strengths), axis=0)
    draws = operators[name].draw(batch, [np.random.default_rng(1) for _ in strengths])
    none, least, some, just_more, full = map(log_spectrum, operators[name].apply(batch, draws, strengths))
    assert apart(none, least) < 0.2 * apart(none, full)
    assert apart(some, just_more) < 0.2 * apart(none, full)
