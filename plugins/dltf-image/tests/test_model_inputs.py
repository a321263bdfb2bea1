"""What a model's file says of its input, and what the settings say where it is silent."""

from __future__ import annotations

import json

import pytest

from dltf.plugin import MisfitError, Quantisation, TensorSpec
from dltf_image.tensors.bind import ImageTensors
from dltf_image.tensors.settings import ImageInput

TENSORS = ImageTensors()


def bind(shape, dtype="float32", quantisation=None, **settings):
    return TENSORS.bind([TensorSpec("x", shape, dtype, quantisation)], ImageInput(**settings))


@pytest.mark.parametrize(
    ("shape", "layout", "colour", "size"),
    [
        ((None, 28, 28, 1), "NHWC", "grey", [28, 28]),
        ((1, 1, 28, 30), "NCHW", "grey", [28, 30]),
        ((None, 3, 224, 224), "NCHW", "RGB", [224, 224]),
        ((None, None, None, 3), "NHWC", "RGB", None),
    ],
)
def test_layout_colour_and_size_are_read_from_the_file(shape, layout, colour, size):
    settings = bind(shape).settings
    assert (settings["layout"], settings["colour"], settings["size"]) == (layout, colour, size)


def test_every_default_is_filled_in_for_the_record():
    settings = bind((None, 32, 32, 3), mean=0.5).settings
    assert json.loads(json.dumps(settings)) == {
        "range": [0.0, 1.0],
        "mean": [0.5, 0.5, 0.5],
        "std": [1.0, 1.0, 1.0],
        "layout": "NHWC",
        "colour": "RGB",
        "size": [32, 32],
        "resize": None,
    }


@pytest.mark.parametrize("shape", [(None, None, None, None), (None, 3, 28, 3), (None, 1, 28, 1), (None, 28, 28, 4)])
def test_an_unclear_layout_is_asked_for(shape):
    with pytest.raises(MisfitError, match=r'layout is not clear\n  add layout = "NHWC" or layout = "NCHW"'):
        bind(shape)


def test_settings_decide_what_the_file_leaves_open():
    settings = bind((None, None, None, None), layout="NCHW", colour="BGR", size=(8, 9)).settings
    assert (settings["layout"], settings["colour"], settings["size"]) == ("NCHW", "BGR", [8, 9])


@pytest.mark.parametrize(
    ("shape", "settings", "told"),
    [
        ((None, 784), {}, "4 dimensions"),
        ((None, 28, 28, 1), {"layout": "NCHW"}, "28 channels where its layout is NCHW"),
        ((None, None, None, None), {"layout": "NHWC"}, "leaves the number of channels open"),
        ((None, 28, 28, 1), {"colour": "BGR"}, 'colour = "BGR" has 3 channels'),
        ((None, 28, 28, 3), {"colour": "grey"}, 'colour = "grey" has 1 channels'),
        ((None, 28, 28, 1), {"size": (32, 32)}, r"size = \[32, 32\] is not the size"),
        ((None, None, None, 1), {"resize": "area"}, 'resize = "area" needs a size'),
        ((None, 28, 28, 1), {"mean": (1.0, 2.0, 3.0)}, r"mean = \[1.0, 2.0, 3.0\] has 3 numbers"),
    ],
)
def test_what_does_not_go_together_is_a_misfit(shape, settings, told):
    with pytest.raises(MisfitError, match=told):
        bind(shape, **settings)


@pytest.mark.parametrize(
    ("dtype", "quantisation"), [("int8", None), ("int64", None), ("int32", Quantisation(1.0, 0)), ("bool", None)]
)
def test_integers_of_unknown_meaning_are_a_misfit(dtype, quantisation):
    with pytest.raises(MisfitError, match="what a grey level becomes is not known"):
        bind((None, 8, 8, 1), dtype, quantisation)


def test_plain_integers_cannot_be_scaled():
    with pytest.raises(MisfitError, match=r"cannot be scaled\n  leave range, mean and std out"):
        bind((None, 8, 8, 1), "uint8", range=(0.0, 1.0))


@pytest.mark.parametrize(
    "settings",
    [
        {"range": (1.0, 1.0)},
        {"range": (0.0, float("inf"))},
        {"std": 0.0},
        {"std": (1.0, -1.0, 1.0)},
        {"mean": (1.0, 2.0)},
        {"mean": float("nan")},
        {"layout": "HWC"},
        {"colour": "rgb"},
        {"size": (0, 3)},
        {"resize": "lanczos"},
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(settings):
    with pytest.raises(ValueError, match=f"'{next(iter(settings))}' must be"):
        ImageInput(**settings)
