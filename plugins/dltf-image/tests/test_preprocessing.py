"""Pictures into tensors: layout, colour, size, groups, and the same bits in any batch."""

from __future__ import annotations

import pickle

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dltf.plugin import MisfitError, TensorSpec
from dltf_image.tensors.bind import ImageTensors
from dltf_image.tensors.settings import ImageInput

INPUTS = st.fixed_dictionaries(
    {},
    optional={
        "range": st.sampled_from([(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)]),
        "mean": st.sampled_from([0.5, (0.4, 0.5, 0.6)]),
        "std": st.sampled_from([0.5, (0.2, 0.3, 0.4)]),
        "colour": st.sampled_from(["RGB", "BGR"]),
    },
)


def bind(shape, **given_settings):
    return ImageTensors().bind([TensorSpec("x", shape, "float32")], ImageInput(**given_settings))


def pictures(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(count=st.integers(1, 9), channels_first=st.booleans(), given_settings=INPUTS)
def test_a_batch_is_its_samples_one_by_one(count, channels_first, given_settings):
    preprocess = bind((None, 3, 6, 7) if channels_first else (None, 6, 7, 3), **given_settings)
    batch = pictures(count, 6, 7, 3)
    ((rows, named),) = preprocess(list(batch))
    together = named["x"]
    alone = [preprocess([sample])[0][1]["x"] for sample in batch]
    assert rows.dtype == np.int64
    assert rows.tolist() == list(range(count))
    assert np.array_equal(together, np.concatenate(alone))
    assert np.array_equal(preprocess(batch)[0][1]["x"], together)
    assert np.array_equal(batch, pictures(count, 6, 7, 3))


@settings(deadline=None, derandomize=True, max_examples=30)
@given(given_settings=INPUTS)
def test_layouts_hold_the_same_numbers(given_settings):
    batch = list(pictures(3, 6, 7, 3))
    last = bind((None, 6, 7, 3), **given_settings)(batch)[0][1]["x"]
    first = bind((None, 3, 6, 7), **given_settings)(batch)[0][1]["x"]
    assert first.flags.c_contiguous
    assert np.array_equal(first.transpose(0, 2, 3, 1), last)


def test_bgr_turns_the_channels_around():
    sample = pictures(6, 7, 3)
    rgb, bgr = (bind((None, 6, 7, 3), colour=colour)([sample])[0][1]["x"] for colour in ("RGB", "BGR"))
    assert np.array_equal(rgb[..., ::-1], bgr)


def test_grey_is_repeated_where_colour_asks_for_it():
    sample = pictures(6, 7, 1)
    ((_, named),) = bind((None, 6, 7, 3), colour="RGB", range=(0, 255))([sample])
    values = named["x"]
    assert np.array_equal(values[0], sample.repeat(3, axis=2))


def test_colours_become_the_grey_that_pillow_makes():
    sample = pictures(40, 50, 3)
    ((_, named),) = bind((None, 40, 50, 1), colour="grey", range=(0, 255))([sample])
    values = named["x"]
    assert np.array_equal(values[0, :, :, 0], np.asarray(Image.fromarray(sample).convert("L")))


@pytest.mark.parametrize(
    ("model", "sample", "cure"), [((None, 6, 7, 1), (6, 7, 3), "grey"), ((None, 6, 7, 3), (6, 7, 1), "RGB")]
)
def test_other_channels_are_a_misfit_that_names_the_key(model, sample, cure):
    with pytest.raises(MisfitError, match=rf'picture of 6×7×\d does not fit x float32.*\n.*colour = "{cure}"'):
        bind(model)([pictures(*sample)])


def test_another_size_is_a_misfit_that_names_both_and_the_keys():
    with pytest.raises(
        MisfitError, match=r"picture of 6×7×1 does not fit x float32\[\?×28×28×1\](.|\n)*resize = .*size"
    ):
        bind((None, 28, 28, 1))([pictures(6, 7, 1)])
    with pytest.raises(MisfitError, match="its size differs"):
        bind((None, None, None, 1), size=(8, 8))([pictures(6, 7, 1)])


@pytest.mark.parametrize(
    ("how", "method"),
    [
        ("nearest", cv2.INTER_NEAREST),
        ("bilinear", cv2.INTER_LINEAR),
        ("bicubic", cv2.INTER_CUBIC),
        ("area", cv2.INTER_AREA),
    ],
)
def test_resizing_is_opencvs_on_grey_levels(how, method):
    sample = pictures(9, 11, 3)
    ((_, named),) = bind((None, 3, 6, 5), resize=how, range=(0, 255), colour="BGR")([sample])
    values = named["x"]
    expected = cv2.resize(np.ascontiguousarray(sample[..., ::-1]), (5, 6), interpolation=method)
    assert np.array_equal(values[0].transpose(1, 2, 0), expected)


def test_pictures_of_several_sizes_make_one_group_after_resizing():
    samples = [pictures(9, 11, 1), pictures(6, 5, 1), pictures(9, 11, 1)]
    preprocess = bind((None, 6, 5, 1), resize="bilinear")
    ((rows, named),) = preprocess(samples)
    values = named["x"]
    assert sorted(rows.tolist()) == [0, 1, 2]
    for row, value in zip(rows, values, strict=True):
        assert np.array_equal(preprocess([samples[row]])[0][1]["x"][0], value)


def test_a_model_of_any_size_gets_a_group_for_each():
    samples = [pictures(9, 11, 1), pictures(6, 5, 1), pictures(9, 11, 1)]
    groups = bind((None, None, None, 1))(samples)
    assert [(rows.tolist(), named["x"].shape) for rows, named in groups] == [
        ([0, 2], (2, 9, 11, 1)),
        ([1], (1, 6, 5, 1)),
    ]


def test_no_samples_make_no_group():
    assert bind((None, 6, 5, 1))([]) == []


def test_a_preparation_can_be_sent_to_another_process():
    preprocess = bind((None, 6, 7, 3), mean=(0.1, 0.2, 0.3))
    sample = pictures(6, 7, 3)
    assert np.array_equal(pickle.loads(pickle.dumps(preprocess))([sample])[0][1]["x"], preprocess([sample])[0][1]["x"])
