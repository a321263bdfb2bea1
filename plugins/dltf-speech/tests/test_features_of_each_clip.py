"""Clips of any length and rate: each prepared by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prepared_clips import ANY_SOUND, clips, prepared

from dltf.plugin import MisfitError, TensorSpec
from dltf_speech.features.settings import SpeechInput
from dltf_speech.features.tensors import Features

# --- lengths and rates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "keys", "wanted"),
    [
        ([1, 2, 3], {"short": "pad_end"}, [1, 2, 3, 0, 0, 0]),
        ([1, 2, 3], {"short": "pad_centre"}, [0, 1, 2, 3, 0, 0]),
        (range(9), {"long": "cut_end"}, [0, 1, 2, 3, 4, 5]),
        (range(9), {"long": "cut_centre"}, [1, 2, 3, 4, 5, 6]),
        (range(6), {}, range(6)),
        (range(6), {"pad_multiple": 4}, [0, 1, 2, 3, 4, 5, 0, 0]),
    ],
)
def test_a_clip_is_cut_and_padded_as_told(given, keys, wanted):
    [ours] = prepared([np.array(given, dtype=np.int16)], ANY_SOUND, samples=6, scale="none", **keys)
    np.testing.assert_array_equal(ours, wanted)


@pytest.mark.parametrize("length", [15999, 16001])
def test_a_clip_of_another_length_is_refused_with_the_cure(length):
    spec = TensorSpec("frames", (1, 49, 10, 1), "float32")
    keys = {"features": "mfcc", "n_mfcc": 10, "window_samples": 480, "hop_samples": 320, "n_fft": 512}
    with pytest.raises(
        MisfitError, match=rf"clip of {length} samples .* takes 16000[^$]*add samples = 16000 and (short|long)"
    ):
        prepared([np.zeros(length, dtype=np.int16)], spec, samples=16000, **keys)
    with pytest.raises(MisfitError, match=r"makes 24 frames; .* takes 49"):
        prepared([np.zeros(8000, dtype=np.int16)], spec, frames="window", **keys)


def test_the_length_that_a_misfit_names_is_one_that_fits():
    spec = TensorSpec("frames", (None, 49, 40), "float32")
    with pytest.raises(MisfitError) as caught:
        prepared(clips(9000), spec, features="log_mel")
    least = int(caught.value.hint.partition("samples = ")[2].partition(",")[0])
    [ours] = prepared(clips(9000), spec, features="log_mel", samples=least, short="pad_end", long="cut_end")
    assert ours.shape == (49, 40)


def test_a_waveform_of_another_length_than_the_model_takes_is_refused():
    with pytest.raises(MisfitError, match=r"clip of 5 samples .* takes 6 "):
        prepared([np.zeros(5, dtype=np.int16)], TensorSpec("sound", (None, 6), "float32"))


@pytest.mark.parametrize(("length", "keys"), [(0, {}), (511, {}), (256, {"centring": "reflect"})])
def test_a_clip_without_a_frame_is_refused(length, keys):
    with pytest.raises(MisfitError, match=r"a clip (without a single sample|of .* is too short)"):
        prepared([np.zeros(length, dtype=np.int16)], features="log_mel", **keys)


def test_another_rate_is_refused_with_both_rates_and_both_cures():
    with pytest.raises(MisfitError, match="takes clips of 16000 Hz, and those of the campaign have 8000 Hz") as caught:
        Features(8000).bind([ANY_SOUND], SpeechInput(rate_hz=16000))
    assert "resample = true" in caught.value.hint
    assert "rate_hz = 16000" in caught.value.hint


def test_resampling_keeps_the_tone_and_is_told():
    t = np.arange(8000) / 8000
    tone = (10000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16)
    bound = Features(8000).bind([ANY_SOUND], SpeechInput(rate_hz=16000, resample=True))
    assert bound.settings["resampled"] == "8000 Hz to 16000 Hz, by a polyphase filter"
    [(_, tensors)] = bound([tone])
    ours = tensors["sound"][0]
    assert ours.shape == (16000,)
    wanted = 10000 / 32768 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    np.testing.assert_allclose(ours[1000:-1000], wanted[1000:-1000], atol=2e-3)


# --- whoever is beside ------------------------------------------------------------------------------------------------

FRONT_ENDS = {
    "waveform": (ANY_SOUND, {"scale": "standard", "pre_emphasis": 0.97}),
    "resampled": (ANY_SOUND, {"rate_hz": 11025, "resample": True, "scale": "peak"}),
    "log_mel": (TensorSpec("a", (None, None, 40), "float32"), {"features": "log_mel", "normalise": "per_feature"}),
    "padded": (
        TensorSpec("a", (None, 64, None), "float32"),
        {"features": "log_mel", "n_mels": 64, "pad_multiple": 1600},
    ),
    "mfcc": (
        TensorSpec("a", (None, None, 13, 1), "float32"),
        {"features": "mfcc", "normalise": "all", "log": "db", "top_db": 80.0},
    ),
}


@pytest.mark.parametrize("name", FRONT_ENDS)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([1600, 1601, 2400, 3200]), min_size=1, max_size=12), st.integers(0, 99))
def test_a_clip_is_prepared_to_the_same_bits_alone_and_among_others(name, lengths, seed):
    spec, keys = FRONT_ENDS[name]
    samples = clips(*lengths, seed=seed)
    together = prepared(samples, spec, **keys)
    for sample, ours in zip(samples, together, strict=True):
        [alone] = prepared([sample], spec, **keys)
        assert ours.tobytes() == alone.tobytes()


def test_clips_that_are_padded_to_one_length_form_one_batch():
    bound = Features(16000).bind([ANY_SOUND], SpeechInput(pad_multiple=1000))
    groups = bound(clips(900, 1000, 1001, 300))
    assert [(rows.tolist(), tensors["sound"].shape) for rows, tensors in groups] == [
        ([0, 1, 3], (3, 1000)),
        ([2], (1, 2000)),
    ]


def test_samples_are_left_as_they_were():
    samples = clips(3000)
    before = samples[0].copy()
    prepared(samples, ANY_SOUND, scale="none", pre_emphasis=0.9)
    np.testing.assert_array_equal(samples[0], before)
