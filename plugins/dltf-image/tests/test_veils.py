"""Haze, occlusion and JPEG files: values worked by hand."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from dltf.plugin import MisfitError
from dltf_image.operators.haze import Haze
from dltf_image.operators.jpeg_compression import JpegCompression
from dltf_image.operators.occlusion import Occlusion

GREY = np.full((1, 4, 4, 1), 100, np.uint8)
CORNER = {"left_px": [0.0], "top_px": [1.0], "width_px": [2.0], "height_px": [2.0], "level": [200]}


def applied(operator, sample, strength=1.0, /, **draw):
    draws = {name: np.array(value) for name, value in draw.items()}
    return operator.apply(sample, draws, np.array([strength]))


def test_an_even_haze_is_a_blend_with_light_grey():
    thick, thin = np.ones((1, 4, 4)), np.zeros((1, 4, 4))
    assert (applied(Haze(light_level=200), GREY, density=[0.6], field=thick) == 160).all()
    assert (applied(Haze(light_level=200), GREY, density=[0.6], field=thin) == 130).all()
    assert (applied(Haze(light_level=200), GREY, 0.5, density=[0.6], field=thick) == 130).all()


def test_haze_changes_smoothly_between_what_was_drawn():
    # Seen in a row of 300 pixels: from knot to knot a third of the width, and half-way between two their mean.
    knots = np.tile([0.0, 1.0, 1.0, 0.0], (1, 4, 1))
    hazy = applied(Haze(light_level=200), np.zeros((1, 4, 300, 1), np.uint8), density=[1.0], field=knots)[0, 0, :, 0]
    assert (hazy[0], hazy[150], hazy[299]) == (100, 200, 100)
    assert abs(int(hazy[50]) - 150) <= 2
    assert np.abs(np.diff(hazy.astype(int))).max() <= 2
    turned = applied(
        Haze(light_level=200), np.zeros((1, 300, 4, 1), np.uint8), density=[1.0], field=knots.swapaxes(1, 2)
    )
    assert np.array_equal(turned[0, :, 0, 0], hazy)


def test_a_rectangle_covers_whole_pixels():
    covered = applied(Occlusion(), GREY, **CORNER)[0, :, :, 0]
    expected = np.full((4, 4), 100)
    expected[1:3, :2] = 200
    assert np.array_equal(covered, expected)


def test_a_quarter_of_a_rectangle_is_half_as_wide_and_half_as_high_about_its_middle():
    covered = applied(Occlusion(), GREY, 0.25, **CORNER)[0, :, :, 0]
    expected = np.full((4, 4), 100)
    expected[1:3, :2] = 125  # 1 pixel of area, a quarter of it in each of the four
    assert np.array_equal(covered, expected)


def test_rectangles_lie_within_the_picture():
    streams = [np.random.default_rng(case) for case in range(500)]
    draws = Occlusion(max_side=0.5).draw(np.zeros((500, 10, 30, 1), np.uint8), streams)
    for start, length, side in (("left_px", "width_px", 30), ("top_px", "height_px", 10)):
        assert draws[start].min() >= 0
        assert (draws[start] + draws[length]).max() <= side
        assert 0.49 * side < draws[length].max() < 0.5 * side
    assert (draws["level"].min(), draws["level"].max()) == (0, 255)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_full_strength_is_what_a_jpeg_file_of_that_quality_holds(channels, mode):
    y, x = np.mgrid[:24, :40]
    waves = [128 + 90 * np.sin(x / (3 + channel)) * np.cos(y / 5) for channel in range(channels)]
    sample = np.rint(np.stack(waves, axis=2)).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(sample.squeeze()).save(file, "JPEG", quality=30)
    picture = Image.open(file)
    assert picture.mode == mode
    expected = np.asarray(picture).reshape(sample.shape)
    mutant = applied(JpegCompression(), sample[np.newaxis], quality=[30])[0]
    # Two libraries' colours: the same coefficients, rounded on their own.
    assert np.abs(mutant.astype(int) - expected).max() <= 2 * (channels == 3)
    half = applied(JpegCompression(), sample[np.newaxis], 0.5, quality=[30])[0]
    assert np.array_equal(half, np.rint((sample.astype(float) + mutant) / 2))


def test_every_quality_is_drawn():
    streams = [np.random.default_rng(case) for case in range(400)]
    draws = JpegCompression(min_quality=40, max_quality=44).draw(np.zeros((400, 8, 8, 1), np.uint8), streams)
    assert set(draws["quality"].tolist()) == {40, 41, 42, 43, 44}


def test_a_picture_that_no_jpeg_file_holds_is_a_misfit():
    with pytest.raises(MisfitError, match=r"1×70000 cannot be a JPEG file"):
        applied(JpegCompression(), np.zeros((1, 1, 70_000, 1), np.uint8), quality=[50])


@pytest.mark.parametrize(
    ("operator", "settings", "told"),
    [
        (Haze, {"max_density": 1.5}, "max_density"),
        (Haze, {"light_level": 256}, "light_level"),
        (Occlusion, {"max_side": 0.0}, "max_side"),
        (JpegCompression, {"min_quality": 0}, "min_quality"),
        (JpegCompression, {"min_quality": 60, "max_quality": 50}, "must not be below min_quality, 60: 50"),
    ],
)
def test_settings_out_of_range_are_refused(operator, settings, told):
    with pytest.raises(ValueError, match=told):
        operator(**settings)
