"""The decoder `ctc`: sentences from scores of characters, their alphabets, and what does not fit."""

from __future__ import annotations

import json

import numpy as np
import pytest
from attrs import evolve

from dltf.plugin import MisfitError, Quantisation, TensorSpec
from dltf_speech.decoders.alphabet import read_alphabet
from dltf_speech.decoders.ctc import Ctc

ALPHABET = ("-", " ", "a", "b", "c")
SPEC = TensorSpec("logits", (None, None, 5), "float32")


def spoken(*texts, alphabet=ALPHABET, sure=9.0):
    """Logits whose best class is that of each character of these texts."""
    logits = np.zeros((len(texts), len(texts[0]), len(alphabet)), dtype=np.float32)
    for row, text in enumerate(texts):
        logits[row, np.arange(len(text)), [alphabet.index(character) for character in text]] = sure
    return logits


def decoded(values, spec=SPEC, **keys):
    keys = {"alphabet": ALPHABET} | keys
    return Ctc(**keys).settle([spec], {spec.name: values}).decode({spec.name: values})


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("aabb--", "ab"),
        ("a-ab--", "aab"),
        ("------", ""),
        ("--  --", ""),
        (" a b  ", "a b"),
        ("a - b-", "a b"),
        ("abcabc", "abcabc"),
    ],
)
def test_repeats_blanks_and_excess_spaces_are_dropped(said, sentence):
    assert decoded(spoken(said)).decisions == [sentence]


def test_a_sentence_is_as_likely_as_all_ways_to_put_spaces_around_it():
    # Two frames, each "a" or " " with equal odds: "aa" (one a), "a ", " a" read as "a"; "  " as nothing.
    values = np.array([[[0.0, 0.5, 0.5], [0.0, 0.5, 0.5]]], dtype=np.float32)
    seen = decoded(values, SPEC, alphabet=("-", " ", "a"))
    np.testing.assert_allclose(np.exp(seen.score(["a"])), [0.75])
    np.testing.assert_allclose(np.exp(seen.score([""])), [0.25])


def test_its_own_sentences_have_the_scores_it_told():
    seen = decoded(spoken("ab c", "----", "cc-c"))
    np.testing.assert_array_equal(seen.score(seen.decisions), seen.log_scores)
    assert seen.decisions == ["ab c", "", "cc"]


@pytest.mark.parametrize("scores", ["logits", "log_probabilities", "probabilities"])
def test_what_scores_are_is_told_by_their_values(scores):
    logits = np.random.default_rng(0).normal(size=(3, 8, 5))
    odds = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    values = {"logits": logits, "log_probabilities": np.log(odds), "probabilities": odds}[scores].astype(np.float32)
    decoder = Ctc(alphabet=ALPHABET).settle([SPEC], {"logits": values})
    assert decoder.scores == scores
    wanted = decoded(logits, scores="logits").score(["ab", "c", ""])
    np.testing.assert_allclose(decoder.decode({"logits": values}).score(["ab", "c", ""]), wanted, rtol=1e-5)


def test_a_quantised_zero_counts_as_half_a_step():
    spec = TensorSpec("odds", (None, None, 3), "int8", Quantisation(1 / 256, -128))
    values = np.array([[[0.0, 0.996, 0.0]]], dtype=np.float32)
    decoder = Ctc(alphabet=("-", "a", "b")).settle([spec], {"odds": values})
    assert (decoder.scores, decoder.floor) == ("probabilities", 1 / 512)
    np.testing.assert_allclose(decoder.decode({"odds": values}).score(["b"]), [np.log(1 / 512)])


def test_classes_may_come_before_frames():
    values = spoken("ab c")
    assert decoded(values.transpose(0, 2, 1), layout="NCT").decisions == ["ab c"]


def test_the_state_is_the_mean_probability_of_each_class():
    values = np.array([[[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]]], dtype=np.float32)
    seen = decoded(values, alphabet=("-", " ", "a"))
    np.testing.assert_allclose(seen.states, [[0.3, 0.35, 0.35]], rtol=1e-6)


def test_equal_scores_in_a_frame_are_a_tie():
    values = spoken("ab-c", "ab-c")
    values[1, 2, 3] = values[1, 2, 0]
    assert decoded(values).tied.tolist() == [False, True]


def test_bad_numbers_are_told_and_change_no_other_row():
    values = spoken("ab-c", "ab-c", "ab-c")
    values[0, 1, 1], values[2] = np.nan, -np.inf
    seen = decoded(values)
    assert seen.finite.tolist() == [False, True, False]
    np.testing.assert_array_equal(seen.log_scores[1], decoded(values[1:2]).log_scores[0])


