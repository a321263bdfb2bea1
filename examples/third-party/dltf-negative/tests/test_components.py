"""What the two components do, by hand."""

import numpy as np
import pytest
from dltf_negative.confident_label import ConfidentLabel
from dltf_negative.negative import Negative

from dltf.testing import class_observations, streams


def test_a_picture_fades_from_itself_over_grey_to_its_negative():
    pictures = np.uint8([[[[0], [255], [100]]]] * 3)
    faded = Negative().apply(pictures, {"share": np.array([0.0, 0.5, 1.0])}, np.ones(3))
    assert faded[:, 0, :, 0].tolist() == [[0, 255, 100], [128, 128, 128], [255, 0, 155]]


def test_no_share_is_above_the_largest():
    shares = Negative(max_share=0.25).draw(np.zeros((200, 1, 1, 1), np.uint8), streams(200))["share"]
    assert 0.2 < shares.max() <= 0.25


def test_both_have_to_be_sure_of_different_labels():
    ours = class_observations([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1]])
    theirs = class_observations([[0.3, 0.7], [0.45, 0.55], [0.7, 0.3]])
    verdicts = ConfidentLabel(at_least=0.6).judge(ours, theirs)
    assert verdicts.deviates.tolist() == [True, False, False]
    assert verdicts.distances == pytest.approx([0.7, 0.0, 0.0])
