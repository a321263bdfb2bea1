"""Pictures and labels in a NumPy archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from attrs import frozen

from dltf.plugin import SeedSourceError
from dltf_image.seeds.archive import open_archive
from dltf_image.seeds.arrays import ArraySeeds, with_channels
from dltf_image.seeds.checksum import sha256
from dltf_image.seeds.packed import KEYS, JpegSeeds, read_packed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf_image.seeds.archive import Archive

# Images and labels as data sets commonly name them, the test part first.
_COMMON = (
    ("x_test", "y_test"),
    ("x", "y"),
    ("images", "labels"),
    ("test_images", "test_labels"),
    ("x_train", "y_train"),
    ("train_images", "train_labels"),
    ("image", "label"),
)


@frozen
class Npz:
    """uint8 [n, height, width] or [n, height, width, 1 or 3], and integer labels [n] where there are some.

    Without keys it takes the first pair that it finds of x_test and y_test, x and y, images and labels, test_images and
    test_labels, x_train and y_train, train_images and train_labels, image and label. The source says which one it took.
    Without any of them, `jpeg` and `offsets` are picture files end to end: file i is jpeg[offsets[i]:offsets[i + 1]].
    `columns` names further arrays [n] of numbers, booleans or text; a seed has no column where a number is not finite.
    """

    reads: ClassVar[tuple[str, ...]] = (".npz",)

    path: Path
    images: str | None = None
    labels: str | None = None
    columns: tuple[str, ...] = ()

    def open(self) -> ArraySeeds | JpegSeeds:
        archive = open_archive(self.path)
        if self.images is None and not self.columns and set(KEYS) <= set(archive.keys):
            return self._packed(archive)
        images_key = self.images or _images_key(archive)
        labels_key = self.labels or _labels_key(archive, images_key)
        images = _pictures(archive, images_key)
        labels = None if labels_key is None else _integers(archive, labels_key, len(images))
        source = {
            "path": str(self.path),
            "sha256": sha256(self.path),
            "images": images_key,
            "labels": labels_key,
            "columns": list(self.columns),
            "licence": "none stated",
        }
        columns = {key: _column(archive, key, len(images)) for key in self.columns}
        return ArraySeeds(source, self.path.stem, images, labels, columns)

    def _packed(self, archive: Archive) -> JpegSeeds:
        jpeg, offsets = read_packed(archive)
        labels_key = self.labels or next((key for key in ("label", "labels", "y") if key in archive.keys), None)
        labels = None if labels_key is None else _integers(archive, labels_key, len(offsets) - 1)
        licence = "none stated"
        told = {"path": str(self.path), "sha256": sha256(self.path), "images": KEYS[0], "labels": labels_key}
        return JpegSeeds(told | {"licence": licence}, self.path.stem, jpeg, offsets, labels)


def _images_key(archive: Archive) -> str:
    found = next((key for key, _ in _COMMON if key in archive.keys), None)
    if found is None:
        raise SeedSourceError(
            f"{archive.path} has no array named {', '.join(key for key, _ in _COMMON)}; "
            f"it has {', '.join(archive.keys) or 'none at all'}",
            hint='name the array of pictures: images = "…"',
        )
    return found


def _labels_key(archive: Archive, images_key: str) -> str | None:
    partner = dict(_COMMON).get(images_key, "labels")
    return partner if partner in archive.keys else None


def _pictures(archive: Archive, key: str) -> NDArray[np.uint8]:
    images = archive.array(key)
    fits = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3))
    if images.dtype != np.uint8 or not fits or 0 in images.shape[1:]:
        raise SeedSourceError(
            f'the array "{key}" of {archive.path} is {_shown(images)}; pictures are uint8 [n, height, width] '
            "or [n, height, width, 1 or 3]",
            hint=_cure(images, fits),
        )
    if len(images) == 0:
        raise SeedSourceError(f'the array "{key}" of {archive.path} holds no pictures', hint="save one that does")
    return with_channels(images)


def _cure(images: NDArray[Any], fits: bool) -> str:
    if not fits and images.ndim == 4 and images.shape[1] in (1, 3):
        return "channels go last: images.transpose(0, 2, 3, 1)"
    if images.dtype.kind == "f":
        return "save grey levels: numpy.rint(images * 255).astype(numpy.uint8), where they are 0 to 1"
    return "save it in one of these forms, or name another array: images = …"


def _integers(archive: Archive, key: str, count: int) -> NDArray[Any]:
    labels = archive.array(key)
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise SeedSourceError(
            f'the labels "{key}" of {archive.path} are {_shown(labels)}; they have to be {count} integers',
            hint="where they are one-hot, save labels.argmax(axis=1)",
        )
    return labels


def _column(archive: Archive, key: str, count: int) -> NDArray[Any]:
    values = archive.array(key)
    if values.shape != (count,) or values.dtype.kind not in "biufU":
        raise SeedSourceError(
            f'the column "{key}" of {archive.path} is {_shown(values)}; it has to be {count} numbers, booleans or text',
            hint="save one value for each picture, or leave it out of columns = …",
        )
    return values.astype(np.float64) if values.dtype.kind == "f" else values


def _shown(array: NDArray[Any]) -> str:
    return f"{array.dtype}[{'×'.join(map(str, array.shape))}]"
