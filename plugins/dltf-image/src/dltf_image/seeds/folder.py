"""Picture files in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from attrs import field, frozen, validators

from dltf.plugin import Seed, SeedError, SeedSourceError
from dltf_image.pictures import read_picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Labels = Literal["folders", "none"]

SUFFIXES = (
    *(".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm"),
    *(".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp"),
)


@frozen
class Folder:
    """The picture files of a folder and its sub-folders, sorted by name; each is read when it is asked for.

    With `labels = "folders"` a picture's label comes from the first folder under `path`: the number where all these
    folders are named by numbers, else the position among their sorted names. A picture beside them has no label. Hidden
    files and folders are left out, and so are files with other suffixes than a picture's.
    """

    path: Path
    labels: Labels = field(default="folders", validator=validators.in_(get_args(Labels)))

    def open(self) -> FolderSeeds:
        if not self.path.is_dir():
            raise _no_folder(self.path)
        files = _pictures(self.path)
        if not files:
            raise SeedSourceError(
                f"there are no pictures in {self.path}",
                hint=f"put some there, or name another folder; a picture's suffix is one of {' '.join(SUFFIXES)}",
            )
        classes = _classes(files) if self.labels == "folders" else {}
        source = {
            "path": str(self.path),
            "files": len(files),
            "labels": self.labels,
            "classes": classes,
            "licence": "none stated",
        }
        return FolderSeeds(source, self.path, files, classes)


@frozen(eq=False)
class FolderSeeds:
    """The files, by their paths under the folder."""

    source: Mapping[str, Any]
    _folder: Path
    _files: Sequence[Path]
    _classes: Mapping[str, int]

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> Seed:
        file = self._files[index]
        label = self._classes.get(file.parts[0]) if len(file.parts) > 1 else None
        try:
            data = (self._folder / file).read_bytes()
        except OSError as error:
            raise SeedError(f"{file.as_posix()}: {error.strerror or error}", hint="can you read this file?") from error
        return Seed(read_picture(data, file.as_posix()), file.as_posix(), label)


def _no_folder(path: Path) -> SeedSourceError:
    if path.is_file():
        return SeedSourceError(
            f"{path} is a file, and image.folder reads folders",
            hint='name its folder; the arrays of an .npz file are read by use = "image.npz"',
        )
    return SeedSourceError(f"there is no folder {path}", hint="check the path; a relative one starts at the profile")


def _pictures(folder: Path) -> list[Path]:
    under = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    seen = (path for path in under if not any(part.startswith(".") for part in path.parts))
    return sorted((path for path in seen if (folder / path).is_file()), key=lambda path: path.parts)


def _classes(files: Sequence[Path]) -> dict[str, int]:
    names = sorted({file.parts[0] for file in files if len(file.parts) > 1})
    if all(name.isascii() and name.isdigit() for name in names):
        return {name: int(name) for name in names}
    return {name: position for position, name in enumerate(names)}
