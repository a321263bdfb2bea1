"""What every picture operator keeps, whatever its kind."""

from __future__ import annotations

import pickle
from itertools import pairwise

import attrs
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dltf_image import plugin
from dltf_image.natural_presets import Natural
from dltf_image.operators.rotation import Rotation
from dltf_image.operators.scale import Scale
from dltf_image.presets import DflarePaper

steady = settings(deadline=None, derandomize=True, max_examples=40)

# Every operator of the shelf with its defaults, and those whose other settings take another way.
OTHERS = {
    **{f"paper-{name}": operator for name, operator in DflarePaper().operators().items() if "noise" in name},
    "rotation-repeat": Rotation(border="repeat"),
    "scale-black": Scale(border="black"),
}
OPERATORS = {component.name: component.load()() for component in plugin.dltf_mutation_operators()} | OTHERS
every_operator = pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)

# What moves or spreads values may bring one back to where it was: only the whole picture gets further.
MOVING = {f"image.{name}" for name in ("defocus_blur", "motion_blur", "rotation", "translation", "scale", "shear")}
BY_VALUE = {name: operator for name, operator in OPERATORS.items() if name not in {*MOVING, *OTHERS}}
NATURAL = {name: OPERATORS[name] for name in Natural().operators() if name != "image.gaussian_noise"}
# A JPEG file keeps brightness and colour apart, and rounds each.
SAME_IN_COLOUR = {name: operator for name, operator in NATURAL.items() if name != "image.jpeg_compression"}
natural = pytest.mark.parametrize("operator", NATURAL.values(), ids=NATURAL)

BATCHES = st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(1, 120), st.sampled_from([1, 3])).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 255))
)


@pytest.fixture
def more_threads():
    """Give another number than 1, and set the library's own back."""
    threads = cv2.getNumThreads()
    yield 4
    cv2.setNumThreads(threads)


def streams(count: int, seed: int = 0) -> list[np.random.Generator]:
    return [np.random.default_rng([seed, case]) for case in range(count)]


def strengths(batch, strength: float):
    return np.full(len(batch), strength)


def landscapes(count: int, height: int = 32, width: int = 32) -> np.ndarray:
    """Make pictures that change slowly from place to place, each another."""
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    waves = [
        np.sin(4 * x + number) * np.cos(3 * y - number * channel) for number in range(count) for channel in (1, 2, 3)
    ]
    return np.rint(128 + 100 * np.reshape(waves, (count, 3, height, width)).transpose(0, 2, 3, 1)).astype(np.uint8)


def rms(batch, others):
    return np.sqrt(np.mean(np.subtract(batch, others, dtype=float) ** 2, axis=(1, 2, 3)))


@every_operator
@steady
@given(batch=BATCHES, seed=st.integers(0, 1000))
def test_strength_0_is_the_identity(operator, batch, seed):
    draws = operator.draw(batch, streams(len(batch), seed))
    assert np.array_equal(operator.apply(batch, draws, strengths(batch, 0.0)), batch)


@every_operator
@steady
@given(batch=BATCHES, seed=st.integers(0, 1000), strength=st.floats(0, 1))
def test_shape_dtype_and_inputs_are_kept(operator, batch, seed, strength):
    before = batch.copy()
    draws = operator.draw(batch, streams(len(batch), seed))
    kept = pickle.dumps(dict(draws))
    mutants = operator.apply(batch, draws, strengths(batch, strength))
    assert (mutants.shape, mutants.dtype) == (batch.shape, np.dtype(np.uint8))
    assert not np.shares_memory(mutants, batch)
    assert np.array_equal(batch, before)
    assert pickle.dumps(dict(draws)) == kept


@every_operator
@steady
@given(batch=BATCHES, seed=st.integers(0, 1000))
def test_a_batch_is_its_samples_one_by_one(operator, batch, seed):
    levels = np.linspace(1.0, 0.2, len(batch))
    draws = operator.draw(batch, streams(len(batch), seed))
    mutants = operator.apply(batch, draws, levels)
    for row, stream in enumerate(streams(len(batch), seed)):
        alone = operator.draw(batch[row : row + 1], [stream])
        assert all(np.array_equal(alone[key][0], draws[key][row]) for key in draws)
        mutant = operator.apply(batch[row : row + 1], alone, levels[row : row + 1])
        assert np.array_equal(mutant[0], mutants[row])


