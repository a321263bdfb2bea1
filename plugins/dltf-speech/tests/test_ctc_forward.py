"""The forward algorithm against all alignments, one by one, and against PyTorch."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from dltf.plugin import TensorSpec
from dltf_speech.decoders.ctc import Ctc

ALPHABET = ("-", "a", "b")
SPACED = ("-", " ", "a")


def settled(alphabet, values, **keys):
    spec = TensorSpec("logits", (None, *values.shape[1:]), "float32")
    return Ctc(alphabet=alphabet, scores="logits", **keys).settle([spec], {"logits": values})


def random_logits(seed, n, frames, classes, spread=2.0):
    return (np.random.default_rng(seed).normal(size=(n, frames, classes)) * spread).astype(np.float32)


def read(path, alphabet, blank=0):
    kept = [label for i, label in enumerate(path) if label != blank and (i == 0 or path[i - 1] != label)]
    return " ".join("".join(alphabet[label] for label in kept).split())


def by_hand(logits, alphabet, reads=read):
    """The probability of every sentence, from all alignments."""
    powers = np.exp(logits.astype(np.float64))
    odds = powers / powers.sum(axis=1, keepdims=True)
    totals = {}
    for path in product(range(len(alphabet)), repeat=len(odds)):
        sentence = reads(path, alphabet)
        totals[sentence] = totals.get(sentence, 0.0) + float(np.prod(odds[np.arange(len(odds)), list(path)]))
    return totals


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.sampled_from([ALPHABET, SPACED, ("-", " ", "a", "b")]))
def test_a_sentence_scores_what_all_its_alignments_add_up_to(seed, frames, alphabet):
    logits = random_logits(seed, 1, frames, len(alphabet))
    totals = by_hand(logits[0], alphabet)
    seen = settled(alphabet, logits).decode({"logits": logits})
    found = [np.exp(seen.score([sentence])[0]) for sentence in totals]
    np.testing.assert_allclose(found, list(totals.values()), rtol=1e-9)
    assert sum(found) == pytest.approx(1.0)


def test_marks_and_both_cases_fold_into_what_is_read():
    alphabet = ("<pad>", "a", "A", ".", "<unk>")

    def reads(path, _):
        fold = {1: "a", 2: "a"}
        letters = [fold.get(label, "") for label in path]
        return "".join(one for i, one in enumerate(letters) if one and (i == 0 or letters[i - 1] != one))

    logits = random_logits(3, 1, 4, 5)
    totals = by_hand(logits[0], alphabet, reads)
    decoder = settled(alphabet, logits, normalise="lower")
    seen = evolve(decoder, alphabet=("<pad>", "a", "A", "", "<unk>")).decode({"logits": logits})
    np.testing.assert_allclose([np.exp(seen.score([s])[0]) for s in totals], list(totals.values()), rtol=1e-9)


def test_pytorch_gives_the_same_scores():
    logits = random_logits(1, 12, 40, 9)
    sentences = ["abc", "aab", "hh", "", "abcdefgh", "gggg", "ab", "cde", "a", "hgfedcba", "abab", "bbbb"]
    alphabet = ("-", *"abcdefgh")
    seen = settled(alphabet, logits).decode({"logits": logits})
    targets = [
        torch.tensor([alphabet.index(letter) for letter in sentence], dtype=torch.long) for sentence in sentences
    ]
    losses = torch.nn.functional.ctc_loss(
        torch.log_softmax(torch.tensor(logits, dtype=torch.float64), dim=2).transpose(0, 1),
        torch.nn.utils.rnn.pad_sequence(targets, batch_first=True),
        torch.full((12,), 40),
        torch.tensor([len(target) for target in targets]),
        reduction="none",
    )
    np.testing.assert_allclose(seen.score(sentences), -losses.numpy(), rtol=1e-12)


def test_what_underflows_is_scored_in_logarithms():
    logits = random_logits(2, 3, 60, 3, spread=200.0)
    seen = settled(ALPHABET, logits).decode({"logits": logits})
    scores = seen.score(["ab" * 8] * 3)
    target = torch.tensor([[1, 2] * 8] * 3)
    logs = torch.log_softmax(torch.tensor(logits, dtype=torch.float64), dim=2).transpose(0, 1)
    losses = torch.nn.functional.ctc_loss(logs, target, torch.full((3,), 60), torch.full((3,), 16), reduction="none")
    assert (scores < np.log(1e-200)).all()
    np.testing.assert_allclose(scores, -losses.numpy(), rtol=1e-12)


@pytest.mark.parametrize("sentence", ["abz", "aabb", "abababa", "A"])
def test_a_sentence_that_cannot_be_given_scores_minus_infinity(sentence):
    logits = random_logits(4, 1, 5, 3)
    assert settled(ALPHABET, logits).decode({"logits": logits}).score([sentence]) == [-np.inf]


def test_the_longest_sentence_that_fits_has_a_score():
    logits = random_logits(4, 1, 5, 3)
    assert np.isfinite(settled(ALPHABET, logits).decode({"logits": logits}).score(["aabb"[:3]])[0])


def test_nothing_said_is_all_silence():
    logits = random_logits(5, 2, 7, 3)
    seen = settled(ALPHABET, logits).decode({"logits": logits})
    logs = torch.log_softmax(torch.tensor(logits, dtype=torch.float64), dim=2)
    np.testing.assert_allclose(seen.score(["", ""]), logs[:, :, 0].sum(dim=1).numpy(), rtol=1e-12)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.lists(st.text("ab ", max_size=9), min_size=4, max_size=4))
def test_a_row_scores_the_same_bits_alone_and_beside_longer_sentences(seed, sentences):
    logits = random_logits(seed, 4, 12, 4, spread=30.0)
    decoder = settled(("-", " ", "a", "b"), logits)
    together = decoder.decode({"logits": logits})
    scores = together.score(sentences)
    for row, sentence in enumerate(sentences):
        alone = decoder.decode({"logits": logits[row : row + 1]})
        assert alone.score([sentence]).tobytes() == scores[row : row + 1].tobytes()
        assert together.take([row]).score([sentence]).tobytes() == scores[row : row + 1].tobytes()


def test_taking_rows_twice_takes_the_right_ones():
    logits = random_logits(6, 5, 9, 3)
    seen = settled(ALPHABET, logits).decode({"logits": logits})
    twice = seen.take([4, 2, 0]).take(np.array([2, 0]))
    np.testing.assert_array_equal(twice.score(["ab", "ab"]), seen.score(["ab"] * 5)[[0, 4]])


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_the_best_alignment_alone_scores_what_it_does_by_hand(seed, frames):
    logits = random_logits(seed, 1, frames, 3)
    logs = torch.log_softmax(torch.tensor(logits[0], dtype=torch.float64), dim=1).numpy()
    best = {}
    for path in product(range(3), repeat=frames):
        sentence, score = read(path, SPACED), logs[np.arange(frames), list(path)].sum()
        best[sentence] = max(best.get(sentence, -np.inf), score)
    seen = settled(SPACED, logits, alignments="best").decode({"logits": logits})
    np.testing.assert_allclose([seen.score([sentence])[0] for sentence in best], list(best.values()), rtol=1e-12)
    assert seen.log_scores[0] == pytest.approx(max(best.values()), rel=1e-12)
