"""Defocus and motion blur: kernels worked by hand, seen by blurring one bright pixel."""

from __future__ import annotations

import numpy as np
import pytest

from dltf_image.operators.defocus_blur import DefocusBlur
from dltf_image.operators.motion_blur import MotionBlur


def spread(operator, strength=1.0, /, **draw):
    dot = np.zeros((1, 7, 7, 1), np.uint8)
    dot[0, 3, 3] = 240
    draws = {name: np.array([value]) for name, value in draw.items()}
    return operator.apply(dot, draws, np.array([strength]))[0, :, :, 0]


def test_a_radius_of_one_pixel_is_a_small_disc():
    # Weights 1 at distances 0 and 1, and 2 - √2 = 0.586 at the corners: 7.343 in all.
    full, corner = 33, 19  # 240 / 7.343 = 32.7; × 0.586 = 19.1
    expected = [[corner, full, corner], [full, full, full], [corner, full, corner]]
    blurred = spread(DefocusBlur(), radius_px=1.0)
    assert blurred[2:5, 2:5].tolist() == expected
    assert blurred.sum() == blurred[2:5, 2:5].sum()


def test_half_the_strength_is_half_the_radius():
    # ½ at distance 1, and 1.5 - √2 = 0.086 at the corners: 3.343 in all.
    blurred = spread(DefocusBlur(), 0.5, radius_px=1.0)
    assert blurred[2:5, 2:5].tolist() == [[6, 36, 6], [36, 72, 36], [6, 36, 6]]


def test_a_level_motion_smears_sideways():
    # Nine points from -1 to 1, a quarter of a pixel apart: the middle has 1 + 2 (¾ + ½ + ¼) = 4 of 9, each side 2.5.
    blurred = spread(MotionBlur(), length_px=2.0, angle_deg=0.0)
    assert blurred[3].tolist() == [0, 0, 67, 107, 67, 0, 0]
    assert blurred.sum() == blurred[3].sum()
    upright = spread(MotionBlur(), length_px=2.0, angle_deg=90.0)
    assert np.array_equal(upright, blurred.T)


def test_a_motion_at_45_degrees_goes_up_to_the_right():
    blurred = spread(MotionBlur(), length_px=4.0, angle_deg=45.0).astype(int)
    assert blurred[2, 4] == blurred[4, 2] > 0
    assert blurred[2, 2] == blurred[4, 4] == 0
    assert blurred[1:6, 1:6].sum() == pytest.approx(240, abs=6)


def test_lengths_are_shares_of_the_shorter_side():
    streams = [np.random.default_rng(case) for case in range(400)]
    batch = np.zeros((400, 20, 50, 1), np.uint8)
    assert 0.98 < DefocusBlur(max_radius=0.05).draw(batch, streams)["radius_px"].max() < 1
    draws = MotionBlur(max_length=0.1).draw(batch, streams)
    assert 1.97 < draws["length_px"].max() < 2
    assert 0 <= draws["angle_deg"].min() < 2
    assert 178 < draws["angle_deg"].max() < 180


def test_a_plain_picture_stays_as_it_is():
    plain = np.full((1, 9, 9, 3), 93, np.uint8)
    assert (DefocusBlur().apply(plain, {"radius_px": np.array([2.7])}, np.ones(1)) == 93).all()
    draws = {"length_px": np.array([6.3]), "angle_deg": np.array([33.0])}
    assert (MotionBlur().apply(plain, draws, np.ones(1)) == 93).all()


def test_a_long_motion_in_a_large_picture_needs_little_memory():
    batch = np.zeros((1, 1500, 1500, 1), np.uint8)
    batch[0, 750, 750] = 255
    draws = {"length_px": np.array([300.0]), "angle_deg": np.array([0.0])}
    blurred = MotionBlur().apply(batch, draws, np.ones(1))
    assert set(np.flatnonzero(blurred[0, 750])) <= set(range(599, 902))


@pytest.mark.parametrize(("operator", "value"), [(DefocusBlur, 0.0), (DefocusBlur, 0.6), (MotionBlur, 1.1)])
def test_settings_out_of_range_are_refused(operator, value):
    with pytest.raises(ValueError, match="'max_"):
        operator(value)
