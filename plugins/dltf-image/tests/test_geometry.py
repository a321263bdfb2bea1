"""Distances, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dltf_image.geometry import ImageGeometry

GEOMETRY = ImageGeometry()


def test_rms_and_max_are_over_all_channel_values():
    seed = np.zeros((1, 2, 1), np.uint8)
    mutant = np.array([30, 40], np.uint8).reshape(1, 2, 1)
    distances = GEOMETRY.distances([seed], [mutant])
    assert distances["rms"].tolist() == [pytest.approx(np.sqrt(1250))]
    assert distances["max"].tolist() == [40.0]


def test_a_difference_does_not_wrap():
    black, white = (np.full((8, 8, 3), level, np.uint8) for level in (0, 255))
    for pair in (([black], [white]), ([white], [black])):
        distances = GEOMETRY.distances(*pair)
        assert distances["rms"].tolist() == distances["max"].tolist() == [255.0]
        assert distances["ssim"][0] < 0.001


@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 8, 3), (5, 6, 1), (2, 9, 3), (1, 1, 1)])
def test_a_picture_is_itself_at_any_size(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    distances = GEOMETRY.distances([picture], [picture])
    assert {name: values.tolist() for name, values in distances.items()} == {"rms": [0], "max": [0], "ssim": [1]}


def test_pairs_of_several_shapes_go_together():
    shapes = [(28, 28, 1), (8, 8, 3)]
    seeds = [np.zeros(shape, np.uint8) for shape in shapes]
    mutants = [np.full(shape, level, np.uint8) for shape, level in zip(shapes, (3, 4), strict=True)]
    distances = GEOMETRY.distances(seeds, mutants)
    assert distances["rms"].tolist() == [3.0, 4.0]
    assert all(values.dtype == np.float64 for values in distances.values())


def test_the_first_unit_is_that_of_the_leading_distance():
    assert list(GEOMETRY.units) == ["rms", "max", "ssim"]
