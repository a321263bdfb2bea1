"""Operators that change a few values: which, how many, and to what."""

from __future__ import annotations

import numpy as np
import pytest

from dltf_image.operators.pixel_change import PixelChange
from dltf_image.operators.salt_and_pepper import SaltAndPepper


def streams(count):
    return [np.random.default_rng(case) for case in range(count)]


@pytest.mark.parametrize(("shape", "half"), [((28, 28, 1), 2), ((32, 32, 3), 7), ((1, 1, 1), 1)])
def test_salt_and_pepper_counts_channel_values_and_rounds_up(shape, half):
    draws = SaltAndPepper().draw(np.zeros((3, *shape), np.uint8), streams(3))
    assert draws["salt"].shape == draws["pepper"].shape == (3, half)


def test_black_wins_where_salt_and_pepper_meet():
    sample = np.full((1, 1, 4, 1), 100, np.uint8)
    draws = {"salt": np.array([[0, 1]]), "pepper": np.array([[1, 2]])}
    assert SaltAndPepper().apply(sample, draws, np.ones(1)).ravel().tolist() == [255, 0, 0, 100]


def test_the_last_change_of_a_pixel_counts_and_those_past_the_count_do_not():
    sample = np.full((1, 1, 4, 1), 100, np.uint8)
    draws = {
        "count": np.array([3]),
        "positions": np.array([[1, 2, 1, 0]]),
        "values": np.array([[10, 20, 30, 40]], np.uint8),
    }
    assert PixelChange(max_values=4).apply(sample, draws, np.ones(1)).ravel().tolist() == [100, 30, 20, 100]


def test_a_strength_between_goes_part_of_the_way_and_is_rounded():
    sample = np.full((1, 1, 2, 1), 100, np.uint8)
    draws = {"salt": np.array([[0]]), "pepper": np.array([[1]])}
    assert SaltAndPepper().apply(sample, draws, np.array([0.25])).ravel().tolist() == [139, 75]  # 138.75


def test_zero_to_nine_values_change_all_counts_equally_often():
    draws = PixelChange().draw(np.zeros((2000, 28, 28, 1), np.uint8), streams(2000))
    counts = np.bincount(draws["count"])
    assert len(counts) == 10
    assert (np.abs(counts - 200) < 60).all()
    assert draws["positions"].min() >= 0
    assert draws["positions"].max() == 28 * 28 - 1
    assert set(np.unique(draws["values"])) == set(range(256))


@pytest.mark.parametrize("operator", [SaltAndPepper, PixelChange])
def test_settings_out_of_range_are_refused(operator):
    with pytest.raises(ValueError, match="must be"):
        operator(0)
