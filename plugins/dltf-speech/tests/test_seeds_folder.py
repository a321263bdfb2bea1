"""Folders of clips: classes by sub-folder, transcripts by neighbour."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from dltf.plugin import SeedSourceError
from dltf_speech.seeds.folder import Folder

CLIP = np.arange(-400, 400, dtype=np.int16)


@pytest.fixture
def put(tmp_path):
    def put(*names, text=None):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(tmp_path / name, CLIP, 16000)
            if text is not None:
                (tmp_path / name).with_suffix(".txt").write_text(text, encoding="utf-8")
        return tmp_path

    return put


def told(folder: Folder):
    return [(seed.name, seed.label) for seed in folder.open()]


def test_sub_folders_are_classes_by_the_order_of_their_names(put):
    path = put("yes/1.wav", "no/1.wav", "no/2.flac", "lone.wav", ".hidden/3.wav")
    assert told(Folder(path)) == [("lone.wav", None), ("no/1.wav", 0), ("no/2.flac", 0), ("yes/1.wav", 1)]
    assert Folder(path).open().source["classes"] == {"no": 0, "yes": 1}


def test_classes_name_their_order(put):
    path = put("yes/1.wav", "no/1.wav")
    assert told(Folder(path, classes=("yes", "maybe", "no"))) == [("no/1.wav", 2), ("yes/1.wav", 0)]
    with pytest.raises(SeedSourceError, match='the class "no" is not among') as error:
        Folder(path, classes=("yes", "now")).open()
    assert 'did you mean "now"' in error.value.message


def test_folders_that_are_numbers_are_those_classes(put):
    assert told(Folder(put("7/1.wav", "10/1.wav"))) == [("10/1.wav", 10), ("7/1.wav", 7)]


def test_the_text_beside_a_clip_is_its_label(put):
    path = put("a.wav", "deep/b.flac", text="﻿Don’t  stop,\n NOW!\n")
    assert told(Folder(path, normalise="letters")) == [("a.wav", "don't stop now"), ("deep/b.flac", "don't stop now")]
    assert Folder(path).open().source["labels"] == "transcripts"
    assert told(Folder(path, labels="none")) == [("a.wav", None), ("deep/b.flac", None)]


def test_a_clip_without_its_transcript_is_refused_or_counted(put):
    put("a.wav", text="one")
    path = put("b.wav", "c.wav")
    with pytest.raises(SeedSourceError, match=r"clips without a transcript beside them: b\.wav, c\.wav") as error:
        Folder(path).open()
    assert 'missing = "skip"' in error.value.hint
    seeds = Folder(path, missing="skip").open()
    assert [seed.name for seed in seeds] == ["a.wav"]
    assert seeds.source["clips_without_transcript"] == 2


def test_a_transcript_without_its_clip_is_refused_or_counted(put):
    path = put("a.wav", text="one")
    (path / "b.txt").write_text("two")
    (path / "README.txt").write_text("what this is")
    with pytest.raises(SeedSourceError, match=r"transcripts without a clip beside them: b\.txt"):
        Folder(path).open()
    assert Folder(path, missing="skip").open().source["transcripts_without_clip"] == 1


def test_transcripts_that_are_asked_for_have_to_be_there(put):
    with pytest.raises(SeedSourceError, match=r"no clip in .* has a transcript"):
        Folder(put("a.wav"), labels="transcripts", missing="skip").open()


def test_a_text_that_is_no_utf_8_is_named(put):
    path = put("a.wav", text="x")
    (path / "a.txt").write_bytes("é".encode("latin-1"))
    with pytest.raises(SeedSourceError, match=r"a\.txt: the byte 0xe9 is no UTF-8"):
        Folder(path).open()


def test_librispeechs_layout_is_recognised(put):
    path = put("1/2/1-2-0000.flac")
    (path / "1/2/1-2.trans.txt").write_text("1-2-0000 HELLO\n")
    with pytest.raises(SeedSourceError) as error:
        Folder(path).open()
    assert 'use = "speech.librispeech"' in error.value.hint


def test_a_path_that_is_no_folder_is_said(put):
    path = put("a.wav")
    for wrong, said in ((path / "a.wav", "is a file"), (path / "nowhere", "there is no folder")):
        with pytest.raises(SeedSourceError, match=said):
            Folder(wrong).open()


def test_settings_are_checked_when_they_are_given(tmp_path):
    for wrong in ({"labels": "text"}, {"missing": "maybe"}, {"normalise": "all"}, {"classes": ("a", "a")}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Folder(tmp_path, **wrong)
