"""How far apart two clips are, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dltf_speech.geometry import CEILING_DB, SpeechGeometry
from dltf_speech.spectrum import levels, log_spectral_distance

SOME = settings(deadline=None, derandomize=True, max_examples=60)

GEOMETRY = SpeechGeometry(16000)
NOISE = np.random.default_rng(0).normal(0, 1000, 16000)
CLIPS = arrays(np.int16, st.integers(1, 60))


def told(seed, mutant):
    given = [np.asarray(clip, np.int16) for clip in (seed, mutant)]
    return {name: float(values[0]) for name, values in GEOMETRY.distances(*([clip] for clip in given)).items()}


def test_noise_leads_and_the_ratio_to_it_is_in_db():
    assert dict(GEOMETRY.units) == {"noise_rms": "16-bit steps", "snr_db": "dB", "lsd_db": "dB"}
    distances = told([100, -100, 100, -100], [110, -110, 110, -110])
    assert distances["noise_rms"] == pytest.approx(10)
    assert distances["snr_db"] == pytest.approx(20)


def test_what_one_clip_lacks_is_silence_in_it():
    longer = told([30, 40], [30, 40, 0, 50])
    assert longer == told([30, 40, 0, 0], [30, 40, 0, 50])
    assert longer["noise_rms"] == pytest.approx(25)
    assert longer["snr_db"] == pytest.approx(0)
    assert told([30, 40, 0, 50], [30, 40])["noise_rms"] == pytest.approx(25)


def test_the_far_ends_of_16_bits_do_not_wrap():
    assert told([32767] * 4, [-32768] * 4)["noise_rms"] == 65535


@SOME
@given(CLIPS)
def test_a_clip_is_itself_at_the_ceiling_of_the_ratio(clip):
    assert told(clip, clip) == {"noise_rms": 0, "snr_db": CEILING_DB, "lsd_db": 0}


@SOME
@given(CLIPS, CLIPS)
def test_every_pair_has_finite_distances_within_their_bounds(seed, mutant):
    distances = told(seed, mutant)
    assert np.isfinite(list(distances.values())).all()
    assert distances["noise_rms"] >= 0
    assert distances["lsd_db"] >= 0
    assert -CEILING_DB <= distances["snr_db"] <= CEILING_DB


def test_a_silent_seed_has_the_lowest_ratio_to_any_noise():
    assert told([0, 0], [1, 0])["snr_db"] == -CEILING_DB
    assert told([5, 5], [0, 0])["snr_db"] == pytest.approx(0)


def test_ten_times_louder_is_20_db_in_every_frame_and_bin():
    loud = NOISE * 10  # so loud that no bin is below one step
    assert log_spectral_distance(loud, loud * 10, 16000) == pytest.approx(20, abs=0.01)


def test_white_noise_of_one_step_is_at_0_db():
    power = 10 ** (levels(NOISE, 16000) / 10)
    assert 10 * np.log10(power[:-1, 1:-1].mean()) == pytest.approx(60, abs=0.2)  # a root mean square of 1000 steps


def test_silence_is_at_0_db_so_that_it_is_near_what_is_hardly_there():
    silence = np.zeros(16000)
    assert (levels(silence, 16000) == 0).all()
    whisper = np.random.default_rng(1).integers(-1, 2, 16000).astype(float)
    assert log_spectral_distance(silence, whisper, 16000) < 3


def test_a_clip_shorter_than_a_window_is_one_frame():
    assert levels(np.ones(3), 16000).shape == (1, 201)
    assert levels(np.ones(401), 16000).shape == (2, 201)


def test_long_clips_are_measured_in_blocks_as_in_one():
    long = np.tile(NOISE, 50)  # more frames than a block has
    each = levels(long, 16000)
    assert len(each) == 4999
    direct = np.sqrt(np.mean((each - levels(long * 2, 16000)) ** 2, axis=1)).mean()
    assert log_spectral_distance(long, long * 2, 16000) == pytest.approx(direct)


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (slice(0, 100), "start"),
        (slice(150, 160), "middle"),
        (slice(299, 300), "end"),
        (slice(0, 150), "start"),
        (slice(50, 150), "first half"),
        (slice(150, 250), "second half"),
        (slice(0, 300), "everywhere"),
        (slice(0, 0), ""),
    ],
)
def test_regions_say_when_clips_differ(where, name):
    seed, mutant = np.zeros(300, np.int16), np.zeros(300, np.int16)
    mutant[where] = 10
    assert GEOMETRY.regions([seed, seed], [mutant, seed]) == [name, ""]


def test_a_longer_clip_differs_at_its_end():
    assert GEOMETRY.regions([np.full(300, 9, np.int16)], [np.full(400, 9, np.int16)]) == ["end"]
