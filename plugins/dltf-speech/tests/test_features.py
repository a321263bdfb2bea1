"""Front ends against librosa, and what each named convention means."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from prepared_clips import ANY_SOUND, clips, prepared

from dltf.plugin import TensorSpec
from dltf_speech.features.spectrum import mel_bands

# --- against librosa --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize("norm", ["none", "slaney"])
@pytest.mark.parametrize(
    ("rate", "n_fft", "count", "low", "high"), [(16000, 512, 40, 20.0, 4000.0), (8000, 256, 23, 0.0, 4000.0)]
)
def test_mel_bands_are_those_of_librosa(scale, norm, rate, n_fft, count, low, high):
    theirs = librosa.filters.mel(
        sr=rate,
        n_fft=n_fft,
        n_mels=count,
        fmin=low,
        fmax=high,
        htk=scale == "htk",
        norm=None if norm == "none" else norm,
        dtype=np.float64,
    )
    ours = mel_bands(rate, n_fft, count, (low, high), scale, norm, "hz")
    np.testing.assert_allclose(ours, theirs.T, atol=1e-12)


@pytest.mark.parametrize("centring", ["none", "zeros", "reflect"])
@pytest.mark.parametrize(("spectrum", "power"), [("power", 2.0), ("magnitude", 1.0)])
@pytest.mark.parametrize("window_samples", [400, 512, 333])
def test_mel_spectra_are_those_of_librosa(centring, spectrum, power, window_samples):
    clip = clips(7001)[0]
    theirs = librosa.feature.melspectrogram(
        y=clip / 32768,
        sr=16000,
        n_fft=512,
        hop_length=160,
        win_length=window_samples,
        center=centring != "none",
        pad_mode="reflect" if centring == "reflect" else "constant",
        power=power,
        n_mels=40,
        fmin=20.0,
        dtype=np.float64,
    )
    [ours] = prepared(
        [clip],
        features="log_mel",
        window_samples=window_samples,
        hop_samples=160,
        n_fft=512,
        centring=centring,
        spectrum=spectrum,
        fmin_hz=20.0,
        mel_scale="slaney",
        mel_norm="slaney",
        log="none",
    )
    np.testing.assert_allclose(ours, theirs.T, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("dct_norm", ["ortho", "none"])
def test_mfccs_are_those_of_librosa(dct_norm):
    clip = clips(9000)[0]
    theirs = librosa.feature.mfcc(
        y=clip / 32768,
        sr=16000,
        n_mfcc=20,
        norm="ortho" if dct_norm == "ortho" else None,
        n_fft=512,
        hop_length=160,
        win_length=400,
        n_mels=40,
        dtype=np.float64,
    )
    [ours] = prepared(
        [clip],
        TensorSpec("mfcc", (None, 20, None), "float64"),
        features="mfcc",
        n_mfcc=20,
        dct_norm=dct_norm,
        centring="zeros",
        mel_scale="slaney",
        mel_norm="slaney",
        log="db",
        log_offset=0.0,
        log_floor=1e-10,
        top_db=80.0,
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


# --- conventions, one by one ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("symmetric", [False, True])
def test_a_window_is_periodic_or_symmetric(symmetric):
    impulse = np.zeros(8, dtype=np.int16)
    impulse[5] = 16384  # a spectrum of an impulse is flat: the window's value there
    [ours] = prepared(
        [impulse],
        TensorSpec("frames", (None, None, 1), "float64"),
        features="log_mel",
        window_samples=8,
        hop_samples=8,
        n_fft=8,
        periodic=not symmetric,
        spectrum="magnitude",
        n_mels=1,
        log="none",
    )
    weights = mel_bands(16000, 8, 1, (0.0, 8000.0), "htk", "none", "hz").sum()
    window = 0.5 - 0.5 * np.cos(2 * np.pi * 5 / (7 if symmetric else 8))
    np.testing.assert_allclose(ours, [[0.5 * window * weights]])


def test_triangles_are_straight_over_hertz_or_over_mels():
    hertz = mel_bands(16000, 512, 4, (0.0, 8000.0), "htk", "none", "hz")
    mels = mel_bands(16000, 512, 4, (0.0, 8000.0), "htk", "none", "mel")
    top = 2595 * np.log10(1 + 8000 / 700)
    at = 2595 * np.log10(1 + np.arange(257) * 31.25 / 700)
    np.testing.assert_allclose(mels[:, 1], np.maximum(0, 1 - np.abs(at / (top / 5) - 2)), atol=1e-12)
    assert (mels != hertz).any()


def test_frames_as_long_as_the_window_begin_where_the_clip_begins():
    clip = clips(16000)
    keys = {"features": "log_mel", "window_samples": 480, "hop_samples": 320, "n_fft": 512}
    [of_window] = prepared(clip, frames="window", **keys)
    [of_fft] = prepared([np.pad(clip[0], (16, 16))], frames="n_fft", **keys)
    np.testing.assert_allclose(of_window, of_fft, rtol=1e-9)  # the phase alone differs


@pytest.mark.parametrize(
    ("scale", "wanted"),
    [
        ("none", [-4.0, 2.0, 0.0]),
        ("int16", [-4 / 32768, 2 / 32768, 0.0]),
        ("peak", [-1.0, 0.5, 0.0]),
        ("maximum", [-2.0, 1.0, 0.0]),
    ],
)
def test_a_waveform_is_scaled_as_told(scale, wanted):
    [ours] = prepared([np.array([-4, 2, 0], dtype=np.int16)], ANY_SOUND, scale=scale)
    np.testing.assert_allclose(ours, np.array(wanted, dtype=np.float32))


def test_a_standard_waveform_has_no_mean_and_a_deviation_of_1():
    [ours] = prepared(clips(4000), ANY_SOUND, scale="standard")
    assert abs(ours.mean()) < 1e-6
    assert ours.std() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("scale", ["peak", "maximum", "standard", "int16", "none"])
def test_silence_stays_silence(scale):
    [ours] = prepared([np.zeros(40, dtype=np.int16)], ANY_SOUND, scale=scale)
    np.testing.assert_array_equal(ours, np.zeros(40, dtype=np.float32))


def test_the_smallest_value_has_a_magnitude():
    [ours] = prepared([np.array([-32768, 0], dtype=np.int16)], ANY_SOUND, scale="peak")
    np.testing.assert_array_equal(ours, [-1.0, 0.0])


def test_pre_emphasis_leaves_the_first_value():
    [ours] = prepared([np.array([100, 100, 50], dtype=np.int16)], ANY_SOUND, scale="none", pre_emphasis=0.5)
    np.testing.assert_array_equal(ours, [100.0, 50.0, 0.0])


@pytest.mark.parametrize(("log", "base"), [("log10", 10.0), ("db", 10**0.1)])
def test_logarithms_differ_by_their_base(log, base):
    [natural] = prepared(clips(3000), features="log_mel")
    [other] = prepared(clips(3000), features="log_mel", log=log)
    np.testing.assert_allclose(other * np.log(base), natural, rtol=1e-9)


def test_each_feature_can_be_brought_to_mean_0_and_deviation_1():
    [ours] = prepared(clips(8000), features="log_mel", normalise="per_feature")
    np.testing.assert_allclose(ours.mean(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(ours.std(axis=0, ddof=1), 1.0, rtol=1e-4)
    [ours] = prepared(clips(8000), features="log_mel", normalise="mean", mean=1.0, std=tuple([2.0] * 40))
    np.testing.assert_allclose(ours.mean(axis=0), -0.5)


def test_one_frame_can_be_normalised():
    [ours] = prepared(clips(512), features="log_mel", normalise="per_feature")
    np.testing.assert_array_equal(ours, np.zeros((1, 40)))
