"""The decoder of models that give text themselves, alone and behind a Python function."""

from __future__ import annotations

import numpy as np
import pytest

from dltf.plugin import MisfitError, TensorSpec
from dltf_speech.decoders.text import Text


def settled(decoder, outputs):
    specs = [TensorSpec(name, (None, *values.shape[1:]), values.dtype.name) for name, values in outputs.items()]
    return decoder.settle(specs, outputs)


def decoded(outputs, **given):
    return settled(Text(**given), outputs).decode(outputs)


TEXTS = np.array(["  One,  two ", "", "it’s"])


@pytest.mark.parametrize("name", ["text", "output", "words"])
def test_the_only_text_is_the_answer_whatever_its_name(name):
    seen = decoded({name: TEXTS})
    assert seen.decisions == ["One, two", "", "it’s"]
    assert seen.log_scores.tolist() == [0, 0, 0]
    assert seen.states is None
    assert seen.finite.all()
    assert seen.score(["one", "two", "three"]) is None


def test_a_score_is_taken_where_the_model_gives_one():
    seen = decoded({"text": TEXTS, "log_score": np.float32([-1, -np.inf, np.nan])})
    assert seen.log_scores.tolist()[:2] == [-1, -np.inf]
    assert seen.finite.tolist() == [True, False, False]
    assert decoded({"text": TEXTS, "sure": np.float64([-1, -2, -3])}, log_score="sure").log_scores.sum() == -6


def test_the_spelling_is_a_setting():
    assert decoded({"text": TEXTS}, normalise="letters").decisions == ["one two", "", "it's"]


def test_strings_may_come_as_objects_and_other_outputs_are_left_alone():
    outputs = {"text": TEXTS.astype(object), "logits": np.zeros((3, 4, 5), np.float32)}
    assert decoded(outputs).decisions == decoded({"text": TEXTS}).decisions


@pytest.mark.parametrize(
    ("outputs", "given", "told"),
    [
        ({"scores": np.zeros((3, 4))}, {}, "0 outputs have a string"),
        ({"one": TEXTS, "other": TEXTS}, {}, "2 outputs have a string"),
        ({"text": TEXTS}, {"output": "words"}, '"words" is no output with one string'),
        ({"text": TEXTS[:, None]}, {}, "0 outputs have a string"),
        ({"text": np.array([1, "a", None], dtype=object)}, {}, "0 outputs have a string"),
        ({"text": TEXTS, "log_score": np.zeros((3, 2))}, {}, '"log_score" is no output with one number'),
        ({"text": TEXTS}, {"log_score": "sure"}, '"sure" is no output with one number'),
    ],
)
def test_outputs_that_are_no_text_are_a_misfit(outputs, given, told):
    with pytest.raises(MisfitError, match=told):
        settled(Text(**given), outputs)


def test_which_of_two_texts_counts_can_be_said():
    assert decoded({"one": TEXTS, "other": TEXTS[::-1]}, output="other").decisions[0] == "it’s"
