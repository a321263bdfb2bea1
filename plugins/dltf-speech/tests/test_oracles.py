"""The oracles of sentences: golden cases worked by hand, and promises for any sentences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dltf.plugin import MisfitError
from dltf.testing import observations
from dltf_speech.oracles.error_rate import CharacterErrorRate, WordErrorRate
from dltf_speech.oracles.same_words import SameWords
from dltf_speech.oracles.transcript import Transcript

SOME = settings(deadline=None, derandomize=True, max_examples=60)
SENTENCES = st.lists(st.sampled_from(["one", "two", "three", "oh", "Oh", "it's"]), max_size=5).map(" ".join)
SPELLINGS = st.sampled_from(["none", "lower", "letters"])
PAIRWISE = st.one_of(
    st.builds(SameWords, normalise=SPELLINGS),
    st.builds(WordErrorRate, normalise=SPELLINGS, above=st.sampled_from([0.0, 0.5])),
    st.builds(CharacterErrorRate, normalise=SPELLINGS, above=st.sampled_from([0.0, 0.5])),
)


def judge(oracle, ours, theirs, *labels):
    verdicts = oracle.judge(observations([ours]), observations([theirs]), *([list(labels)] if labels else []))
    return bool(verdicts.deviates[0]), pytest.approx(float(verdicts.distances[0]))


# --- golden cases ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ("", "", 0),
        ("one two", "one two", 0),
        ("one two", "one three", 1),
        ("one two", "two", 1),
        ("one", "one two three", 2),
        ("", "one two", 2),
        ("one two", "", 2),
        ("one two", "two one", 2),
        ("oh", "Oh", 1),
    ],
)
def test_same_words_counts_the_words_that_differ(ours, theirs, words):
    assert judge(SameWords(), ours, theirs) == (words > 0, words)


@pytest.mark.parametrize(
    ("ours", "theirs", "rate"),
    [
        ("one two three four", "one two three four", 0.0),
        ("one two three four", "one two tree four", 0.25),
        ("one two three four", "one two", 0.5),
        ("one", "one two three", 2.0),
        ("", "one two", 2.0),  # each word heard where nothing was said counts 1
        ("one two", "", 1.0),
    ],
)
def test_the_word_error_rate_is_per_word_of_the_reference(ours, theirs, rate):
    assert judge(WordErrorRate(), ours, theirs) == (rate > 0, rate)
    assert judge(WordErrorRate(above=rate), ours, theirs) == (False, rate)
    assert judge(WordErrorRate(above=rate / 2), ours, theirs) == (rate > 0, rate)


@pytest.mark.parametrize(
    ("ours", "theirs", "rate"),
    [("abc d", "abc d", 0.0), ("abc d", "abcd", 0.2), ("ab", "xy", 1.0), ("", "xy", 2.0), ("ab", "", 1.0)],
)
def test_the_character_error_rate_counts_spaces_too(ours, theirs, rate):
    assert judge(CharacterErrorRate(), ours, theirs) == (rate > 0, rate)


@pytest.mark.parametrize(
    ("ours", "theirs", "said", "worse"),
    [
        ("one two", "one two", "one three", 0.0),
        ("one two", "one oh", "one two", 0.5),  # the candidate is worse
        ("one oh", "one two", "one two", -0.5),  # the reference is
        ("one oh", "one nine", "one two", 0.0),  # both are as wrong
        ("", "one", "", 1.0),
        ("one", "two", None, 0.0),  # no transcript, no verdict
    ],
)
def test_the_transcript_says_which_variant_is_worse(ours, theirs, said, worse):
    assert judge(Transcript(), ours, theirs, said) == (worse != 0, abs(worse))
    assert judge(Transcript(regression=True), ours, theirs, said) == (worse > 0, max(worse, 0.0))
    assert judge(Transcript(margin=0.5), ours, theirs, said) == (abs(worse) > 0.5, abs(worse))


def test_a_difference_that_equals_the_margin_is_within_it():
    said = "a b c d e f g h i j"
    nearly, less = said.replace("a b c", "x x c"), said.replace("a b c", "x x x")
    assert judge(Transcript(margin=0.1), nearly, less, said) == (False, 0.1)


def test_one_spelling_is_compared():
    assert judge(SameWords(normalise="letters"), "It's one, two!", "it’s one two") == (False, 0.0)
    assert judge(WordErrorRate(normalise="lower"), "Oh no", "oh NO") == (False, 0.0)
    assert judge(Transcript(normalise="letters"), "Oh no", "no", "OH, NO.") == (True, 0.5)


# --- alignment ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("oracle", [SameWords(), WordErrorRate(), CharacterErrorRate(), Transcript()])
def test_words_that_belong_together_are_shown_side_by_side(oracle):
    pairs = oracle.align("one two three four", "one three four five")
    assert list(pairs) == [("one", "one"), ("two", ""), ("three", "three"), ("four", "four"), ("", "five")]
    assert list(oracle.align("one two", "one oh")) == [("one", "one"), ("two", "oh")]
    assert list(oracle.align("", "one two")) == [("", "one"), ("", "two")]
    assert list(oracle.align("", "")) == []


@SOME
@given(SENTENCES, SENTENCES)
def test_an_alignment_has_every_word_of_both_once_and_marks_what_differs(ours, theirs):
    pairs = SameWords().align(ours, theirs)
    assert [one for one, _ in pairs if one] == ours.split()
    assert [other for _, other in pairs if other] == theirs.split()
    assert sum(one != other for one, other in pairs) == judge(SameWords(), ours, theirs)[1]


# --- promises ----------------------------------------------------------------------------------------------------


@SOME
@given(PAIRWISE, SENTENCES, SENTENCES)
def test_an_oracle_deviates_where_its_distance_is_above_its_threshold_and_is_0_for_equal_words(oracle, ours, theirs):
    deviates, distance = judge(oracle, ours, theirs)
    same = judge(SameWords(normalise=oracle.normalise), ours, theirs) == (False, 0.0)
    assert (distance == 0) == same
    assert deviates == (distance.expected > getattr(oracle, "above", 0.0))


@SOME
@given(SENTENCES, SENTENCES, st.one_of(st.none(), SENTENCES))
def test_transcripts_never_tell_equal_answers_apart(ours, theirs, said):
    assert judge(Transcript(), ours, ours, said) == (False, 0.0)
    there, back = judge(Transcript(), ours, theirs, said), judge(Transcript(), theirs, ours, said)
    assert there == back


def test_oracles_join_and_a_transcript_still_gets_its_labels():
    joined = SameWords() & Transcript(regression=True)
    ours, theirs = observations(["one two", "one oh", "one"]), observations(["one oh", "one two", "two"])
    assert joined.needs_labels
    assert joined.judge(ours, theirs, ["one two", "one two", None]).deviates.tolist() == [True, False, False]
    assert (SameWords() | Transcript()).judge(ours, theirs, [None] * 3).deviates.all()


def test_a_tie_in_either_answer_is_a_tie():
    ours, theirs = observations(["a", "b"], tied=[True, False]), observations(["a", "c"])
    for oracle in (SameWords(), WordErrorRate(), CharacterErrorRate()):
        assert oracle.judge(ours, theirs).tied.tolist() == [True, False]
    assert Transcript().judge(ours, theirs, [None, "b"]).tied.tolist() == [True, False]


@pytest.mark.parametrize("oracle", [SameWords(), WordErrorRate(), CharacterErrorRate()])
def test_what_is_no_sentence_is_a_misfit(oracle):
    with pytest.raises(MisfitError, match=r"needs sentences, and the decoder answers .*3"):
        oracle.judge(observations(np.array([3])), observations(np.array([4])))


def test_a_label_that_is_no_transcript_is_a_misfit():
    with pytest.raises(MisfitError, match="a seed has the label 7"):
        judge(Transcript(), "one", "two", 7)
