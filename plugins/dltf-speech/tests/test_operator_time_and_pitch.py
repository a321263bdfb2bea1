"""Time stretch, pitch shift and time shift, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dltf_speech.operators.pitch_shift import PitchShift
from dltf_speech.operators.time_shift import TimeShift
from dltf_speech.operators.time_stretch import TimeStretch

ONE = np.ones(1)
RATE_HZ = 16000
METHODS = ("signalsmith", "phase_vocoder")


def tone(frequency_hz, length=RATE_HZ, rate_hz=RATE_HZ):
    return np.rint(10000 * np.sin(2 * np.pi * frequency_hz * np.arange(length) / rate_hz)).astype(np.int16)[np.newaxis]


def peak_hz(clip, rate_hz=RATE_HZ):
    spectrum = np.abs(np.fft.rfft(clip * np.hanning(len(clip)), 1 << 18))
    return np.argmax(spectrum) * rate_hz / (1 << 18)


def shifted(values, by, strength=1.0, **settings):
    batch = np.array([values], np.int16)
    operator = TimeShift(fade_ms=0.0, **settings)
    return operator.apply(batch, {"shift_values": np.array([float(by)])}, np.array([strength]))[0].tolist()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("rate", "length"), [(0.8, 20000), (1.25, 12800), (1.1, 14545), (0.5, 32000), (4.0, 4000)])
def test_stretching_divides_the_length_by_the_rate_and_keeps_the_pitch(method, rate, length):
    (mutant,) = TimeStretch(method=method).apply(tone(440), {"rate": np.array([rate])}, ONE)
    assert len(mutant) == pytest.approx(length, abs=1)
    assert peak_hz(mutant) == pytest.approx(440, rel=0.002)


def test_strength_scales_the_distance_of_the_rate_from_1():
    batch = np.repeat(tone(440), 3, axis=0)
    mutants = TimeStretch().apply(batch, {"rate": np.full(3, 0.8)}, np.array([0.25, 0.5, 1.0]))
    assert [len(mutant) for mutant in mutants] == pytest.approx([16000 / 0.95, 16000 / 0.9, 20000], abs=1)
    amounts, unit = TimeStretch().amounts({"rate": np.array([0.8, 1.25])}, np.array([0.5, 1.0]))
    assert (amounts.tolist(), unit) == (pytest.approx([10, 25]), "%")


def test_stretches_of_one_batch_differ_in_length():
    assert TimeStretch.keeps_shape is False
    mutants = TimeStretch().apply(np.repeat(tone(440), 2, axis=0), {"rate": np.array([0.8, 1.25])}, np.ones(2))
    assert isinstance(mutants, list)
    assert [len(mutant) for mutant in mutants] == [20000, 12800]


def test_the_length_can_be_kept_by_cutting_and_by_silence():
    batch = np.repeat(tone(440), 2, axis=0)
    slow, fast = TimeStretch(keep_length=True).apply(batch, {"rate": np.array([0.8, 1.25])}, np.ones(2))
    assert (len(slow), len(fast)) == (16000, 16000)
    assert not fast[12800:].any()
    assert np.abs(fast[12000:12700]).max() > 5000
    assert np.abs(slow[-500:]).max() > 5000


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("length", [1, 2, 3, 100, 2047])
def test_clips_shorter_than_a_frame_are_stretched_and_shifted(method, length):
    batch = tone(1000, length)
    (mutant,) = TimeStretch(method=method, max_rate=4.0).apply(batch, {"rate": np.array([4.0])}, ONE)
    assert len(mutant) == max(1, round(length / 4))
    (mutant,) = PitchShift(method=method).apply(batch, {"semitones": np.array([3.0])}, ONE)
    assert mutant.shape == (length,)


def test_the_slowest_rate_is_still_repeated():
    # Below 0.5 the library scatters phases at random; this is why the setting ends there.
    operator = TimeStretch(min_rate=0.5)
    for length in (1, 999, 4801, 16000, 30393):
        batch = np.random.default_rng(length).integers(-9000, 9000, (1, length), dtype=np.int16)
        mutants = [operator.apply(batch, {"rate": np.array([0.5])}, ONE)[0] for _ in range(4)]
        assert all(np.array_equal(mutant, mutants[0]) for mutant in mutants)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("semitones", [-12.0, -4.0, 2.5, 4.0, 12.0])
def test_pitch_moves_a_tone_by_the_semitones_and_keeps_the_length(method, semitones):
    batch = tone(500)
    (mutant,) = PitchShift(method=method).apply(batch, {"semitones": np.array([semitones])}, ONE)
    assert mutant.shape == batch[0].shape
    assert 12 * np.log2(peak_hz(mutant) / 500) == pytest.approx(semitones, abs=0.1)


def test_strength_scales_the_semitones():
    batch = np.repeat(tone(500), 2, axis=0)
    mutants = PitchShift().apply(batch, {"semitones": np.full(2, 4.0)}, np.array([0.5, 1.0]))
    assert [12 * np.log2(peak_hz(mutant) / 500) for mutant in mutants] == pytest.approx([2, 4], abs=0.1)
    amounts, unit = PitchShift().amounts({"semitones": np.array([-4.0, 2.0])}, np.array([0.5, 1.0]))
    assert (amounts.tolist(), unit) == ([2.0, 2.0], "semitones")


def test_other_rates_shift_pitch_by_the_same_semitones():
    (mutant,) = PitchShift(rate_hz=8000).apply(tone(500, 8000, 8000), {"semitones": np.array([4.0])}, ONE)
    assert 12 * np.log2(peak_hz(mutant, 8000) / 500) == pytest.approx(4, abs=0.1)


def test_pitch_keeps_what_is_heard_when_it_is_heard():
    burst = np.zeros(16000, np.int16)
    burst[8000:9600] = tone(500, 1600)[0]
    (mutant,) = PitchShift().apply(burst[np.newaxis], {"semitones": np.array([3.0])}, ONE)
    energy = np.square(mutant, dtype=np.float64)
    assert (energy * np.arange(16000)).sum() / energy.sum() == pytest.approx(8800, abs=160)  # 10 ms


def test_a_shift_rolls_over_or_brings_silence():
    assert shifted([1, 2, 3, 4, 5], 2) == [4, 5, 1, 2, 3]
    assert shifted([1, 2, 3, 4, 5], -2) == [3, 4, 5, 1, 2]
    assert shifted([1, 2, 3, 4, 5], 2, rollover=False) == [0, 0, 1, 2, 3]
    assert shifted([1, 2, 3, 4, 5], -2, rollover=False) == [3, 4, 5, 0, 0]


def test_strength_scales_the_shift_in_whole_values():
    assert shifted([1, 2, 3, 4, 5], 2, 0.5) == [5, 1, 2, 3, 4]
    assert shifted([1, 2, 3, 4, 5], 2, 0.2) == [1, 2, 3, 4, 5]
    amounts, unit = TimeShift().amounts({"shift_values": np.array([-1600.0, 800.0])}, np.array([1.0, 0.5]))
    assert (amounts.tolist(), unit) == ([100.0, 25.0], "ms")


def test_a_part_of_the_clip_always_stays_in_it():
    assert shifted([1, 2, 3], 2.99, max_shift=0.999, rollover=False) == [0, 0, 1]
    assert shifted([1, 2, 3], -2.99, max_shift=0.999, rollover=False) == [3, 0, 0]
    assert shifted([7], 0.9, max_shift=0.999, rollover=False) == [7]


def test_the_stitch_is_faded():
    batch = np.full((1, 1600), 1000, np.int16)
    draws = {"shift_values": np.array([400.0])}
    mutant = TimeShift(fade_ms=5.0).apply(batch, draws, ONE)[0]
    assert mutant[400] == 0
    assert mutant[399] == 0
    assert (mutant[:320] == 1000).all()
    assert (mutant[480:] == 1000).all()
    assert (TimeShift(fade_ms=0.0).apply(batch, draws, ONE) == batch).all()
    assert (TimeShift(fade_ms=0.25, rate_hz=1000).apply(batch, draws, ONE) == batch).all()  # less than a value long


def test_draws_stay_in_their_ranges():
    batch = np.zeros((300, 1000), np.int16)
    streams = [np.random.default_rng(case) for case in range(300)]
    drawn = (
        (TimeStretch().draw(batch, streams)["rate"], 0.8, 1.25),
        (PitchShift().draw(batch, streams)["semitones"], -4, 4),
        (TimeShift().draw(batch, streams)["shift_values"], -500, 500),
    )
    for values, low, high in drawn:
        assert low <= values.min() < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < values.max() < high


@pytest.mark.parametrize(
    ("make", "settings", "told"),
    [
        (TimeStretch, {"min_rate": 0.0}, "min_rate"),
        (TimeStretch, {"min_rate": 0.4}, "0.5 to 4"),
        (TimeStretch, {"max_rate": 5.0}, "max_rate"),
        (TimeStretch, {"max_rate": float("nan")}, "max_rate"),
        (TimeStretch, {"min_rate": 1.2, "max_rate": 1.1}, "must not be below min_rate, 1.2"),
        (TimeStretch, {"method": "vocoder"}, "method"),
        (TimeStretch, {"rate_hz": 0}, "rate_hz"),
        (PitchShift, {"max_semitones": 25.0}, "-24 to 24"),
        (PitchShift, {"min_semitones": 3.0, "max_semitones": 2.0}, "must not be below min_semitones, 3.0"),
        (TimeShift, {"max_shift": 1.0}, "all of the clip would be shifted out"),
        (TimeShift, {"min_shift": -1.0}, "all of the clip would be shifted out"),
        (TimeShift, {"max_shift": float("inf")}, "max_shift"),
        (TimeShift, {"fade_ms": -1.0}, "fade_ms"),
        (TimeShift, {"fade_ms": 0.1}, "0.25"),
    ],
)
def test_impossible_settings_are_refused(make, settings, told):
    with pytest.raises(ValueError, match=told):
        make(**settings)
