"""Brightness, contrast and gamma: values worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dltf_image.operators.brightness import Brightness
from dltf_image.operators.contrast import Contrast
from dltf_image.operators.gamma import Gamma

LEVELS = np.array([0, 50, 100, 250], np.uint8).reshape(1, 1, 4, 1)


def applied(operator, strength=1.0, /, **draw):
    draws = {name: np.array([value]) for name, value in draw.items()}
    return operator.apply(LEVELS, draws, np.array([strength])).ravel().tolist()


def test_brightness_adds_and_is_clipped():
    assert applied(Brightness(), change_levels=20.0) == [20, 70, 120, 255]
    assert applied(Brightness(), 0.5, change_levels=-60.0) == [0, 20, 70, 220]


def test_contrast_is_about_the_mean():
    # The mean is 100: 100 - 2 × 100 is below black, 100 - 2 × 50 = 0, 100 stays, 100 + 2 × 150 is above white.
    assert applied(Contrast(), factor=2.0) == [0, 0, 100, 255]
    assert applied(Contrast(), factor=0.5) == [50, 75, 100, 175]
    assert applied(Contrast(), 0.5, factor=0.5) == [25, 62, 100, 212]  # × 0.75; 62.5 and 212.5 go to the even number


def test_the_mean_of_colours_is_over_all_channels():
    sample = np.array([0, 60, 120], np.uint8).reshape(1, 1, 1, 3)
    mutant = Contrast().apply(sample, {"factor": np.array([0.5])}, np.ones(1))
    assert mutant.ravel().tolist() == [30, 60, 90]


def test_gamma_is_a_power_of_the_share_of_white():
    # 255 × (50 / 255)² = 9.8, (100 / 255)² = 39.2, (250 / 255)² = 245.1
    assert applied(Gamma(), gamma=2.0) == [0, 10, 39, 245]
    # half-way to 4 is 4 ^ ½ = 2
    assert applied(Gamma(max_gamma=4.0), 0.5, gamma=4.0) == [0, 10, 39, 245]
    # 255 × √(50 / 255) = 112.9, √(100 / 255) = 159.7, √(250 / 255) = 252.5
    assert applied(Gamma(), gamma=0.5) == [0, 113, 160, 252]


@pytest.mark.parametrize(
    ("operator", "name", "least", "most"),
    [(Brightness(), "change_levels", -60, 60), (Contrast(), "factor", 0.5, 2), (Gamma(3.0), "gamma", 1 / 3, 3)],
)
def test_draws_fill_their_range(operator, name, least, most):
    drawn = operator.draw(np.zeros((500, 2, 2, 1), np.uint8), [np.random.default_rng(case) for case in range(500)])
    assert least <= drawn[name].min() < least + 0.02 * (most - least)
    assert most - 0.02 * (most - least) < drawn[name].max() < most


def test_as_many_factors_lower_as_raise():
    drawn = Contrast().draw(np.zeros((500, 2, 2, 1), np.uint8), [np.random.default_rng(case) for case in range(500)])
    assert (drawn["factor"] < 1).mean() == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(
    ("operator", "value"), [(Brightness, 0.0), (Brightness, 256.0), (Contrast, 1.0), (Contrast, 101.0), (Gamma, 1.0)]
)
def test_settings_out_of_range_are_refused(operator, value):
    with pytest.raises(ValueError, match="'max_"):
        operator(value)
