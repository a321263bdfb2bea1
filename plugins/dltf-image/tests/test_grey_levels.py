"""What each grey level becomes in a tensor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dltf.plugin import Quantisation, TensorSpec
from dltf_image.tensors.bind import ImageTensors
from dltf_image.tensors.settings import ImageInput

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
LEVELS = np.arange(256).reshape(1, 16, 16, 1)


def tensor(sample, shape, dtype="float32", quantisation=None, **given_settings):
    preprocess = ImageTensors().bind([TensorSpec("x", shape, dtype, quantisation)], ImageInput(**given_settings))
    ((rows, named),) = preprocess([sample])
    values = named["x"]
    assert rows.tolist() == [0]
    assert values.flags.c_contiguous
    return values


def quantised(real, quantisation, dtype):
    """Quantise as the host does."""
    span = np.iinfo(dtype)
    integers = np.rint(real / quantisation.scale) + quantisation.zero_point
    return np.clip(integers, span.min, span.max).astype(dtype)


def test_floats_are_0_to_1_by_default_and_correctly_rounded():
    values = tensor(RAMP, (None, 16, 16, 1))
    assert values.dtype == np.float32
    assert np.array_equal(values, LEVELS.astype(np.float32) / np.float32(255))


def test_range_mean_and_std_apply_in_that_order():
    values = tensor(RAMP, (None, 16, 16, 1), range=(-1.0, 1.0), mean=0.5, std=0.25)
    assert values[0, 0, 0, 0] == (-1 - 0.5) / 0.25
    assert values[0, 15, 15, 0] == (1 - 0.5) / 0.25
    raw = tensor(RAMP, (None, 16, 16, 1), range=(0, 255))
    assert np.array_equal(raw, LEVELS)


def test_mean_and_std_are_in_the_order_of_the_models_channels():
    pixel = np.array([10, 20, 30], np.uint8).reshape(1, 1, 3)
    given_settings = {"range": (0, 255), "mean": (1.0, 2.0, 3.0), "std": (1.0, 2.0, 4.0)}
    assert tensor(pixel, (None, 1, 1, 3), layout="NHWC", **given_settings).ravel().tolist() == [9, 9, 6.75]
    bgr = tensor(pixel, (None, 3, 1, 1), layout="NCHW", colour="BGR", **given_settings)
    assert bgr.ravel().tolist() == [29, 9, 1.75]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_of_the_models_own_size(dtype):
    values = tensor(RAMP, (None, 16, 16, 1), dtype)
    assert values.dtype == dtype
    assert np.array_equal(values, (LEVELS / 255).astype(dtype))


def test_plain_uint8_is_raw():
    values = tensor(RAMP, (None, 16, 16, 1), "uint8")
    assert values.dtype == np.uint8
    assert np.array_equal(values, LEVELS)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(
    dtype=st.sampled_from(["uint8", "int8"]),
    scale=st.floats(2**-26, 2**13, width=32),
    where=st.integers(0, 255),
)
def test_8_bit_inputs_get_exactly_the_grey_levels_after_quantisation(dtype, scale, where):
    lowest = np.iinfo(dtype).min
    quantisation = Quantisation(scale, lowest + where)
    values = tensor(RAMP, (None, 16, 16, 1), dtype, quantisation)
    assert values.dtype == np.float32
    for real in (values, values.astype(np.float64)):
        assert np.array_equal(quantised(real, quantisation, dtype), LEVELS + lowest)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(scale=st.floats(2**-26, 2**13, width=32), zero=st.integers(-32768, 32767))
def test_16_bit_inputs_get_their_full_span(scale, zero):
    quantisation = Quantisation(scale, zero)
    values = tensor(RAMP, (None, 16, 16, 1), "int16", quantisation)
    assert np.array_equal(quantised(values, quantisation, "int16"), LEVELS * 257 - 32768)


def test_a_quantised_input_follows_settings_where_there_are_some():
    values = tensor(RAMP, (None, 16, 16, 1), "int8", Quantisation(0.02, 0), mean=0.5, std=0.5)
    assert (values.min(), values.max()) == (-1.0, 1.0)
