"""Folders of pictures: order, labels, laziness, and what is wrong with a file or a folder."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dltf.plugin import SeedError, SeedSourceError
from dltf_image.seeds.folder import Folder


def put(folder, *names):
    for position, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (3, 2), position).save(path)


def listed(seeds):
    return [(seed.name, seed.label) for seed in (seeds[index] for index in range(len(seeds)))]


def test_folders_named_by_numbers_give_these_labels(tmp_path):
    put(tmp_path, "10/a.png", "2/b.png", "2/deep/c.png")
    assert listed(Folder(tmp_path).open()) == [("10/a.png", 10), ("2/b.png", 2), ("2/deep/c.png", 2)]


def test_other_folders_give_their_position_and_the_source_says_which(tmp_path):
    put(tmp_path, "dog/b.png", "cat/a.png", "7/c.png", "alone.png")
    seeds = Folder(tmp_path).open()
    assert listed(seeds) == [("7/c.png", 0), ("alone.png", None), ("cat/a.png", 1), ("dog/b.png", 2)]
    assert seeds.source["classes"] == {"7": 0, "cat": 1, "dog": 2}


def test_labels_can_be_left_out(tmp_path):
    put(tmp_path, "1/a.png", "2/b.png")
    assert listed(Folder(tmp_path, labels="none").open()) == [("1/a.png", None), ("2/b.png", None)]


def test_hidden_and_other_files_are_left_out(tmp_path):
    put(tmp_path, "a.PNG", ".thumbnails/b.png", ".c.png")
    (tmp_path / "notes.txt").write_text("nothing")
    assert listed(Folder(tmp_path).open()) == [("a.PNG", None)]


def test_a_file_is_read_when_it_is_asked_for(tmp_path):
    put(tmp_path, "a.png", "b.png")
    seeds = Folder(tmp_path).open()
    (tmp_path / "b.png").write_bytes(b"")
    assert np.array_equal(seeds[0].sample, np.zeros((2, 3, 1), np.uint8))
    with pytest.raises(SeedError, match=r"b\.png: the file is empty"):
        seeds[1]
    (tmp_path / "b.png").unlink()
    with pytest.raises(SeedError, match=r"b\.png: No such file"):
        seeds[1]


def test_an_empty_folder_says_what_would_do(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(SeedSourceError, match=r"no pictures in(.|\n)*suffix is one of .*\.png"):
        Folder(tmp_path).open()


def test_a_missing_folder_and_a_file_are_told_apart(tmp_path):
    with pytest.raises(SeedSourceError, match="there is no folder"):
        Folder(tmp_path / "none").open()
    put(tmp_path, "a.png")
    with pytest.raises(SeedSourceError, match=r"is a file, and image\.folder reads folders"):
        Folder(tmp_path / "a.png").open()


def test_a_misspelt_choice_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'labels' must be in"):
        Folder(tmp_path, labels="names")
