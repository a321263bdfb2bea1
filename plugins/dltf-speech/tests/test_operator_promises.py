"""What all operators promise, on any clip: identity at 0, the same mutant again, alone, in a batch and in threads."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from dltf_speech.operators.background_noise import BackgroundNoise
from dltf_speech.operators.band_pass import BandPass
from dltf_speech.operators.clipping import Clipping
from dltf_speech.operators.gain import Gain
from dltf_speech.operators.gaussian_noise import GaussianNoise
from dltf_speech.operators.mp3_compression import Mp3Compression
from dltf_speech.operators.pitch_shift import PitchShift
from dltf_speech.operators.reverberation import Reverberation
from dltf_speech.operators.time_shift import TimeShift
from dltf_speech.operators.time_stretch import TimeStretch

NAMES = {
    "time_stretch": TimeStretch,
    "time_stretch_by_phase_vocoder": lambda: TimeStretch(method="phase_vocoder"),
    "pitch_shift": PitchShift,
    "pitch_shift_by_phase_vocoder": lambda: PitchShift(method="phase_vocoder"),
    "time_shift": TimeShift,
    "time_shift_with_silence": lambda: TimeShift(rollover=False, fade_ms=0.0),
    "gain": Gain,
    "gaussian_noise": GaussianNoise,
    "background_noise": None,  # needs a folder
    "reverberation": Reverberation,
    "band_pass": BandPass,
    "mp3_compression": Mp3Compression,
    "clipping": Clipping,
}
UNITS = {"%", "semitones", "ms", "dB", "kbit/s"}

lengths = st.one_of(st.integers(1, 40), st.integers(41, 4000))
kinds = st.sampled_from(["noise", "silence", "loud", "impulse"])


@pytest.fixture(scope="module")
def operators(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    soundfile.write(folder / "hum.wav", np.sin(np.arange(500) / 7).astype(np.float32) / 4, 8000)
    made = {name: make() for name, make in NAMES.items() if make is not None}
    return made | {"background_noise": BackgroundNoise(folder)}


def clip_of(kind, length, case=0):
    rng = np.random.default_rng([case, length])
    if kind == "silence":
        return np.zeros(length, np.int16)
    if kind == "impulse":
        return (np.arange(length) == length // 2).astype(np.int16) * 20000
    return rng.integers(*((-3000, 3000) if kind == "noise" else (-32768, 32768)), length, dtype=np.int16)


def streams(*cases):
    return [np.random.default_rng(case) for case in cases]


def mutants_of(operator, batch, cases, strengths):
    strengths = np.asarray(strengths, dtype=np.float64)
    return list(operator.apply(batch, operator.draw(batch, streams(*cases)), strengths))


def as_bytes(clips):
    return [(clip.dtype.str, clip.shape, clip.tobytes()) for clip in clips]


@pytest.mark.parametrize("name", NAMES)
@given(length=lengths, kind=kinds, case=st.integers(0, 100))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_strength_0_gives_the_clip_back(operators, name, length, kind, case):
    batch = clip_of(kind, length)[np.newaxis]
    (mutant,) = mutants_of(operators[name], batch, [case], [0.0])
    assert as_bytes([mutant]) == as_bytes(batch)


@pytest.mark.parametrize("name", NAMES)
@given(length=lengths, kind=kinds, case=st.integers(0, 100), strength=st.floats(0, 1))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_a_mutant_is_a_clip_of_its_own_and_comes_again_alone_as_in_a_batch(
    operators, name, length, kind, case, strength
):
    batch = np.stack([clip_of(kind, length), clip_of("loud", length), clip_of("noise", length)])
    batch.setflags(write=False)
    cases, strengths = [case, case + 1, case + 2], [strength, 1.0, 0.3]
    together = mutants_of(operators[name], batch, cases, strengths)
    assert as_bytes(mutants_of(operators[name], batch, cases, strengths)) == as_bytes(together)
    for row in (0, 1, 2):
        alone = mutants_of(operators[name], batch[row : row + 1], [cases[row]], [strengths[row]])
        assert as_bytes(alone) == as_bytes(together[row : row + 1])
        assert not np.shares_memory(alone[0], batch)
        assert alone[0].dtype == np.int16
        assert len(alone[0]) == length or (name.startswith("time_stretch") and len(alone[0]) >= 1)


@pytest.mark.parametrize("name", NAMES)
def test_each_changes_a_clip_and_tells_by_how_much(operators, name):
    batch = np.stack([clip_of("noise", 6000, case) for case in range(4)])
    draws = operators[name].draw(batch, streams(*range(4)))
    strengths = np.array([0.0, 0.25, 0.5, 1.0])
    mutants = list(operators[name].apply(batch, draws, strengths))
    assert [as_bytes([mutant]) != as_bytes([clip]) for mutant, clip in zip(mutants, batch, strict=True)] == [
        *[False],
        *[True] * 3,
    ]
    amounts, unit = operators[name].amounts(draws, strengths)
    full, _ = operators[name].amounts(draws, np.ones(4))
    assert unit in UNITS
    assert amounts.dtype == np.float64
    assert np.allclose(amounts, full * strengths)
    assert (full > 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_many_threads_at_once_make_the_mutants_of_one(operators, name):
    batch = np.stack([clip_of("noise", 5000, case) for case in range(6)])
    expected = as_bytes(mutants_of(operators[name], batch, range(6), np.linspace(0.1, 1, 6)))
    with ThreadPoolExecutor(8) as pool:
        again = [pool.submit(mutants_of, operators[name], batch, range(6), np.linspace(0.1, 1, 6)) for _ in range(24)]
        assert all(as_bytes(future.result()) == expected for future in again)


@pytest.mark.parametrize("name", NAMES)
def test_global_generators_are_neither_used_nor_seeded(operators, name):
    before = pickle.dumps((random.getstate(), np.random.get_state()))
    mutants_of(operators[name], clip_of("noise", 3000)[np.newaxis], [0], [1.0])
    assert pickle.dumps((random.getstate(), np.random.get_state())) == before


@pytest.mark.parametrize("name", NAMES)
def test_an_operator_and_its_draws_survive_pickling(operators, name):
    assert pickle.loads(pickle.dumps(operators[name])) == operators[name]
    batch = clip_of("noise", 3000)[np.newaxis]
    draws = operators[name].draw(batch, streams(3))
    ours, theirs = (
        operators[name].apply(batch, drawn, np.ones(1)) for drawn in (draws, pickle.loads(pickle.dumps(draws)))
    )
    assert as_bytes(ours) == as_bytes(theirs)


@pytest.mark.parametrize("name", NAMES)
def test_clips_without_values_and_batches_without_clips_come_back(operators, name):
    assert as_bytes(mutants_of(operators[name], np.zeros((2, 0), np.int16), [0, 1], [1.0, 0.5])) == as_bytes(
        np.zeros((2, 0), np.int16)
    )
    assert len(mutants_of(operators[name], np.zeros((0, 100), np.int16), [], [])) == 0


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("time_stretch")])
def test_silence_stays_silence(operators, name):
    batch = np.zeros((3, 2500), np.int16)
    assert not np.stack(mutants_of(operators[name], batch, range(3), np.ones(3))).any()


def test_a_library_that_was_never_compiled_before_loads_without_a_warning(tmp_path):
    code = (
        "import sys, librosa, scipy.signal\n"
        f"sys.pycache_prefix = {str(tmp_path)!r}\n"
        "from dltf_speech.operators.transforms import transform\n"
        "print(transform('gain', 'Gain', {'amplitude_ratio': 2.0}).apply(21, 0))\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("42.0\n", "")
