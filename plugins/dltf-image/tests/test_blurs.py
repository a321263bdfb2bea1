"""Blurs: the plain OpenCV call at full strength, whatever the batch."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dltf_image.operators.average_blur import AverageBlur
from dltf_image.operators.gaussian_blur import GaussianBlur
from dltf_image.operators.median_blur import MedianBlur

PLAIN = [
    (AverageBlur(), lambda picture, size: cv2.blur(picture, (size, size))),
    (GaussianBlur(), lambda picture, size: cv2.GaussianBlur(picture, (size, size), 0)),
    (MedianBlur(), cv2.medianBlur),
]
every_blur = pytest.mark.parametrize(("operator", "plain"), PLAIN, ids=["average", "gaussian", "median"])

BATCHES = st.tuples(st.integers(1, 6), st.integers(1, 9), st.integers(1, 110), st.sampled_from([1, 3])).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 255))
)


@every_blur
@settings(deadline=None, derandomize=True, max_examples=60)
@given(batch=BATCHES, seed=st.integers(0, 1000))
def test_full_strength_is_the_plain_blur_of_each_picture(operator, plain, batch, seed):
    draws = operator.draw(batch, [np.random.default_rng([seed, case]) for case in range(len(batch))])
    mutants = operator.apply(batch, draws, np.ones(len(batch)))
    for sample, mutant, size in zip(batch, mutants, draws["kernel"].tolist(), strict=True):
        expected = sample if size == 1 else plain(sample, size).reshape(sample.shape)
        assert np.array_equal(mutant, expected)


@every_blur
def test_size_1_changes_nothing_and_every_size_is_drawn(operator, plain):
    batch = np.random.default_rng(0).integers(0, 256, (300, 6, 6, 1)).astype(np.uint8)
    draws = operator.draw(batch, [np.random.default_rng(case) for case in range(300)])
    assert set(draws["kernel"].tolist()) == set(operator.kernels)
    same = draws["kernel"] == 1
    mutants = operator.apply(batch, draws, np.ones(300))
    assert np.array_equal(mutants[same], batch[same])
    assert not np.array_equal(mutants[~same], batch[~same])


def test_a_strength_between_blends_with_the_sample():
    batch = np.array([0, 90, 0], np.uint8).reshape(1, 1, 3, 1)
    mutant = AverageBlur((3,)).apply(batch, {"kernel": np.array([3])}, np.array([0.5]))
    full = AverageBlur((3,)).apply(batch, {"kernel": np.array([3])}, np.array([1.0]))
    assert full.ravel().tolist() == [60, 30, 60]  # the border mirrors the neighbour: (90 + 0 + 90) / 3
    assert mutant.ravel().tolist() == [30, 60, 30]


@pytest.mark.parametrize("operator", [GaussianBlur, MedianBlur])
def test_even_sizes_are_refused_where_a_middle_is_needed(operator):
    with pytest.raises(ValueError, match=r"'kernels' must be odd sizes, such as \[1, 3, 5\]: \[2, 3\]"):
        operator((2, 3))


@pytest.mark.parametrize("kernels", [(), (0,), (1, 300)])
def test_lists_of_sizes_that_make_no_sense_are_refused(kernels):
    with pytest.raises(ValueError, match="'kernels' must be one or more sizes from 1 to 255"):
        AverageBlur(kernels)
