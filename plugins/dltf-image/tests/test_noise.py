"""Noise: worked by hand where values leave the range, and counted where they are many."""

from __future__ import annotations

import numpy as np
import pytest

from dltf_image.operators.gaussian_noise import GaussianNoise
from dltf_image.operators.multiplicative_noise import MultiplicativeNoise

ONE = np.ones(1)


def row(*values, dtype=np.uint8):
    return np.array(values, dtype).reshape(1, 1, -1, 1)


# Truncation is towards zero, so -0.9 comes to 0 before anything wraps.
@pytest.mark.parametrize(
    ("overflow", "expected"), [("wrap", [0, 255, 254, 99, 100, 0, 4]), ("clip", [0, 0, 0, 99, 100, 255, 255])]
)
def test_gaussian_noise_truncates_then_wraps_or_is_clipped(overflow, expected):
    noise = row(-0.9, -1.2, -2.0, -0.1, 0.9, 1.0, 5.5, dtype=np.float32)
    mutant = GaussianNoise(overflow=overflow).apply(row(0, 0, 0, 100, 100, 255, 255), {"noise": noise}, ONE)
    assert mutant.ravel().tolist() == expected


@pytest.mark.parametrize(("overflow", "expected"), [("wrap", [44, 150, 0, 206]), ("clip", [255, 150, 0, 0])])
def test_multiplicative_noise_wraps_or_is_clipped(overflow, expected):
    gain = row(0.5, 0.5, 7.0, -1.5, dtype=np.float32)
    mutant = MultiplicativeNoise(overflow=overflow).apply(row(200, 100, 0, 100), {"gain": gain}, ONE)
    assert mutant.ravel().tolist() == expected


def test_strength_scales_the_amplitude_of_the_noise():
    noise = row(8, -8, dtype=np.float32)
    mutant = GaussianNoise(overflow="clip").apply(row(100, 100), {"noise": noise}, np.array([0.25]))
    assert mutant.ravel().tolist() == [102, 98]
    gain = row(0.5, -0.5, dtype=np.float32)
    mutant = MultiplicativeNoise().apply(row(100, 100), {"gain": gain}, np.array([0.5]))
    assert mutant.ravel().tolist() == [125, 75]


def test_released_gaussian_noise_lowers_half_of_the_values_by_one():
    batch = np.full((20, 28, 28, 1), 100, np.uint8)
    operator = GaussianNoise()
    mutants = operator.apply(batch, operator.draw(batch, _streams(20)), np.ones(20))
    assert (mutants == 99).mean() == pytest.approx(0.4997, abs=0.02)
    assert ((mutants == 99) | (mutants == 100)).mean() > 0.99


def test_released_multiplicative_noise_wraps_as_often_as_measured():
    operator = MultiplicativeNoise()
    for level, share in ((200, 0.22), (250, 0.46)):
        batch = np.full((4000, 4, 4, 1), level, np.uint8)
        draws = operator.draw(batch, _streams(4000))
        past_white = batch * (1 + draws["gain"]) >= 256
        assert past_white.mean() == pytest.approx(share, abs=0.02)


def test_multiplicative_draws_stay_in_their_ranges():
    operator = MultiplicativeNoise()
    draws = operator.draw(np.zeros((500, 8, 8, 1), np.uint8), _streams(500))
    assert -0.5 <= draws["mean"].min() < -0.45
    assert 0.45 < draws["mean"].max() < 0.5
    assert 0 <= draws["variance"].min() < 0.005
    assert 0.045 < draws["variance"].max() < 0.05
    assert np.allclose(draws["gain"].mean(axis=(1, 2, 3)), draws["mean"], atol=0.15)


@pytest.mark.parametrize("settings", [{"variance": 0.0}, {"variance": -1.0}, {"overflow": "saturate"}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        GaussianNoise(**settings)


def _streams(count):
    return [np.random.default_rng(case) for case in range(count)]
