"""Rotation, translation, scale and shear: pictures moved by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dltf_image.operators.rotation import Rotation
from dltf_image.operators.scale import Scale
from dltf_image.operators.shear import Shear
from dltf_image.operators.translation import Translation

NOISE = np.random.default_rng(0).integers(0, 256, (5, 5, 3)).astype(np.uint8)


def applied(operator, sample, strength=1.0, /, **draw):
    draws = {name: np.array([value]) for name, value in draw.items()}
    return operator.apply(np.asarray(sample, np.uint8)[np.newaxis], draws, np.array([strength]))[0]


def row(*values):
    return np.array(values, np.uint8).reshape(1, -1, 1)


@pytest.mark.parametrize(("angle_deg", "quarters"), [(90.0, 1), (180.0, 2), (-90.0, 3)])
@pytest.mark.parametrize("side", [4, 5])
def test_a_quarter_turn_is_anticlockwise_and_loses_nothing(angle_deg, quarters, side):
    sample = NOISE[:side, :side]
    assert np.array_equal(applied(Rotation(180.0), sample, angle_deg=angle_deg), np.rot90(sample, quarters))


def test_half_the_strength_is_half_the_angle():
    half = applied(Rotation(180.0), NOISE, 0.5, angle_deg=180.0)
    assert np.array_equal(half, np.rot90(NOISE))


@pytest.mark.parametrize(
    ("border", "right", "left"),
    [
        ("reflect", [30, 20, 10, 20, 30], [30, 40, 50, 40, 30]),
        ("repeat", [10, 10, 10, 20, 30], [30, 40, 50, 50, 50]),
        ("black", [0, 0, 10, 20, 30], [30, 40, 50, 0, 0]),
    ],
)
def test_a_move_by_whole_pixels_copies_them_and_fills_as_told(border, right, left):
    sample, operator = row(10, 20, 30, 40, 50), Translation(border=border)
    assert applied(operator, sample, right_px=2.0, down_px=0.0).ravel().tolist() == right
    assert applied(operator, sample, right_px=-2.0, down_px=0.0).ravel().tolist() == left
    assert applied(operator, sample.swapaxes(0, 1), right_px=0.0, down_px=2.0).ravel().tolist() == right


def test_a_move_by_part_of_a_pixel_mixes_neighbours():
    moved = applied(Translation(border="repeat"), row(0, 100, 200), 0.25, right_px=1.0, down_px=0.0)
    assert moved.ravel().tolist() == [0, 75, 175]


def test_shifts_are_shares_of_the_width_and_the_height():
    streams = [np.random.default_rng(case) for case in range(400)]
    draws = Translation(max_shift=0.1).draw(np.zeros((400, 20, 50, 1), np.uint8), streams)
    assert 4.9 < np.abs(draws["right_px"]).max() < 5
    assert 1.95 < np.abs(draws["down_px"]).max() < 2


def test_twice_the_size_shows_the_middle_half():
    # Pixel x comes from 2 + (x - 2) / 2: 1, 1.5, 2, 2.5, 3
    assert applied(Scale(2.0), row(10, 20, 30, 40, 50), factor=2.0).ravel().tolist() == [20, 25, 30, 35, 40]


def test_half_the_size_is_filled_from_beside_it():
    # Pixel x comes from 2 + 2 (x - 2): -2, 0, 2, 4, 6
    halved = {
        border: applied(Scale(2.0, border=border), row(10, 20, 30, 40, 50), factor=0.5)
        for border in ("reflect", "black")
    }
    assert halved["reflect"].ravel().tolist() == [30, 10, 30, 50, 30]
    assert halved["black"].ravel().tolist() == [0, 10, 30, 50, 0]


def test_half_the_strength_is_the_root_of_the_factor():
    assert np.array_equal(applied(Scale(4.0), NOISE, 0.5, factor=4.0), applied(Scale(4.0), NOISE, factor=2.0))


def test_a_shear_slides_rows_by_their_height_and_columns_by_their_place():
    sample = np.zeros((3, 3, 1), np.uint8)
    sample[:, 1] = 200  # an upright line
    slanted = applied(Shear(border="black"), sample, right_deg=45.0, down_deg=0.0)
    assert slanted[:, :, 0].tolist() == [[200, 0, 0], [0, 200, 0], [0, 0, 200]]
    level = sample.swapaxes(0, 1)
    slanted = applied(Shear(border="black"), level, right_deg=0.0, down_deg=-45.0)
    assert slanted[:, :, 0].tolist() == [[0, 0, 200], [0, 200, 0], [200, 0, 0]]


@pytest.mark.parametrize(("at", "goes_to"), [((6, 0), (6, 3)), ((0, 6), (3, 6)), ((4, -4), (2, -2))])
def test_both_shears_at_once_are_one_map(at, goes_to):
    y, x = np.mgrid[-15:16, -15:16]
    spot = 200 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 4)[:, :, np.newaxis]
    half = float(np.degrees(np.arctan(0.5)))  # x + y / 2 and y + x / 2
    moved = applied(Shear(border="black"), spot, right_deg=half, down_deg=half)[:, :, 0].astype(float)
    middle = ((moved * x).sum() / moved.sum(), (moved * y).sum() / moved.sum())
    assert middle == pytest.approx(goes_to, abs=0.05)


@pytest.mark.parametrize(
    ("operator", "settings"),
    [
        (Rotation, {"max_angle_deg": 181.0}),
        (Translation, {"max_shift": 1.5}),
        (Scale, {"max_factor": 1.0}),
        (Shear, {"max_angle_deg": 45.0}),
        (Rotation, {"border": "mirror"}),
    ],
)
def test_settings_out_of_range_are_refused(operator, settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        operator(**settings)
