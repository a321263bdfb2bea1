"""CIFAR-10: 50,000 and 10,000 RGB pictures of 32×32, ten classes; the lossless original, and a lossy copy."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from attrs import field, frozen

from dltf.plugin import SeedSourceError
from dltf_image.seeds.archive import open_archive
from dltf_image.seeds.arrays import ArraySeeds
from dltf_image.seeds.lookup import FOLDER_VARIABLE, Published, fetched, own_file, record
from dltf_image.seeds.packed import JpegSeeds
from dltf_image.seeds.split import Split, known_split

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

# The authors' binary version, which nothing has to unpickle; the page states the md5 c32a1d4ab5d03f1284b67883e8d87530,
# the sha256 is that of TensorFlow Datasets, url_checksums/cifar10.txt.
_BINARY = Published(
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    size="170 MB",
    cached_as="cifar-10-binary.tar.gz",
)
_THINGS = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
_PARTS = {"test": ["test_batch.bin"], "train": [f"data_batch_{number}.bin" for number in range(1, 6)]}
_RECORD = 1 + 3 * 32 * 32  # bytes: the label, then the planes of red, green and blue


@frozen
class Cifar10:
    """Ten kinds of things, from airplane to truck (Krizhevsky, 2009), as published; labels 0 … 9."""

    file_name: ClassVar[str] = _BINARY.cached_as

    split: Split = field(default="test", validator=known_split)

    def open(self) -> ArraySeeds:
        path = own_file(self.file_name) or fetched(_BINARY, instead=self.file_name)
        source = record(path, _BINARY, licence="none stated", split=self.split)
        if not source["as_published"]:
            raise SeedSourceError(
                f"{path} is not the published file: its sha256 is {source['sha256']}, not {_BINARY.sha256}",
                hint=f"fetch it again from {_BINARY.url}",
            )
        images, labels = read_binary(path, _PARTS[self.split])
        return ArraySeeds({**source, "classes": _THINGS}, f"cifar10/{self.split}", images, labels)


@frozen
class Cifar10Jpeg:
    """CIFAR-10 as JPEG files of quality 75: not the original. Networks trained on that lose some ten points on these.

    There is no public origin: `cifar10_jpeg.npz` has to be in the folder that DLTF_DATA names.
    """

    file_name: ClassVar[str] = "cifar10_jpeg.npz"

    split: Split = field(default="test", validator=known_split)

    def open(self) -> JpegSeeds:
        path = own_file(self.file_name)
        if path is None:
            raise SeedSourceError(
                f"there is no {self.file_name} in the folder that {FOLDER_VARIABLE} names, and it is published nowhere",
                hint=f'set {FOLDER_VARIABLE} to the folder that has it; the original is use = "image.cifar10"',
            )
        archive = open_archive(path)
        jpeg, offsets, labels = (archive.array(f"{key}_{self.split}") for key in ("jpeg", "offsets", "y"))
        lossy = "a JPEG copy of quality 75, not the published pictures"
        source = record(path, None, licence="none stated", split=self.split, lossy=lossy, classes=_THINGS)
        return JpegSeeds(source, f"cifar10_jpeg/{self.split}", jpeg, offsets.tolist(), labels)


def read_binary(path: Path, parts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return uint8 [n, 32, 32, 3] and labels [n] from these members of the authors' archive, in this order."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = member.name.rpartition("/")[2]
                content = archive.extractfile(member) if name in parts else None
                if content is not None:
                    found[name] = content.read()
        records = np.frombuffer(b"".join(found[part] for part in parts), np.uint8).reshape(-1, _RECORD)
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError) as error:
        raise SeedSourceError(
            f"{path} is not CIFAR-10's binary version: {error}", hint=f"fetch it again from {_BINARY.url}"
        ) from error
    planes = records[:, 1:].reshape(-1, 3, 32, 32)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), records[:, 0].copy()