def test_no_frames_are_a_sentence_without_words():
    decoder = Ctc(alphabet=ALPHABET).settle([SPEC], {"logits": spoken("ab")})
    seen = decoder.decode({"logits": np.zeros((2, 0, 5), dtype=np.float32)})
    assert (seen.decisions, seen.score(["", "a"]).tolist()) == (["", ""], [0.0, -np.inf])


# --- alphabets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(["-", " ", "a"]),
        json.dumps({"charset": ["-", " ", "a"], "blank": 0}),
        json.dumps({"a": 2, "-": 0, " ": 1}),
        json.dumps({"model": 1, "vocab": {"a": 2, "-": 0, " ": 1}}),
        "# the blank first\n-\n \na\n",
    ],
)
def test_an_alphabet_is_read_from_every_usual_file(tmp_path, text):
    (tmp_path / "alphabet").write_text(text)
    assert read_alphabet(tmp_path / "alphabet") == ("-", " ", "a")


@pytest.mark.parametrize("text", ["", "{}", '{"a": 0, "b": 2}', "[1, 2]", "# nothing\n"])
def test_a_file_without_an_alphabet_is_told(tmp_path, text):
    (tmp_path / "alphabet").write_text(text)
    with pytest.raises(MisfitError, match="lists no characters"):
        read_alphabet(tmp_path / "alphabet")


def test_a_missing_alphabet_file_is_told(tmp_path):
    with pytest.raises(MisfitError, match=r"absent\.json cannot be read"):
        read_alphabet(tmp_path / "absent.json")


def test_a_settled_decoder_has_its_alphabet_and_settles_again(tmp_path):
    (tmp_path / "alphabet.txt").write_text(" \na\nb\nc\n")
    values = spoken("ab-c", alphabet=(*" abc", "-"))
    decoder = Ctc(alphabet_file=tmp_path / "alphabet.txt", blank="last").settle([SPEC], {"logits": values})
    assert (decoder.alphabet, decoder.blank, decoder.alphabet_file) == ((" ", "a", "b", "c", ""), 4, None)
    assert decoder.settle([SPEC], {"logits": values}) == decoder
    assert decoder.decode({"logits": values}).decisions == ["abc"]


def test_a_bar_may_part_words_and_case_may_go():
    alphabet = ("<pad>", "<s>", "|", "A", "'")
    values = np.full((1, 6, 5), -9.0, dtype=np.float32)
    values[0, np.arange(6), [1, 3, 4, 2, 3, 2]] = 9.0
    seen = decoded(values, alphabet=alphabet, separator="|", normalise="lower")
    assert seen.decisions == ["a' a"]
    assert seen.log_scores[0] == pytest.approx(0.0, abs=1e-4)


# --- what does not fit ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"alphabet": ("-", "ab")}, "'alphabet' must list single characters"),
        ({"blank": -1}, "'blank' must be"),
        ({"floor": 0.0}, "'floor' must be"),
        ({"beam_width": 0}, "'beam_width' must be"),
        ({"words": "words.txt"}, "'words' need search"),
        ({"alphabet": ("-",), "alphabet_file": "a.json"}, "'alphabet_file' must be left out"),
        ({"separator": "ab"}, "'separator'"),
        ({"search": "best"}, "'search' must be in"),
    ],
)
def test_settings_are_checked_at_once(keys, wrong):
    with pytest.raises(ValueError, match=wrong):
        Ctc(**keys)


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"alphabet": ()}, "no file tells what the 5 classes"),
        ({"alphabet": ALPHABET[:4]}, "the alphabet has 4 entries"),
        ({"alphabet": (*ALPHABET, "d")}, "the alphabet has 6 entries"),
        ({"blank": 5}, "its blank is number 5"),
        ({"output": "other"}, "one output is needed"),
    ],
)
def test_a_model_of_other_classes_is_a_misfit(keys, wrong):
    with pytest.raises(MisfitError, match=wrong):
        decoded(spoken("ab-c"), **keys)


def test_a_file_of_word_pieces_is_a_misfit(tmp_path):
    (tmp_path / "vocab.json").write_text(json.dumps(["<pad>", "the", "a", "b", "c"]))
    with pytest.raises(MisfitError, match="word pieces"):
        decoded(spoken("ab-c"), alphabet=(), alphabet_file=tmp_path / "vocab.json")


def test_a_character_that_normalising_makes_two_of_is_a_misfit():
    with pytest.raises(MisfitError, match='"ß" reads as 2 characters, "SS"'):
        decoded(np.zeros((1, 3, 2), dtype=np.float32), alphabet=("-", "ß"), normalise="upper")


def test_settings_survive_a_change_of_one():
    decoder = Ctc(alphabet=ALPHABET).settle([SPEC], {"logits": spoken("ab-c")})
    assert decoder.decode({"logits": spoken("ab-c")}).decisions == ["abc"]
    assert evolve(decoder, blank=3).decode({"logits": spoken("ab-c")}).decisions == ["a-c"]
