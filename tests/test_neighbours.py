"""Who is near whom: exact, by brute force; and the samples between two others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dltf.campaign.neighbours import KEPT, Nearest, Vectors
from dltf.host import Host


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 90), st.integers(1, 6), st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_the_nearest_are_those_of_brute_force(count: int, width: int, answers: int, seed: int) -> None:
    stream = np.random.default_rng(seed)
    values = stream.integers(0, 256, (count, width)).astype(np.uint8)
    codes = stream.integers(0, answers, count)
    nearest = Nearest([Vectors(np.arange(count), values)], codes)
    for row in range(count):
        rows, distances = nearest.nearest(row)
        apart = np.sqrt(((values.astype(np.float64) - values[row]) ** 2).sum(axis=1))
        others = np.flatnonzero(codes != codes[row])
        expected = sorted(others.tolist(), key=lambda other: (apart[other], other))[:KEPT]
        assert distances.tolist() == [apart[other] for other in expected]
        assert (codes[rows] != codes[row]).all()
        assert len(set(rows.tolist())) == len(rows)


def test_seeds_of_another_shape_are_nobody_s_partners() -> None:
    groups = [
        Vectors(np.array([0, 2]), np.array([[0], [9]], dtype=np.uint8)),
        Vectors(np.array([1]), np.zeros((1, 2), np.uint8)),
    ]
    nearest = Nearest(groups, np.array([0, 1, 2]))
    assert nearest.nearest(0)[0].tolist() == [2]
    assert nearest.nearest(1)[0].tolist() == []


@pytest.fixture(scope="module")
def geometry():
    return Host().find("dltf_domains", "image").load()().geometry


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_a_path_between_pictures_begins_and_ends_with_them(geometry, seed: int, t: float) -> None:
    pictures = np.random.default_rng(seed).integers(0, 256, (2, 4, 5, 3)).astype(np.uint8)
    seeds, partners = pictures[:1], pictures[1:]
    assert (geometry.interpolate(seeds, partners, np.array([0.0])) == seeds).all()
    assert (geometry.interpolate(seeds, partners, np.array([1.0])) == partners).all()
    between = geometry.interpolate(seeds, partners, np.array([t])).astype(np.int64)
    assert (between >= np.minimum(seeds, partners)).all()
    assert (between <= np.maximum(seeds, partners)).all()
    # Each row goes its own way.
    both = geometry.interpolate(pictures, pictures[::-1], np.array([t, 1 - t]))
    assert (both[0] == between[0]).all()


def test_a_large_picture_s_vector_is_a_smaller_one(geometry) -> None:
    assert geometry.embed(np.zeros((2, 28, 28, 1), np.uint8)).shape == (2, 784)
    assert geometry.embed(np.zeros((2, 224, 200, 3), np.uint8)).shape == (2, 32 * 32 * 3)
