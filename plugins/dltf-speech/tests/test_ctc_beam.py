"""Prefix beam search against every sentence there is."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dltf.plugin import MisfitError, TensorSpec
from dltf_speech.decoders.ctc import Ctc

ALPHABET = ("-", " ", "a", "b")


def settled(values, **keys):
    spec = TensorSpec("logits", (None, *values.shape[1:]), "float32")
    keys = {"alphabet": ALPHABET, "scores": "logits", "search": "beam"} | keys
    return Ctc(**keys).settle([spec], {"logits": values})


def random_logits(seed, n=3, frames=5, spread=2.0):
    return (np.random.default_rng(seed).normal(size=(n, frames, len(ALPHABET))) * spread).astype(np.float32)


def best_of(decoder, values, sentences):
    """The likeliest of these sentences for each row, by the forward algorithm."""
    seen = decoder.decode({"logits": values})
    scores = np.array([seen.score([sentence] * len(values)) for sentence in sentences])
    return [sentences[at] for at in scores.argmax(axis=0)]


def every_sentence(frames):
    texts = ("".join(text) for length in range(frames + 1) for text in product(" ab", repeat=length))
    return sorted({" ".join(text.split()) for text in texts})


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.floats(0.1, 4.0))
def test_a_wide_beam_finds_the_likeliest_sentence_of_all(seed, frames, spread):
    values = random_logits(seed, frames=frames, spread=spread)
    decoder = settled(values, beam_width=400)
    assert decoder.decode({"logits": values}).decisions == best_of(decoder, values, every_sentence(frames))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_with_a_word_list_it_finds_the_likeliest_sentence_of_these_words(seed, frames):
    words = ("ab", "b", "baa")
    values = random_logits(seed, frames=frames)
    decoder = settled(values, beam_width=400, words=WORD_LIST)
    allowed = [text for text in every_sentence(frames) if all(word in words for word in text.split())]
    assert decoder.decode({"logits": values}).decisions == best_of(decoder, values, allowed)


@pytest.fixture(autouse=True, scope="module")
def _word_list(tmp_path_factory):
    global WORD_LIST  # noqa: PLW0603 - Hypothesis runs many examples in one test, and fixtures are for one
    WORD_LIST = tmp_path_factory.mktemp("words") / "words.txt"
    WORD_LIST.write_text("ab b\nbaa\nzebra\n")


def test_it_adds_up_what_greedy_reading_takes_apart():
    # Each frame prefers the blank (0.4), and yet "a" (0.3 in each frame, in three alignments) is likelier than nothing.
    values = np.log(np.array([[[0.4, 0.0001, 0.35, 0.2499]] * 2], dtype=np.float32))
    assert settled(values, search="greedy").decode({"logits": values}).decisions == [""]
    assert settled(values).decode({"logits": values}).decisions == ["a"]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_a_row_is_read_the_same_alone(seed, width):
    values = random_logits(seed, n=4, frames=12)
    decoder = settled(values, beam_width=width)
    together = decoder.decode({"logits": values})
    for row in range(4):
        alone = decoder.decode({"logits": values[row : row + 1]})
        assert alone.decisions == together.decisions[row : row + 1]
        assert alone.log_scores.tobytes() == together.log_scores[row : row + 1].tobytes()


def test_an_unfinished_word_is_dropped_where_no_beam_has_a_whole_one():
    values = np.full((1, 5, 4), -60.0, dtype=np.float32)
    values[0, np.arange(5), [2, 3, 1, 3, 2]] = 60.0  # "ab ba", and there is no word "ba"
    assert settled(values, beam_width=1, words=WORD_LIST).decode({"logits": values}).decisions == ["ab"]


def test_two_sentences_that_are_as_likely_are_a_tie():
    values = np.full((2, 1, 4), -60.0, dtype=np.float32)
    values[:, 0, 2] = 1.0
    values[0, 0, 3] = 1.0
    assert settled(values).decode({"logits": values}).tied.tolist() == [True, False]


def test_bad_numbers_change_no_other_row():
    values = random_logits(0)
    clean = settled(values).decode({"logits": values})
    values[0, 2] = np.nan
    seen = settled(values).decode({"logits": values})
    assert seen.decisions[1:] == clean.decisions[1:]
    assert seen.finite.tolist() == [False, True, True]


def test_words_that_the_alphabet_cannot_spell_are_a_misfit(tmp_path):
    (tmp_path / "words.txt").write_text("ONE TWO")
    with pytest.raises(MisfitError, match="spells none of the 2 words"):
        settled(random_logits(0), words=tmp_path / "words.txt")


def test_a_missing_word_list_is_a_misfit(tmp_path):
    with pytest.raises(MisfitError, match=r"word list .* cannot be read"):
        settled(random_logits(0), words=tmp_path / "absent.txt")