@every_operator
@steady
@given(batch=BATCHES, seed=st.integers(0, 1000))
def test_a_pickled_draw_gives_the_same_mutants(operator, batch, seed):
    draws = operator.draw(batch, streams(len(batch), seed))
    again = pickle.loads(pickle.dumps(draws))
    full = strengths(batch, 1.0)
    assert np.array_equal(operator.apply(batch, draws, full), operator.apply(batch, again, full))
    assert all(len(rows) == len(batch) for rows in draws.values())


@every_operator
def test_equal_streams_give_equal_draws_and_others_give_others(operator):
    batch = np.zeros((20, 28, 28, 1), np.uint8)
    first, same, other = (operator.draw(batch, streams(20, seed)) for seed in (0, 0, 1))
    assert all(np.array_equal(first[key], same[key]) for key in first)
    assert not all(np.array_equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("operator", BY_VALUE.values(), ids=BY_VALUE)
def test_each_value_moves_one_way_where_nothing_wraps_or_moves(operator):
    batch = np.random.default_rng(0).integers(90, 130, (8, 28, 28, 1)).astype(np.uint8)
    draws = operator.draw(batch, streams(8))
    away = [
        np.abs(operator.apply(batch, draws, strengths(batch, level)).astype(int) - batch)
        for level in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    for weaker, stronger in pairwise(away):
        assert (weaker <= stronger).all()


@natural
def test_a_stronger_mutant_is_further_from_its_seed_on_the_whole(operator):
    batch = landscapes(12)
    draws = operator.draw(batch, streams(12))
    away = [rms(operator.apply(batch, draws, strengths(batch, level)), batch) for level in (0, 0.25, 0.5, 0.75, 1)]
    for weaker, stronger in pairwise(away):
        assert weaker.mean() < stronger.mean()


@natural
def test_an_effect_grows_without_a_jump(operator):
    batch = landscapes(6)
    draws = operator.draw(batch, streams(6))
    way = [operator.apply(batch, draws, strengths(batch, level)) for level in np.linspace(0, 1, 201)]
    steps = np.array([rms(weaker, stronger) for weaker, stronger in pairwise(way)])
    assert (steps.max(axis=0) <= np.maximum(1.0, rms(way[0], way[-1]) / 10)).all()


@natural
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (7, 1, 1), (2, 2, 3), (8, 8, 1)])
def test_the_widest_settings_and_the_smallest_pictures_go_together(operator, shape):
    widest = {"DefocusBlur": {"max_radius": 0.5}, "MotionBlur": {"max_length": 1.0}, "Rotation": {"max_angle_deg": 180}}
    operator = attrs.evolve(operator, **widest.get(type(operator).__name__, {}))
    batch = np.random.default_rng(0).integers(0, 256, (5, *shape)).astype(np.uint8)
    draws = operator.draw(batch, streams(5))
    assert operator.apply(batch, draws, strengths(batch, 1.0)).shape == batch.shape
    assert np.array_equal(operator.apply(batch, draws, strengths(batch, 0.0)), batch)


@natural
def test_the_number_of_threads_changes_no_bit(operator, more_threads):
    batch = landscapes(2, 480, 640)
    draws = operator.draw(batch, streams(2))
    mutants = []
    for threads in (1, more_threads):
        cv2.setNumThreads(threads)
        mutants.append(operator.apply(batch, draws, np.array([1.0, 0.4])))
    assert np.array_equal(*mutants)


@pytest.mark.parametrize("operator", SAME_IN_COLOUR.values(), ids=SAME_IN_COLOUR)
def test_a_grey_picture_stays_grey_in_three_channels(operator):
    grey = landscapes(6)[..., :1]
    draws = operator.draw(grey, streams(6))
    full = strengths(grey, 1.0)
    mutants = operator.apply(np.repeat(grey, 3, axis=3), draws, full)
    assert np.array_equal(mutants, np.repeat(operator.apply(grey, draws, full), 3, axis=3))


@natural
def test_what_was_drawn_can_be_told_to_people(operator):
    draws = operator.draw(landscapes(2), streams(2))
    assert all(rows[0].size <= 16 for rows in draws.values())


@every_operator
def test_an_operator_is_a_value(operator):
    assert pickle.loads(pickle.dumps(operator)) == operator
    assert hash(operator) == hash(attrs.evolve(operator))
