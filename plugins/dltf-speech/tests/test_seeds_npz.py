"""Clips end to end in an archive."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from dltf.plugin import SeedError, SeedSourceError
from dltf_speech.seeds.npz import Npz

SAMPLES = np.arange(1000, dtype=np.int16)
OFFSETS = np.array([0, 300, 1000])
HERE = Path(os.environ.get("DLTF_DATA", "nowhere"))


@pytest.fixture
def saved(tmp_path):
    def save(**arrays):
        given = {"samples": SAMPLES, "offsets": OFFSETS, "sample_rate": 16000, **arrays}
        np.savez(tmp_path / "a.npz", **{key: value for key, value in given.items() if value is not None})
        return tmp_path / "a.npz"

    return save


def test_clips_are_cut_where_the_offsets_say(saved):
    first, second = Npz(saved(text=["one two", "Three  Four"]), normalise="lower").open()
    assert (first.sample.tolist(), first.label, first.name) == (list(range(300)), "one two", "a/00000")
    assert (second.sample.tolist(), second.label) == (list(range(300, 1000)), "three four")


def test_clips_of_one_length_need_no_offsets(saved):
    seeds = Npz(saved(samples=SAMPLES.reshape(4, 250), offsets=None, label=[3, 1, 4, 1])).open()
    assert [seed.label for seed in seeds] == [3, 1, 4, 1]
    assert seeds[2].sample.tolist() == list(range(500, 750))


def test_texts_with_figures_spelt_out_come_first_unless_another_array_is_named(saved):
    path = saved(text=["7", "8"], text_norm=["SEVEN", "EIGHT"], id=["x", "y"], site=["north", "south"])
    assert [seed.label for seed in Npz(path).open()] == ["SEVEN", "EIGHT"]
    seeds = Npz(path, text="text", columns=("site",)).open()
    assert [(seed.name, seed.label, seed.columns["site"]) for seed in seeds] == [
        ("x", "7", "north"),
        ("y", "8", "south"),
    ]


def test_another_rate_is_resampled_and_said_or_refused(saved):
    path = saved(sample_rate=8000)
    seeds = Npz(path).open()
    assert [len(seed.sample) for seed in seeds] == [600, 1400]
    assert (seeds.source["resampled"], seeds.source["rate_of_the_file_hz"]) == (2, 8000)
    assert Npz(path, rate_hz=8000).open()[0].sample.tolist() == list(range(300))
    with pytest.raises(SeedSourceError, match="are of 8000 Hz, and those of the campaign of 16000 Hz"):
        Npz(path, resample=False).open()


def test_a_clip_of_no_length_is_a_seed_error_and_the_others_are_read(saved):
    seeds = Npz(saved(offsets=[0, 300, 300, 1000])).open()
    with pytest.raises(SeedError, match="its length is 0"):
        seeds[1]
    assert len(seeds[2].sample) == 700


def test_a_seed_is_a_copy(saved):
    seeds = Npz(saved()).open()
    seeds[0].sample[:] = 7
    assert seeds[0].sample.tolist() == list(range(300))


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"samples": SAMPLES / 1000}, '"samples" of .* is float64'),
        ({"offsets": [0, 300]}, "are no clips end to end"),
        ({"offsets": [0, 700, 300, 1000]}, "are no clips end to end"),
        ({"offsets": None}, 'has no array "offsets"'),
        ({"sample_rate": None}, 'has no array "sample_rate"'),
        ({"sample_rate": 0}, '"sample_rate" of .* not one integer'),
        ({"text": ["one"]}, '"text" of .* it has to be 2'),
        ({"label": [0.5, 1.5]}, 'the labels "label" of .* not 2 integers'),
    ],
)
def test_what_does_not_fit_is_said(saved, arrays, told):
    with pytest.raises(SeedSourceError, match=told):
        Npz(saved(**arrays)).open()


def test_nothing_is_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", samples=np.array([{}], dtype=object), offsets=[0, 1], sample_rate=1)
    with pytest.raises(SeedSourceError, match="cannot be read"):
        Npz(tmp_path / "a.npz").open()


@pytest.mark.skipif(not (HERE / "speech_16k.npz").is_file(), reason="no speech_16k.npz: set DLTF_DATA to its folder")
def test_the_read_utterances_have_their_words():
    seeds = Npz(HERE / "speech_16k.npz", normalise="letters", columns=("speaker",)).open()
    assert len(seeds) == 34
    assert (seeds[1].name, seeds[1].label) == ("LJ001-0002", "in being comparatively modern")
    assert seeds[1].columns["speaker"] == "LJ"
    assert sum(len(seed.sample) for seed in seeds) == 2_360_948
    assert "LibriSpeech: CC BY 4.0; repo Apache-2.0" in seeds.source["licence"]


@pytest.mark.skipif(not (HERE / "digit_strings.npz").is_file(), reason="no digit_strings.npz: set DLTF_DATA")
def test_the_digit_strings_have_their_words_at_their_rate():
    seeds = Npz(HERE / "digit_strings.npz", rate_hz=8000).open()
    assert (len(seeds), seeds[0].label, len(seeds[0].sample)) == (200, "seven five one five nine", 24857)
