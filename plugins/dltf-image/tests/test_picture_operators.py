"""What every picture operator keeps, whatever its kind."""

from __future__ import annotations

import pickle
from itertools import pairwise

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dltf_image.presets import DflarePaper, DflareReleased

steady = settings(deadline=None, derandomize=True, max_examples=40)

OPERATORS = [
    *(pytest.param(operator, id=f"released-{name}") for name, operator in DflareReleased().operators().items()),
    *(pytest.param(operator, id=f"paper-{name}") for name, operator in DflarePaper().operators().items()),
]
every_operator = pytest.mark.parametrize("operator", OPERATORS)

BATCHES = st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(1, 120), st.sampled_from([1, 3])).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 255))
)


def streams(count: int, seed: int = 0) -> list[np.random.Generator]:
    return [np.random.default_rng([seed, case]) for case in range(count)]


def strengths(batch, strength: float):
    return np.full(len(batch), strength)


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


@every_operator
def test_a_stronger_mutant_is_further_from_its_seed_where_nothing_wraps(operator):
    batch = np.random.default_rng(0).integers(90, 130, (8, 28, 28, 1)).astype(np.uint8)
    draws = operator.draw(batch, streams(8))
    away = [
        np.abs(operator.apply(batch, draws, strengths(batch, level)).astype(int) - batch)
        for level in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    for weaker, stronger in pairwise(away):
        assert (weaker <= stronger).all()


@every_operator
def test_an_operator_is_a_value(operator):
    assert pickle.loads(pickle.dumps(operator)) == operator
    assert hash(operator) == hash(attrs.evolve(operator))
