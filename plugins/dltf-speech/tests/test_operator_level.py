"""Gain and clipping, worked by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from dltf_speech.operators.clipping import Clipping
from dltf_speech.operators.gain import Gain

HALF_DB = -6.020599913279624


def louder(values, gain_db, strength=1.0):
    batch = np.array([values], np.int16)
    return Gain().apply(batch, {"gain_db": np.array([gain_db])}, np.array([strength]))[0].tolist()


def clipped(values, percent, strength=1.0):
    batch = np.array([values], np.int16)
    return Clipping().apply(batch, {"percent": np.array([percent])}, np.array([strength]))[0].tolist()


def test_6_decibels_less_halve():
    assert louder([0, 2, -2, 1000, -32768, 32766], HALF_DB) == [0, 1, -1, 500, -16384, 16383]
    assert louder([0, 1, -1, 500, -16384, 16383], -HALF_DB) == [0, 2, -2, 1000, -32768, 32766]


def test_what_is_driven_beyond_full_scale_saturates_and_never_wraps():
    assert louder([20000, -20000, 32767, -32768, 100], 12.0) == [32767, -32768, 32767, -32768, 398]


def test_strength_scales_the_decibels():
    assert louder([4000], 2 * HALF_DB, 0.5) == [2000]
    assert louder([4000], 2 * HALF_DB, 1.0) == [1000]
    amounts, unit = Gain().amounts({"gain_db": np.array([-12.0, 6.0])}, np.array([0.5, 1.0]))
    assert (amounts.tolist(), unit) == ([6.0, 6.0], "dB")


def test_the_outermost_values_come_to_the_percentiles():
    values = list(range(-50, 51))  # percentile p is p - 50
    assert clipped(values, 20.0) == [max(-40, min(40, value)) for value in values]
    assert clipped(values, 20.0, 0.5) == [max(-45, min(45, value)) for value in values]
    assert clipped(values, 1.0) == [max(-50, min(50, value)) for value in values]  # to -49.5, which is nearest to -50
    assert clipped(values, 3.0) == [max(-48, min(48, value)) for value in values]  # to -48.5


def test_clipping_tells_its_percentage():
    amounts, unit = Clipping().amounts({"percent": np.array([40.0])}, np.array([0.25]))
    assert (amounts.tolist(), unit) == ([10.0], "%")


def test_clipping_cuts_more_the_stronger_it_is():
    batch = np.random.default_rng(0).normal(0, 4000, (1, 8000)).astype(np.int16)
    peaks = [
        np.abs(Clipping().apply(batch, {"percent": np.array([40.0])}, np.array([strength]))).max()
        for strength in np.linspace(0, 1, 21)
    ]
    assert all(peak > weaker for peak, weaker in pairwise(peaks))


@pytest.mark.parametrize(
    ("make", "settings", "told"),
    [
        (Gain, {"min_gain_db": 13.0}, "must not be below min_gain_db, 13.0"),
        (Gain, {"max_gain_db": 200.0}, "-96 to 96"),
        (Gain, {"max_gain_db": float("inf")}, "max_gain_db"),
        (Clipping, {"max_percent": 100.0}, "max_percent"),
        (Clipping, {"max_percent": 0.0}, "max_percent"),
        (Clipping, {"min_percent": -1.0}, "min_percent"),
        (Clipping, {"min_percent": 50.0}, "must not be below min_percent, 50.0"),
    ],
)
def test_impossible_settings_are_refused(make, settings, told):
    with pytest.raises(ValueError, match=told):
        make(**settings)
