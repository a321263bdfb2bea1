"""Public data sets: where they are looked for, in what order, and what is checked."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pooch
import pytest

from dltf.plugin import SeedSourceError
from dltf_image.seeds.cifar10 import Cifar10, Cifar10Jpeg, read_binary
from dltf_image.seeds.digits import Digits
from dltf_image.seeds.lookup import Published, fetched
from dltf_image.seeds.mnist import FashionMnist, Mnist, read_idx

DATA = os.environ.get("DLTF_DATA", "")
REAL = [(Mnist, (28, 28, 1)), (FashionMnist, (28, 28, 1)), (Cifar10Jpeg, (32, 32, 3))]


@pytest.fixture
def empty_places(tmp_path, monkeypatch):
    """Give the data folder and the cache, both empty, and no network."""
    folder, cache = tmp_path / "data", tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("DLTF_DATA", str(folder))
    monkeypatch.setenv("DLTF_CACHE", str(cache))

    def no_network(*_args, **_more):
        raise OSError("the network is unreachable")

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", no_network)
    return folder, cache


@pytest.mark.parametrize(("source", "shape"), REAL)
@pytest.mark.parametrize(("split", "at_least"), [("test", 10_000), ("train", 50_000)])
def test_the_real_sets_are_read(source, shape, split, at_least):
    if not (Path(DATA) / source.file_name).is_file():
        pytest.skip(f"{source.file_name} is not here: set DLTF_DATA to the folder that has it")
    seeds = source(split=split).open()
    assert len(seeds) >= at_least
    for index in (0, 42, len(seeds) - 1):
        seed = seeds[index]
        assert (seed.sample.dtype, seed.sample.shape) == (np.dtype(np.uint8), shape)
        assert type(seed.label) is int
        assert 0 <= seed.label <= 9
        assert seed.name.endswith(f"/{split}/{index:05d}")
    record = json.loads(json.dumps(seeds.source))
    assert record["sha256"] == hashlib.sha256(Path(record["path"]).read_bytes()).hexdigest()
    assert record["licence"] in ("MIT", "none stated")


def test_a_copy_is_not_passed_off_as_the_original():
    if not (Path(DATA) / Cifar10Jpeg.file_name).is_file():
        pytest.skip(f"{Cifar10Jpeg.file_name} is not here: set DLTF_DATA to the folder that has it")
    seeds = Cifar10Jpeg().open()
    assert seeds[0].name.startswith("cifar10_jpeg/")
    assert "JPEG" in seeds.source["lossy"]
    assert "75" in seeds.source["lossy"]


def test_the_digits_need_no_file():
    test, train = Digits().open(), Digits("train").open()
    assert (len(test), len(train)) == (360, 1437)
    assert test[0].sample.shape == (8, 8, 1)
    assert set(np.unique(train[0].sample)) <= {round(value * 255 / 16) for value in range(17)}
    assert [train[index].label for index in range(10)] == list(range(10))
    assert test[0].name == "digits/test/00000"


def test_a_file_in_the_folder_comes_before_the_cache(empty_places):
    folder, _ = empty_places
    x, y = np.arange(2 * 784, dtype=np.int64).reshape(2, 28, 28).astype(np.uint8), np.array([3, 1], np.uint8)
    np.savez(folder / "mnist.npz", x_test=x, y_test=y)
    seeds = Mnist().open()
    assert (seeds[1].name, seeds[1].label) == ("mnist/test/00001", 1)
    assert np.array_equal(seeds[1].sample[..., 0], x[1])
    assert seeds.source["path"] == str(folder / "mnist.npz")
    assert seeds.source["as_published"] is False


@pytest.mark.parametrize("source", [Mnist, FashionMnist, Cifar10])
def test_a_failed_download_says_what_to_put_where(empty_places, source):
    _, cache = empty_places
    with pytest.raises(SeedSourceError) as caught:
        source().open()
    told = str(caught.value)
    assert "could not be fetched: the network is unreachable" in told
    assert f"put {source.file_name} into a folder and set DLTF_DATA to it" in told
    assert str(cache) in told


def test_the_lossy_copy_has_no_origin(empty_places):
    with pytest.raises(SeedSourceError, match=r"published nowhere(.|\n)*set DLTF_DATA"):
        Cifar10Jpeg().open()


def test_a_folder_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("DLTF_DATA", str(tmp_path / "none"))
    with pytest.raises(SeedSourceError, match=r"DLTF_DATA names .*none, which is no folder"):
        Mnist().open()


def test_a_cached_file_is_used_and_a_wrong_one_is_not(empty_places):
    _, cache = empty_places
    published = Published("https://example.org/a.bin", hashlib.sha256(b"right").hexdigest(), "5 B", "a.bin")
    cache.mkdir()
    (cache / "a.bin").write_bytes(b"right")
    assert fetched(published, instead="a.bin") == cache / "a.bin"
    (cache / "a.bin").write_bytes(b"wrong")
    with pytest.raises(SeedSourceError, match="could not be fetched"):
        fetched(published, instead="a.bin")


def test_arrays_that_are_another_set_are_refused(empty_places):
    folder, _ = empty_places
    np.savez(folder / "mnist.npz", x_test=np.zeros((2, 32, 32), np.uint8), y_test=np.zeros(2, np.uint8))
    with pytest.raises(SeedSourceError, match=r"is not mnist: x_test is uint8\[2, 32, 32\]"):
        Mnist().open()


def test_an_altered_cifar10_is_refused(empty_places):
    folder, _ = empty_places
    _cifar10(folder / "cifar-10-binary.tar.gz", {"test_batch.bin": bytes(3073)})
    with pytest.raises(SeedSourceError, match="is not the published file: its sha256 is"):
        Cifar10().open()


def test_cifar10_is_read_plane_by_plane_and_part_by_part(tmp_path):
    planes = np.arange(2 * 3072).reshape(2, 3, 32, 32).astype(np.uint8)
    parts = {f"data_batch_{2 - row}.bin": bytes([row + 4]) + planes[row].tobytes() for row in range(2)}
    path = tmp_path / "cifar.tar.gz"
    _cifar10(path, {"batches.meta.txt": b"airplane", **parts})
    images, labels = read_binary(path, ["data_batch_1.bin", "data_batch_2.bin"])
    assert labels.tolist() == [5, 4]
    assert np.array_equal(images, planes[::-1].transpose(0, 2, 3, 1))
    with pytest.raises(SeedSourceError, match=r"is not CIFAR-10's binary version: 'test_batch.bin'"):
        read_binary(path, ["test_batch.bin"])


def test_idx_files_are_read(tmp_path):
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    header = b"\0\0\x08\x03" + np.array(values.shape, ">u4").tobytes()
    (tmp_path / "a.gz").write_bytes(gzip.compress(header + values.tobytes()))
    assert np.array_equal(read_idx(tmp_path / "a.gz"), values)


@pytest.mark.parametrize("source", [Mnist, FashionMnist, Cifar10, Cifar10Jpeg, Digits])
def test_a_misspelt_split_is_refused(source):
    with pytest.raises(ValueError, match="'split' must be in"):
        source(split="validation")


def _cifar10(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
