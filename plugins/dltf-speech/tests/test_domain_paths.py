"""What lies between two clips, who is near whom, and how findings are shrunk and amplified."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dltf_speech.contour import SIZE
from dltf_speech.geometry import SpeechGeometry

SOME = settings(deadline=None, derandomize=True, max_examples=60)

GEOMETRY = SpeechGeometry(16000)


def test_mixing_is_in_proportion_and_the_length_goes_along():
    assert SpeechGeometry.across_shapes is True
    seeds, partners = np.array([[100, -100]] * 3, np.int16), np.array([[0, 100, 40]] * 3, np.int16)
    mixed = GEOMETRY.interpolate(seeds, partners, np.array([0.25, 0.5, 0.75]))
    assert [clip.tolist() for clip in mixed] == [[75, -50], [50, 0], [25, 50, 30]]


@SOME
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_a_path_begins_at_the_seed_and_ends_at_the_partner_whatever_their_lengths(a, b, number):
    rng = np.random.default_rng(number)
    seeds, partners = (rng.integers(-32768, 32768, (3, length)).astype(np.int16) for length in (a, b))
    first, between, last = GEOMETRY.interpolate(seeds, partners, np.array([0.0, 0.37, 1.0]))
    assert first.tolist() == seeds[0].tolist()
    assert last.tolist() == partners[2].tolist()
    assert between.shape == (round(a + 0.37 * (b - a)),)
    assert {clip.dtype for clip in (first, between, last)} == {np.dtype(np.int16)}
    alone = GEOMETRY.interpolate(seeds[1:2], partners[1:2], np.array([0.37]))[0]
    assert alone.tolist() == between.tolist()


def test_steps_along_a_path_are_as_long_as_their_share():
    rng = np.random.default_rng(0)
    seed, partner = rng.normal(0, 3000, (2, 1, 4000)).astype(np.int16)
    whole = GEOMETRY.distances(list(seed), list(partner))["noise_rms"][0]
    mixed = GEOMETRY.interpolate(seed, partner, np.array([0.3]))
    assert GEOMETRY.distances(list(seed), list(mixed))["noise_rms"][0] == pytest.approx(0.3 * whole, rel=1e-3)


def test_neighbours_are_as_long_and_as_loud_at_the_same_times():
    steps = np.repeat(np.array([0, 1000, 0, 0, 2000, 0, 500, 0], np.int16), 100)[None]
    softer, reversed_, longer = steps // 2, steps[:, ::-1], np.repeat(steps, 2, axis=1)
    made = {
        name: GEOMETRY.embed(clip)[0] for name, clip in {"softer": softer, "back": reversed_, "long": longer}.items()
    }
    own = GEOMETRY.embed(steps)[0]
    assert made["long"][0] - own[0] == pytest.approx(np.log(2))
    assert made["long"][1:].tolist() == own[1:].tolist()
    assert np.exp(own[2] * np.sqrt(8)) == pytest.approx(1000 + 10)
    assert sorted(made["back"]) == sorted(own)
    apart = {name: float(np.linalg.norm(vector - own)) for name, vector in made.items()}
    assert apart["softer"] < apart["long"] < apart["back"]


@SOME
@given(arrays(np.int16, st.tuples(st.integers(1, 4), st.integers(1, 60))))
def test_a_clip_has_its_vector_alone_and_in_a_batch(clips):
    vectors = GEOMETRY.embed(clips)
    assert vectors.shape == (len(clips), SIZE)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert [GEOMETRY.embed(clip[None])[0].tobytes() for clip in clips] == [vector.tobytes() for vector in vectors]


@SOME
@given(st.integers(1, 5000), st.booleans())
def test_parts_are_stretches_of_time(length, shifted):
    numbers = GEOMETRY.parts((length,), shifted)
    assert (np.diff(numbers) >= 0).all()
    assert (np.diff(numbers) <= 1).all()
    assert numbers[0] == 0
    assert numbers[-1] <= 16


def test_shifted_parts_have_their_borders_elsewhere():
    borders = [set(np.flatnonzero(np.diff(GEOMETRY.parts((1600,), shifted))).tolist()) for shifted in (False, True)]
    assert (len(borders[0]), len(borders[1])) == (15, 16)
    assert not borders[0] & borders[1]


def test_rounding_keeps_within_16_bits():
    values = np.array([[1.4, 1.6, -1.5, 40_000.0, -40_000.0]])
    assert GEOMETRY.rounded(values, 0.5).tolist() == [[1, 2, -1, 32767, -32768]]
    assert GEOMETRY.rounded(values, 0.0).tolist() == [[1, 1, -2, 32767, -32768]]


@SOME
@given(st.integers(1, 20_000), st.integers(0, 2**32 - 1))
def test_a_patch_is_a_soft_burst_that_swells_and_fades(length, number):
    drawn = GEOMETRY.patch((length,), np.random.default_rng(number))
    there = np.flatnonzero(drawn)
    assert drawn.shape == (length,)
    assert 1 <= len(there) <= 1600  # a tenth of a second
    assert np.abs(drawn).max() < 300 * 6
    if len(there) > 300:
        loudest = np.abs(drawn).max()
        assert max(abs(drawn[there[0]]), abs(drawn[there[-1]])) < 0.05 * loudest


def test_patches_are_noises_and_tones():
    kinds = [_pitched(GEOMETRY.patch((16000,), np.random.default_rng(number))) for number in range(60)]
    assert 15 <= sum(kinds) <= 45


def _pitched(drawn) -> bool:
    """Tell whether nearly all energy is in a few neighbouring frequencies."""
    power = np.abs(np.fft.rfft(drawn)) ** 2
    peak = int(power.argmax())
    return bool(power[max(0, peak - 150) : peak + 150].sum() > 0.97 * power.sum())
