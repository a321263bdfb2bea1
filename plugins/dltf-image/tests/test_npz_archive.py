"""NumPy archives: which arrays are taken, and what is said of others."""

from __future__ import annotations

import numpy as np
import pytest

from dltf.plugin import SeedSourceError
from dltf_image.seeds.npz import Npz

GREY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
RGB = np.arange(72, dtype=np.uint8).reshape(2, 3, 4, 3)


@pytest.fixture
def archive(tmp_path):
    def save(**arrays):
        np.savez(tmp_path / "set.npz", **arrays)
        return tmp_path / "set.npz"

    return save


def test_common_names_are_found_with_their_labels_the_test_part_first(archive):
    seeds = Npz(archive(x_train=RGB, y_train=[5, 6], x_test=GREY, y_test=[7, 8])).open()
    assert (seeds.source["images"], seeds.source["labels"]) == ("x_test", "y_test")
    assert np.array_equal(seeds[1].sample, GREY[1][..., np.newaxis])
    assert (seeds[1].name, seeds[1].label, type(seeds[1].label)) == ("set/00001", 8, int)


def test_named_arrays_are_taken_and_labels_may_be_missing(archive):
    path = archive(x=GREY, mine=RGB, theirs=[1, 2])
    assert Npz(path, images="mine").open()[0].label is None
    seeds = Npz(path, images="mine", labels="theirs").open()
    assert np.array_equal(seeds[1].sample, RGB[1])
    assert seeds[1].label == 2


def test_columns_go_to_the_seeds_as_plain_values(archive):
    night, lux, site = np.array([True, False]), np.array([0.5, np.nan], np.float32), np.array(["a", "büro"])
    path = archive(x=GREY, night=night, lux=lux, site=site, frame=np.array([7, 8], np.uint16))
    seeds = Npz(path, columns=("night", "lux", "site", "frame")).open()
    assert dict(seeds[0].columns) == {"night": True, "lux": 0.5, "site": "a", "frame": 7}
    assert dict(seeds[1].columns) == {"night": False, "site": "büro", "frame": 8}  # no number, no column
    assert [type(value) for value in seeds[0].columns.values()] == [bool, float, str, int]
    assert seeds.source["columns"] == ["night", "lux", "site", "frame"]
    assert dict(Npz(path).open()[0].columns) == {}


@pytest.mark.parametrize(
    "values", [[1], [[1, 2], [3, 4]], np.array([b"a", b"b"]), np.array(["2026-01-01"] * 2, "M8[D]")]
)
def test_columns_that_do_not_fit_are_refused(archive, values):
    with pytest.raises(SeedSourceError, match=r'the column "site" of .* has to be 2 numbers, booleans or text'):
        Npz(archive(x=GREY, site=values), columns=("site",)).open()


def test_a_misspelt_column_gets_a_suggestion(archive):
    with pytest.raises(SeedSourceError, match='no array "sight"; did you mean "site"'):
        Npz(archive(x=GREY, site=[1, 2]), columns=("sight",)).open()


def test_a_sample_is_the_callers_own(archive):
    seeds = Npz(archive(x=GREY)).open()
    seeds[0].sample[:] = 99
    assert np.array_equal(seeds[0].sample[..., 0], GREY[0])


@pytest.mark.parametrize(
    ("images", "told"),
    [
        (GREY / 255, r"float64\[2×3×4\](.|\n)*numpy.rint\(images \* 255\)"),
        (GREY.astype(np.int64), r"int64\[2×3×4\]; pictures are uint8"),
        (RGB.transpose(0, 3, 1, 2), r"uint8\[2×3×3×4\](.|\n)*channels go last: images.transpose"),
        (GREY[0], r"uint8\[3×4\]"),
        (GREY[:0], "holds no pictures"),
    ],
)
def test_other_arrays_are_refused_with_what_was_found_and_what_would_do(archive, images, told):
    with pytest.raises(SeedSourceError, match=told):
        Npz(archive(x=images)).open()


@pytest.mark.parametrize("labels", [[1], [[0, 1], [1, 0]], [0.5, 1.0]])
def test_labels_that_do_not_fit_are_refused(archive, labels):
    with pytest.raises(SeedSourceError, match="they have to be 2 integers"):
        Npz(archive(x=GREY, y=labels)).open()


def test_a_misspelt_key_gets_a_suggestion(archive):
    with pytest.raises(SeedSourceError, match='no array "imges"; did you mean "images"'):
        Npz(archive(images=GREY), images="imges").open()


def test_an_archive_without_a_common_name_lists_what_it_has(archive):
    with pytest.raises(SeedSourceError, match=r"it has data(.|\n)*images = "):
        Npz(archive(data=GREY)).open()


def test_objects_are_never_unpickled(archive):
    with pytest.raises(SeedSourceError, match="never unpickled"):
        Npz(archive(x=np.array([{}, {}]))).open()


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x03\x04 broken"])
def test_what_is_no_archive_is_refused(tmp_path, data):
    (tmp_path / "set.npz").write_bytes(data)
    with pytest.raises(SeedSourceError, match=r"is no NumPy archive"):
        Npz(tmp_path / "set.npz").open()


def test_a_single_array_and_a_missing_file_are_refused(tmp_path):
    np.save(tmp_path / "set.npy", GREY)
    with pytest.raises(SeedSourceError, match="is no NumPy archive"):
        Npz(tmp_path / "set.npy").open()
    with pytest.raises(SeedSourceError, match="there is no file"):
        Npz(tmp_path / "none.npz").open()
