"""Public sets of recordings, in the layouts that they come in."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dltf.plugin import SeedSourceError
from dltf_speech.seeds.commands import TWELVE, SpeechCommands
from dltf_speech.seeds.digits import WORDS, SpokenDigits
from dltf_speech.seeds.librispeech import LibriSpeech

CLIP = np.arange(-400, 400, dtype=np.int16)
HERE = Path(os.environ.get("DLTF_DATA", "nowhere"))
needs_digits = pytest.mark.skipif(
    not (HERE / "fsdd_flac.npz").is_file(), reason="no fsdd_flac.npz: put it into the folder that DLTF_DATA names"
)


def put(folder: Path, *names: str, rate_hz: int = 16000) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, CLIP, rate_hz)


# --- LibriSpeech ---------------------------------------------------------------------------------------------------


@pytest.fixture
def chapters(tmp_path):
    put(tmp_path, "test-clean/61/70968/61-70968-0000.flac", "test-clean/61/70968/61-70968-0001.flac")
    put(tmp_path, "dev-other/116/288045/116-288045-0000.flac")
    texts = {
        "test-clean/61/70968/61-70968.trans.txt": "61-70968-0000 HE BEGAN\n61-70968-0001 IT'S LATE\n",
        "dev-other/116/288045/116-288045.trans.txt": "116-288045-0000 AS I\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_librispeech_gives_words_speakers_chapters_and_parts(chapters):
    seeds = list(LibriSpeech(chapters, normalise="lower").open())
    assert [seed.label for seed in seeds] == ["as i", "he began", "it's late"]
    assert seeds[1].name == "test-clean/61/70968/61-70968-0000"
    told = {"speaker": "61", "chapter": "70968", "part": "test-clean"}
    assert {name: seeds[1].columns[name] for name in told} == told


@pytest.mark.parametrize("under", ["test-clean", "test-clean/61", "test-clean/61/70968"])
def test_librispeech_may_be_opened_at_any_depth(chapters, under):
    seeds = list(LibriSpeech(chapters / under).open())
    assert [(seed.columns["speaker"], seed.columns["chapter"]) for seed in seeds] == [("61", "70968")] * 2
    assert all("part" not in seed.columns for seed in seeds)


def test_an_utterance_without_its_clip_or_words_is_refused_or_counted(chapters):
    (chapters / "dev-other/116/288045/116-288045-0000.flac").unlink()
    put(chapters, "test-clean/61/70968/61-70968-0002.flac")
    with pytest.raises(SeedSourceError, match=r"names: test-clean/61/70968/61-70968-0002\.flac"):
        LibriSpeech(chapters).open()
    source = LibriSpeech(chapters, missing="skip").open().source
    assert (source["clips_without_transcript"], source["transcripts_without_clip"]) == (1, 1)


def test_a_folder_of_another_layout_is_said(tmp_path):
    put(tmp_path, "a.wav")
    with pytest.raises(SeedSourceError, match=r"there is no \*\.trans\.txt") as error:
        LibriSpeech(tmp_path).open()
    assert "speech.folder" in error.value.hint


# --- the free spoken digits ----------------------------------------------------------------------------------------


def test_recordings_are_split_as_their_authors_do(tmp_path):
    names = [f"{digit}_{who}_{number}.wav" for digit in (0, 7) for who in ("theo", "lucas") for number in (0, 4, 5, 49)]
    put(tmp_path, *names, "other.wav", rate_hz=8000)
    test, train = (SpokenDigits(tmp_path, split=split, rate_hz=8000).open() for split in ("test", "train"))
    assert [seed.name for seed in test][:3] == ["0_lucas_0.wav", "0_lucas_4.wav", "0_theo_0.wav"]
    assert {seed.name[-5] for seed in train} == {"5", "9"}
    assert [seed.label for seed in test] == [0] * 4 + [7] * 4
    assert [seed.label for seed in SpokenDigits(tmp_path, labels="text").open()] == ["zero"] * 4 + ["seven"] * 4
    assert {seed.columns["speaker"] for seed in test} == {"theo", "lucas"}


@needs_digits
def test_the_archive_holds_all_recordings():
    test, train = (SpokenDigits(split=split, rate_hz=8000).open() for split in ("test", "train"))
    assert (len(test), len(train)) == (300, 2700)
    assert test.source["licence"] == "CC BY-SA 4.0"
    seed = test[0]
    assert (seed.name, seed.label, seed.columns["speaker"], len(seed.sample)) == ("0_george_0", 0, "george", 2384)
    assert Counter(seed.label for seed in test) == dict.fromkeys(range(10), 30)
    spoken = [seed.label for seed in SpokenDigits(labels="text", rate_hz=8000).open()]
    assert [WORDS[seed.label] for seed in test] == spoken


@needs_digits
def test_the_archive_is_resampled_to_the_rate_of_the_campaign():
    seeds = SpokenDigits().open()
    assert len(seeds[0].sample) == 2 * 2384
    assert seeds.source["resampled"] == 300


def test_without_the_set_the_message_says_where_to_get_it(tmp_path, monkeypatch):
    monkeypatch.delenv("DLTF_DATA", raising=False)
    with pytest.raises(SeedSourceError, match=r"there is no fsdd_flac\.npz, as DLTF_DATA names no folder") as error:
        SpokenDigits().open()
    assert "free-spoken-digit-dataset" in error.value.hint
    put(tmp_path, "a.wav")
    with pytest.raises(SeedSourceError, match="has no recordings of the test part"):
        SpokenDigits(tmp_path).open()


# --- Speech Commands -----------------------------------------------------------------------------------------------


@pytest.fixture
def words(tmp_path):
    put(tmp_path, "yes/0a_nohash_0.wav", "yes/0b_nohash_0.wav", "no/0a_nohash_0.wav", "bed/0c_nohash_1.wav")
    put(tmp_path, "_background_noise_/rain.wav", "_silence_/s.wav", "up/0d_nohash_0.wav")
    (tmp_path / "testing_list.txt").write_text("yes/0a_nohash_0.wav\nbed/0c_nohash_1.wav\n")
    (tmp_path / "validation_list.txt").write_text("no/0a_nohash_0.wav\n")
    return tmp_path


def told(source: SpeechCommands):
    return [(seed.name, seed.label) for seed in source.open()]


def test_commands_have_the_classes_of_the_keyword_model(words):
    assert TWELVE[9:] == ("yes", "silence", "unknown")
    assert told(SpeechCommands(words)) == [("bed/0c_nohash_1.wav", 11), ("yes/0a_nohash_0.wav", 9)]
    assert told(SpeechCommands(words, split="validation")) == [("no/0a_nohash_0.wav", 3)]
    rest = [("_silence_/s.wav", 10), ("up/0d_nohash_0.wav", 8), ("yes/0b_nohash_0.wav", 9)]
    assert told(SpeechCommands(words, split="train")) == rest
    assert len(told(SpeechCommands(words, split="all"))) == 6


def test_words_of_no_class_are_left_out_and_counted(words):
    source = SpeechCommands(words, classes=("no", "yes"))
    assert told(source) == [("yes/0a_nohash_0.wav", 1)]
    assert source.open().source["of_other_words"] == 1
    everything = SpeechCommands(words, classes=(), split="all").open()
    assert everything.source["classes"] == {"bed": 0, "no": 1, "silence": 2, "up": 3, "yes": 4}


def test_commands_say_word_and_speaker(words):
    seed = SpeechCommands(words).open()[1]
    assert (seed.columns["word"], seed.columns["speaker"]) == ("yes", "0a")


def test_a_listed_clip_that_is_not_there_is_refused_or_counted(words):
    (words / "yes/0a_nohash_0.wav").unlink()
    with pytest.raises(
        SeedSourceError, match=r"testing_list\.txt names clips that are not there: yes/0a_nohash_0\.wav"
    ):
        SpeechCommands(words).open()
    assert SpeechCommands(words, missing="skip").open().source["listed_without_clip"] == 1


def test_a_folder_without_lists_says_how_to_read_it(words):
    (words / "testing_list.txt").unlink()
    with pytest.raises(SeedSourceError, match=r"there is no testing_list\.txt") as error:
        SpeechCommands(words).open()
    assert 'split = "all"' in error.value.hint
