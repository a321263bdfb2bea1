"""Tables of sound files."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from dltf.plugin import SeedError, SeedSourceError
from dltf_speech.seeds.manifest import Manifest

RAMP = np.arange(-8000, 8000, dtype=np.int16)  # one second: its values tell where a part is from


@pytest.fixture
def table(tmp_path):
    """Write a table beside two clips of one second, and return its path."""
    (tmp_path / "clips").mkdir()
    for name in ("a.wav", "b.flac"):
        soundfile.write(tmp_path / "clips" / name, RAMP, 16000)

    def write(name, *rows):
        text = "\n".join(json.dumps(row) if isinstance(row, dict) else row for row in rows)
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
        return tmp_path / name

    return write


def test_nemos_keys_are_read_as_they_are(table):
    path = table(
        "train_manifest.json",
        {"audio_filepath": "clips/a.wav", "text": "Hello there", "duration": 1.0, "speaker": "ann", "age": 7},
        {"audio_filepath": "clips/b.flac", "text": "good  bye", "duration": 0.25, "offset": 0.5},
    )
    seeds = Manifest(path).open()
    first, second = seeds
    assert (first.name, first.label, first.sample.tolist()) == ("clips/a.wav", "Hello there", RAMP.tolist())
    assert (first.columns["speaker"], first.columns["age"]) == ("ann", 7)
    assert (second.name, second.label) == ("clips/b.flac@0.5s", "good bye")
    assert second.sample.tolist() == RAMP[8000:12000].tolist()
    assert seeds.source["rows"] == 2


def test_csv_and_other_column_names_do_as_well(table):
    path = table("t.csv", "wav,words,site,loud", "clips/a.wav,7 5,north,3", 'clips/b.flac,"one, two",south,4')
    seeds = list(Manifest(path, audio="wav", text="words", normalise="letters").open())
    assert [seed.label for seed in seeds] == ["", "one two"]
    assert [seed.columns["loud"] for seed in seeds] == [3, 4]
    assert [seed.columns["site"] for seed in seeds] == ["north", "south"]
    assert [seed.label for seed in Manifest(path, audio="wav", text="words").open()] == ["7 5", "one, two"]


def test_a_text_of_figures_stays_as_it_is_written(table):
    path = table("t.csv", "audio_filepath,text", "clips/a.wav,07", "clips/b.flac,1e3")
    assert [seed.label for seed in Manifest(path).open()] == ["07", "1e3"]


def test_labels_of_classes_are_numbers(table):
    path = table("t.csv", "audio_filepath,label", "clips/a.wav,yes", "clips/b.flac,no")
    assert [seed.label for seed in Manifest(path).open()] == [1, 0]
    assert [seed.label for seed in Manifest(path, classes=("up", "yes", "no")).open()] == [1, 2]


def test_a_transcript_without_its_clip_is_refused_or_counted(table):
    path = table("t.jsonl", {"audio_filepath": "clips/a.wav", "text": "x"}, {"audio_filepath": "gone.wav", "text": "y"})
    with pytest.raises(SeedSourceError, match=r"clips that are not there: gone\.wav \(line 2\)") as error:
        Manifest(path).open()
    assert 'missing = "skip"' in error.value.hint
    seeds = Manifest(path, missing="skip").open()
    assert len(seeds) == 1
    assert seeds.source["transcripts_without_clip"] == 1


def test_a_clip_without_its_transcript_is_refused_or_counted(table):
    path = table("t.jsonl", {"audio_filepath": "clips/a.wav", "text": "x"}, {"audio_filepath": "clips/b.flac"})
    with pytest.raises(SeedSourceError, match=r'rows without "text": clips/b\.flac \(line 2\)'):
        Manifest(path).open()
    seeds = Manifest(path, missing="skip").open()
    assert (len(seeds), seeds.source["clips_without_transcript"]) == (1, 1)
    assert [seed.label for seed in Manifest(path, labels="none").open()] == [None, None]


def test_a_part_beyond_the_file_is_a_seed_error(table):
    path = table("t.jsonl", {"audio_filepath": "clips/a.wav", "duration": 1.5})
    with pytest.raises(SeedError, match=r"1\.5 s long, is wanted of 1\.000 s"):
        Manifest(path).open()[0]


def test_a_length_that_was_rounded_up_is_the_whole_file(table):
    path = table("t.jsonl", {"audio_filepath": "clips/a.wav", "duration": 1.04})
    assert len(Manifest(path).open()[0].sample) == 16000


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('{"audio_filepath": "clips/a.wav", "duration": "long"}', r"line 1: \"duration\" is 'long'"),
        ('{"audio_filepath": "clips/a.wav", "offset": -1}', 'line 1: "offset" is -1'),
        ('{"audio_filepath": "clips/a.wav", "duration": 0}', 'line 1: "duration" is 0'),
        ('{"audio_filepath": 3}', 'line 1: "audio_filepath" is 3'),
        ('{"audio_file": "clips/a.wav"}', 'no column "audio_filepath"; did you mean "audio_file"'),
        ('{"audio_filepath": "clips/a.wav"', "line 1: this is no JSON"),
        ('["clips/a.wav"]', "line 1: this is no JSON object"),
        ("", "has no rows"),
    ],
)
def test_a_mistake_is_named_with_its_line(table, row, told):
    with pytest.raises(SeedSourceError, match=told):
        Manifest(table("t.jsonl", row)).open()


def test_a_table_is_a_csv_or_a_json_file(tmp_path):
    with pytest.raises(ValueError, match="path"):
        Manifest(tmp_path / "table.xlsx")
    with pytest.raises(SeedSourceError, match="there is no file"):
        Manifest(tmp_path / "table.csv").open()
