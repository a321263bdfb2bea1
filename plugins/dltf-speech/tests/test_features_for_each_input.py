"""What a model input takes: layouts, dtypes, misfits, and suggestions where no profile says."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve
from prepared_clips import ANY_FRAMES, ANY_SOUND, clips, prepared

from dltf.plugin import MisfitError, Quantisation, TensorSpec
from dltf_speech.features.settings import SpeechInput
from dltf_speech.features.tensors import Features

# --- shapes and dtypes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((None, None, 40), "NTF"),
        ((1, 40, None), "NFT"),
        ((None, 11, 40, 1), "NTFC"),
        ((None, 40, 11, 1), "NFTC"),
        ((1, 1, None, 40), "NCTF"),
        ((1, 1, 40, None), "NCFT"),
        ((1, 440), "flat"),
        ((1, None), "flat"),
    ],
)
def test_the_layout_is_read_from_the_shape(shape, layout):
    spec = TensorSpec("a", shape, "float32")
    keys = {"features": "log_mel"}
    assert Features(16000).bind([spec], SpeechInput(**keys)).settings["layout"] == layout
    [ours] = prepared(clips(2112), spec, **keys)
    [plain] = prepared(clips(2112), TensorSpec("a", (None, None, 40), "float32"), **keys)
    assert plain.shape == (11, 40)
    assert all(told in (None, size) for told, size in zip(shape[1:], ours.shape, strict=True))
    by_time = (
        ours.T if layout == "NFT" else ours[0].T if layout == "NCFT" else ours[:, :, 0].T if layout == "NFTC" else ours
    )
    np.testing.assert_array_equal(by_time.reshape(11, 40), plain)


@pytest.mark.parametrize(
    ("shape", "wanted"), [((1, 1, None), (1, 300)), ((1, None, 1), (300, 1)), ((None, 300), (300,))]
)
def test_a_waveform_may_have_a_channel_axis(shape, wanted):
    [ours] = prepared(clips(300), TensorSpec("sound", shape, "float32"))
    assert ours.shape == wanted


@pytest.mark.parametrize("shape", [(None, None, None), (1, 40, 40)])
def test_a_layout_that_is_not_clear_is_asked_for(shape):
    spec = TensorSpec("a", shape, "float32")
    with pytest.raises(MisfitError, match="laid out as NTF or NFT"):
        Features(16000).bind([spec], SpeechInput(features="log_mel"))
    assert Features(16000).bind([spec], SpeechInput(features="log_mel", layout="NFT")).settings["layout"] == "NFT"


@pytest.mark.parametrize(
    ("shape", "dtype", "keys", "wrong"),
    [
        ((None, None, 40), "float32", {}, "does not tell what"),
        ((None, 32, 64), "float32", {"features": "log_mel"}, "does not take log_mel frames of 40 features"),
        (
            (None, None, 64),
            "float32",
            {"features": "log_mel"},
            "could take log_mel frames of 40 features laid out as NFT",
        ),
        ((None, 40, None), "float32", {"features": "log_mel", "layout": "NFT", "n_mels": 64}, "laid out as NFT"),
        ((None, None), "int16", {}, "takes integers and declares no quantisation"),
        ((None, None, 40), "float32", {"features": "log_mel", "fmax_hz": 8001.0}, "do not fit 16000 Hz"),
        ((None, None, 40), "float32", {"features": "log_mel", "n_fft": 256}, "does not fit an FFT of 256"),
        ((None, None, 40), "float32", {"features": "log_mel", "mean": (1.0, 2.0)}, "mean has 2 numbers"),
        ((None, 2, 3, 4, 5), "float32", {"features": "waveform"}, "does not take a waveform"),
    ],
)
def test_what_does_not_go_together_is_a_misfit(shape, dtype, keys, wrong):
    with pytest.raises(MisfitError, match=wrong):
        Features(16000).bind([TensorSpec("a", shape, dtype)], SpeechInput(**keys))


def test_a_quantised_input_gets_real_numbers_and_a_plain_one_the_samples():
    quantised = TensorSpec("sound", (None, None), "int8", Quantisation(1 / 128, 0))
    assert prepared(clips(100), quantised)[0].dtype == np.float32
    [ours] = prepared(clips(100), TensorSpec("sound", (None, None), "int16"), scale="none")
    assert ours.dtype == np.int16
    np.testing.assert_array_equal(ours, clips(100)[0])


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"features": "mel"}, "'features' must be in"),
        ({"rate_hz": 0}, "'rate_hz' must be"),
        ({"log_offset": 0.0}, "'log_offset' must be above 0"),
        ({"top_db": 80.0}, "'top_db' needs log"),
        ({"features": "mfcc", "n_mfcc": 41}, "'n_mfcc' must be at most 40"),
        ({"fmin_hz": 100.0, "fmax_hz": 100.0}, "'fmax_hz' must be above"),
        ({"pre_emphasis": 1.0}, "'pre_emphasis' must be"),
        ({"std": 0.0}, "'std' must be above 0"),
        ({"mean": (float("nan"),)}, "'mean' must be one number"),
        ({"pad_multiple": 0}, "'pad_multiple' must be"),
    ],
)
def test_settings_are_checked_at_once(keys, wrong):
    with pytest.raises(ValueError, match=wrong):
        SpeechInput(**keys)


def test_the_record_has_every_number_that_mattered_and_no_other():
    record = Features(8000).bind([ANY_FRAMES], SpeechInput(features="log_mel")).settings
    assert {key: record[key] for key in ("rate_hz", "window_samples", "hop_samples", "n_fft", "fmax_hz", "layout")} == {
        "rate_hz": 8000,
        "window_samples": 200,
        "hop_samples": 80,
        "n_fft": 256,
        "fmax_hz": 4000.0,
        "layout": "NTF",
    }
    assert not {"n_mfcc", "dct_norm", "samples"} & set(record)
    assert set(Features(8000).bind([ANY_SOUND], SpeechInput()).settings) == {
        *("features", "rate_hz", "resample", "short", "long", "pad_multiple", "scale", "pre_emphasis", "layout")
    }


# --- suggestions ------------------------------------------------------------------------------------------------------


def test_a_waveform_is_read_from_the_shape():
    suggested = Features(16000).suggest([ANY_SOUND], SpeechInput(), clips(300))
    assert suggested[0].settings == SpeechInput(features="waveform")
    assert suggested[0].guesses == ()


def test_a_keyword_model_is_offered_mlperf_tinys_front_end_for_clips_of_any_length_and_rate():
    spec = TensorSpec("frames", (1, 49, 10, 1), "float32")
    first = Features(8000).suggest([spec], SpeechInput(), clips(3000, 9000))[0]
    assert (first.settings.features, first.settings.resample, first.settings.samples) == ("mfcc", True, 16000)
    assert "features" in first.guesses
    bound = Features(8000).bind([spec], first.settings)
    assert [tensors["frames"].shape for _, tensors in bound(clips(3000, 9000))] == [(2, 49, 10, 1)]


def test_frames_of_mel_bands_are_offered_as_many_as_the_model_takes():
    spec = TensorSpec("frames", (None, 64, None), "float32")
    suggested = Features(16000).suggest([spec], SpeechInput(), clips(3000))
    assert [one.settings.n_mels for one in suggested] == [64, 64]
    for one in suggested:
        assert Features(16000).bind([spec], one.settings)(clips(3000))


def test_what_is_set_is_left_as_it_is():
    given = SpeechInput(features="log_mel", hop_samples=100)
    assert Features(16000).suggest([ANY_FRAMES], given, clips(3000))[0].settings == given
    first = Features(16000).suggest([ANY_SOUND], evolve(SpeechInput(), scale="peak"), clips(300))[0]
    assert first.settings.scale == "peak"


def test_a_model_of_pictures_is_a_misfit():
    with pytest.raises(MisfitError):
        Features(16000).suggest([TensorSpec("a", (1, 3, 224, 224, 2), "float32")], SpeechInput(), clips(300))
