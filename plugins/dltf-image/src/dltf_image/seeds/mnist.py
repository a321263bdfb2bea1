"""MNIST and Fashion-MNIST: 60,000 and 10,000 grey pictures of 28×28, ten classes."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from attrs import field, frozen

from dltf.plugin import SeedSourceError
from dltf_image.seeds.archive import open_archive
from dltf_image.seeds.arrays import ArraySeeds, with_channels
from dltf_image.seeds.lookup import Published, fetched, own_file, record
from dltf_image.seeds.split import Split, known_split

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# The archive that Keras downloads; URL and checksum as in keras/datasets/mnist.py.
_MNIST = Published(
    url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    sha256="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    size="11 MB",
    cached_as="mnist.npz",
)

_CLOTHES = [
    *("T-shirt", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
]

# The authors' files; URLs and checksums as in TensorFlow Datasets, url_checksums/fashion_mnist.txt.
_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_FASHION_FILES: dict[str, tuple[tuple[str, str, str], tuple[str, str, str]]] = {
    "test": (
        ("t10k-images-idx3-ubyte.gz", "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", "4 MB"),
        ("t10k-labels-idx1-ubyte.gz", "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", "5 kB"),
    ),
    "train": (
        ("train-images-idx3-ubyte.gz", "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", "26 MB"),
        ("train-labels-idx1-ubyte.gz", "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", "30 kB"),
    ),
}


@frozen
class Mnist:
    """Handwritten digits (LeCun, Cortes and Burges); labels 0 … 9."""

    file_name: ClassVar[str] = "mnist.npz"

    split: Split = field(default="test", validator=known_split)

    def open(self) -> ArraySeeds:
        own = own_file(self.file_name)
        path = own or fetched(_MNIST, instead=self.file_name)
        return _from_archive("mnist", path, self.split, _MNIST, licence="none stated")


@frozen
class FashionMnist:
    """Clothes (Xiao, Rasul and Vollgraf, Zalando); labels 0 … 9, from T-shirt to ankle boot.

    The order of the pictures is the file's; a copy under DLTF_DATA may have another than the authors' files.
    """

    file_name: ClassVar[str] = "fashion_mnist.npz"

    split: Split = field(default="test", validator=known_split)

    def open(self) -> ArraySeeds:
        own = own_file(self.file_name)
        if own is not None:
            facts = {"url": _FASHION, "as_published": False, "licence": "MIT", "classes": _CLOTHES}
            return _from_archive("fashion_mnist", own, self.split, None, **facts)
        files = [
            Published(_FASHION + name, digest, size, f"fashion_mnist/{name}")
            for name, digest, size in _FASHION_FILES[self.split]
        ]
        images, labels = (fetched(file, instead=self.file_name) for file in files)
        source = record(images, files[0], licence="MIT", split=self.split, labels=record(labels, files[1]))
        source = {**source, "classes": _CLOTHES}
        return ArraySeeds(source, f"fashion_mnist/{self.split}", with_channels(read_idx(images)), read_idx(labels))


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the array of a gzipped IDX file: 0, 0, the code of uint8, the number of sizes, the sizes, the data."""
    data = gzip.decompress(path.read_bytes())
    if data[:3] != b"\x00\x00\x08":
        raise SeedSourceError(f"{path} is no IDX file of uint8", hint="remove it, and it will be fetched again")
    start = 4 + 4 * data[3]
    return np.frombuffer(data, np.uint8, offset=start).reshape(np.frombuffer(data[4:start], ">u4"))


def _from_archive(name: str, path: Path, split: str, published: Published | None, **more: Any) -> ArraySeeds:
    archive = open_archive(path)
    images, labels = archive.array(f"x_{split}"), archive.array(f"y_{split}")
    expected = (len(labels), 28, 28)
    if images.dtype != np.uint8 or images.shape != expected or labels.ndim != 1 or len(labels) == 0:
        raise SeedSourceError(
            f"{path} is not {name}: x_{split} is {images.dtype}{list(images.shape)}, y_{split} {list(labels.shape)}",
            hint="x_test is uint8 [n, 28, 28] and y_test has n labels; remove the file, or put the right one there",
        )
    source = record(path, published, split=split, **more)
    return ArraySeeds(source, f"{name}/{split}", with_channels(images), labels)
