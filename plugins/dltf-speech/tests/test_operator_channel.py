"""Room, band and file: what each does to tones and impulses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from dltf_speech.operators.band_pass import BandPass
from dltf_speech.operators.mp3_compression import BIT_RATES_KBPS, Mp3Compression
from dltf_speech.operators.reverberation import Reverberation, reflected

ONE = np.ones(1)
RATE_HZ = 16000
BAND = {"low_hz": np.array([300.0]), "high_hz": np.array([3400.0])}


def tone(frequency_hz, length=RATE_HZ, rate_hz=RATE_HZ):
    return np.rint(8000 * np.sin(2 * np.pi * frequency_hz * np.arange(length) / rate_hz)).astype(np.int16)[np.newaxis]


def level_db(clip, seed):
    """Return the level against that of the seed, the ends left out."""
    ours, theirs = (np.sqrt(np.square(values[2000:-2000], dtype=np.float64).mean()) for values in (clip, seed))
    return 20 * np.log10(ours / theirs)


def speech_like(length=RATE_HZ):
    rng = np.random.default_rng(0)
    swell = np.abs(np.sin(np.arange(length) / 900))
    return (3000 * swell * np.convolve(rng.normal(size=length + 20), np.ones(21) / 5, "valid")).astype(np.int16)


@pytest.mark.parametrize(
    ("frequency_hz", "least", "most"),
    [(50, -80, -50), (300, -6.5, -5.5), (1000, -0.1, 0.1), (3400, -6.5, -5.5), (7000, -80, -35)],
)
def test_a_band_lets_through_what_is_in_it_and_6_decibels_less_at_its_ends(frequency_hz, least, most):
    seed = tone(frequency_hz)
    mutant = BandPass().apply(seed, BAND, ONE)
    assert least <= level_db(mutant[0], seed[0]) <= most


def test_a_band_blends_by_its_strength_and_delays_nothing():
    outside = tone(7000)
    assert level_db(BandPass().apply(outside, BAND, np.array([0.5]))[0], outside[0]) == pytest.approx(-6, abs=0.2)
    inside = tone(1000)
    assert np.abs(BandPass().apply(inside, BAND, ONE) - inside)[0, 2000:-2000].max() < 80


@pytest.mark.parametrize("length", [1, 2, 10, 27, 511])
def test_a_band_of_a_clip_shorter_than_its_filter(length):
    for rolloff_db in (12, 96):
        mutant = BandPass(rolloff_db=rolloff_db).apply(tone(1000, length), BAND, ONE)
        assert mutant.shape == (1, length)


def test_a_band_is_told_by_what_it_takes_away():
    draws = {"low_hz": np.array([400.0]), "high_hz": np.array([2400.0])}
    amounts, unit = BandPass().amounts(draws, np.array([0.5]))
    assert (amounts.tolist(), unit) == (pytest.approx([37.5]), "%")


def test_bands_are_drawn_between_their_bounds():
    batch = np.zeros((300, 10), np.int16)
    draws = BandPass().draw(batch, [np.random.default_rng(case) for case in range(300)])
    assert 100 <= draws["low_hz"].min() < 105
    assert 470 < draws["low_hz"].max() < 500
    assert 2000 <= draws["high_hz"].min() < 2050
    assert 3500 < draws["high_hz"].max() < 3600


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"max_high_hz": 8000.0}, "'max_high_hz' must be below half of the clips' rate, 8000 Hz: 8000"),
        ({"rate_hz": 6000}, "below half of the clips' rate, 3000 Hz: 3600"),
        ({"min_high_hz": 400.0}, "above max_low_hz, 500"),
        ({"min_low_hz": 0.0}, "min_low_hz"),
        ({"min_low_hz": 600.0}, "must not be below min_low_hz"),
        ({"rolloff_db": 18}, "multiple of 12"),
        ({"max_high_hz": float("nan")}, "max_high_hz"),
    ],
)
def test_impossible_bands_are_refused(settings, told):
    with pytest.raises(ValueError, match=told):
        BandPass(**settings)


@pytest.mark.parametrize("rt60_s", [0.2, 0.5, 1.0])
def test_a_room_fades_by_60_decibels_in_the_time_drawn(rt60_s):
    tail = reflected(np.random.default_rng(0).standard_normal(2 * RATE_HZ, dtype=np.float32), rt60_s, RATE_HZ)
    assert np.square(tail, dtype=np.float64).sum() == pytest.approx(1, rel=1e-4)
    assert not tail[:40].any()  # 2.5 ms
    assert tail[40] != 0
    low = sosfilt(butter(4, 1000, fs=RATE_HZ, output="sos"), tail)
    remaining = np.cumsum(np.square(low)[::-1])[::-1]  # Schroeder's integral
    decay_db = 10 * np.log10(remaining / remaining[0] + 1e-12)
    first, last = np.argmax(decay_db < -5), np.argmax(decay_db < -35)
    assert 2 * (last - first) / RATE_HZ == pytest.approx(rt60_s, rel=0.1)


def test_high_frequencies_fade_sooner():
    tail = reflected(np.random.default_rng(0).standard_normal(RATE_HZ, dtype=np.float32), 0.5, RATE_HZ)

    def centre(low_hz, high_hz):
        spectrum = np.fft.rfft(tail)
        frequencies = np.fft.rfftfreq(len(tail), 1 / RATE_HZ)
        spectrum[(frequencies < low_hz) | (frequencies >= high_hz)] = 0
        energy = np.square(np.fft.irfft(spectrum, len(tail)))
        return (energy * np.arange(len(tail))).sum() / energy.sum()

    assert centre(100, 1400) > 1.5 * centre(5700, 8000)


def test_a_room_adds_to_the_direct_sound_what_was_drawn_and_keeps_the_level():
    operator = Reverberation()
    seed = np.zeros((2, RATE_HZ), np.int16)
    seed[:, 100] = 20000
    streams = [np.random.default_rng(7), np.random.default_rng(7)]
    draws = operator.draw(seed, streams) | {"direct_db": np.full(2, 6.0), "rt60_s": np.full(2, 0.3)}
    for mutant, strength in zip(operator.apply(seed, draws, np.array([1.0, 0.5])), (1.0, 0.5), strict=True):
        energy = np.square(mutant, dtype=np.float64)
        assert 10 * np.log10(energy[100] / energy[101:].sum()) == pytest.approx(6 - 20 * np.log10(strength), abs=0.1)
        assert np.sqrt(energy.sum()) == pytest.approx(20000, rel=0.001)
        assert not mutant[:100].any()
    amounts, unit = operator.amounts(draws, np.array([1.0, 0.5]))
    assert (amounts.tolist(), unit) == (pytest.approx([50.12, 25.06], abs=0.01), "%")


@pytest.mark.parametrize("length", [1, 3, 39, 41])
def test_a_room_around_a_clip_shorter_than_its_response(length):
    seed = tone(1000, length)
    operator = Reverberation()
    mutant = operator.apply(seed, operator.draw(seed, [np.random.default_rng(0)]), ONE)
    assert mutant.shape == seed.shape
    if length <= 40:
        assert np.array_equal(mutant, seed)  # nothing has been reflected yet


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"min_rt60_s": 0.0}, "min_rt60_s"),
        ({"max_rt60_s": 0.1}, "must not be below min_rt60_s, 0.2"),
        ({"max_direct_db": float("inf")}, "-40 to 60"),
        ({"min_direct_db": 20.0}, "must not be below min_direct_db, 20.0"),
    ],
)
def test_impossible_rooms_are_refused(settings, told):
    with pytest.raises(ValueError, match=told):
        Reverberation(**settings)


def test_a_file_keeps_length_and_timing_and_loses_more_the_fewer_its_bits():
    seed = speech_like()[np.newaxis]
    errors = []
    for bit_rate in (8, 16, 32, 64):
        mutant = Mp3Compression().apply(seed, {"bitrate_kbps": np.array([bit_rate])}, ONE)
        assert mutant.shape == seed.shape
        alike = np.correlate(seed[0].astype(float), mutant[0, 1000:-1000].astype(float), "valid")
        assert np.argmax(alike) == 1000
        errors.append(np.square(mutant.astype(float) - seed).mean())
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 2 * errors[-1] > 0


def test_a_file_blends_by_its_strength():
    seed = speech_like()[np.newaxis]
    draws = {"bitrate_kbps": np.array([16])}
    full = Mp3Compression().apply(seed, draws, ONE).astype(int)
    half = Mp3Compression().apply(seed, draws, np.array([0.5])).astype(int)
    assert np.abs(2 * (half - seed) - (full - seed)).max() <= 2  # of 65536 values: rounding
    amounts, unit = Mp3Compression().amounts({"bitrate_kbps": np.array([16])}, np.array([0.5]))
    assert (amounts.tolist(), unit) == ([120.0], "kbit/s")


@pytest.mark.parametrize("length", [1, 100, 1599, 1601])
def test_a_file_of_less_than_a_tenth_of_a_second(length):
    mutant = Mp3Compression().apply(tone(1000, length), {"bitrate_kbps": np.array([32])}, ONE)
    assert mutant.shape == (1, length)


@pytest.mark.parametrize("rate_hz", BIT_RATES_KBPS)
def test_every_rate_and_bit_rate_of_a_file_can_be_written(rate_hz):
    operator = Mp3Compression(max_bitrate_kbps=320, rate_hz=rate_hz)
    assert operator.bit_rates() == BIT_RATES_KBPS[rate_hz]
    seed = tone(440, rate_hz // 4, rate_hz)
    for bit_rate in operator.bit_rates():
        mutant = operator.apply(seed, {"bitrate_kbps": np.array([bit_rate])}, ONE)
        assert mutant.shape == seed.shape
        assert np.abs(mutant).max() == pytest.approx(8000, rel=0.25)


def test_bit_rates_are_drawn_from_those_in_the_range():
    operator = Mp3Compression(min_bitrate_kbps=17, max_bitrate_kbps=47)
    batch = np.zeros((100, 10), np.int16)
    drawn = operator.draw(batch, [np.random.default_rng(case) for case in range(100)])["bitrate_kbps"]
    assert set(drawn.tolist()) == {24, 32, 40}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"rate_hz": 10000}, "rate that an MP3 file can have, one of 8000, .*: 10000"),
        ({"min_bitrate_kbps": 4}, "8 to 320"),
        ({"min_bitrate_kbps": 65, "max_bitrate_kbps": 64}, "must not be below min_bitrate_kbps, 65"),
        (
            {"min_bitrate_kbps": 65, "max_bitrate_kbps": 79},
            "must leave a bit rate from min_bitrate_kbps, 65, on that an MP3 file of 16000 Hz",
        ),
        ({"min_bitrate_kbps": 80, "max_bitrate_kbps": 128, "rate_hz": 8000}, "one of 8, 16, .*: 128"),
    ],
)
def test_impossible_files_are_refused(settings, told):
    with pytest.raises(ValueError, match=told):
        Mp3Compression(**settings)
