"""Named rules for transcripts."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dltf_speech.normalise import Normalise, normalise

SOME = settings(deadline=None, derandomize=True, max_examples=60)


@pytest.mark.parametrize(
    ("how", "text", "expected"),
    [
        ("none", "  Don’t\tstop,\n now! ", "Don’t stop, now!"),
        ("lower", "It's LATE.", "it's late."),
        ("upper", "It's late.", "IT'S LATE."),
        ("letters", "Don’t  stop – NOW, 'tis half-past 9!", "don't stop now tis half past"),
        ("letters", "Grüß Gott, E\u0301mile", "grüß gott émile"),
        ("letters", " '' 42 -- ", ""),
    ],
)
def test_each_rule_does_what_it_says(how, text, expected):
    assert normalise(text, how) == expected


@SOME
@given(st.text(), st.sampled_from(get_args(Normalise)))
def test_a_normalised_text_is_left_as_it_is(text, how):
    once = normalise(text, how)
    assert normalise(once, how) == once
    assert once == " ".join(once.split())
