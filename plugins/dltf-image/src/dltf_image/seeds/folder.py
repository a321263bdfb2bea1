"""Picture files in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from attrs import field, frozen, validators

from dltf.plugin import Seed, SeedError, SeedSourceError
from dltf_image.pictures import read_picture
from dltf_image.seeds import rows
from dltf_image.seeds.manifest import Manifest, class_numbers, find_manifest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Labels = Literal["folders", "none"]

SUFFIXES = (
    *(".avif", ".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm"),
    *(".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp"),
)


def _table(_: object, attribute: Any, path: Path | None) -> None:
    if path is not None and path.suffix.lower() not in rows.SUFFIXES:
        raise ValueError(f"'{attribute.name}' must be a file {' or '.join(rows.SUFFIXES)}: {path}")


@frozen
class Folder:
    """The picture files of a folder and its sub-folders, sorted by name; each is read when it is asked for.

    A table says more of them: `manifest`, else `manifest.csv` or `manifest.jsonl` in the folder where there is one. Its
    column `file` names a picture by its path under the folder, an optional `label` is its label, and every other column
    goes to the seed. Pictures that it does not name are seeds as well, with no columns.

    With `labels = "folders"` and no labels in a manifest, a picture's label comes from the first folder under `path`;
    a picture beside these folders has none. Where labels are text, they stand for numbers: themselves where all are
    numbers, else their positions when sorted. Hidden files and folders are left out, and so are files with other
    suffixes than a picture's.
    """

    reads: ClassVar[tuple[str, ...]] = ("/",)

    path: Path
    labels: Labels = field(default="folders", validator=validators.in_(get_args(Labels)))
    manifest: Path | None = field(default=None, validator=_table)

    def open(self) -> FolderSeeds:
        if not self.path.is_dir():
            raise _no_folder(self.path)
        files = _pictures(self.path)
        if not files:
            raise SeedSourceError(
                f"there are no pictures in {self.path}",
                hint=f"put some there, or name another folder; a picture's suffix is one of {' '.join(SUFFIXES)}",
            )
        table = self.manifest or find_manifest(self.path)
        manifest = None if table is None else read_manifest(table, {file.as_posix() for file in files})
        origin, labels, classes = _labelled(files, self.labels, manifest)
        source = {
            "path": str(self.path),
            "files": len(files),
            "labels": origin,
            "classes": classes,
            "manifest": None if manifest is None else manifest.source,
            "licence": "none stated",
        }
        return FolderSeeds(source, self.path, files, labels, {} if manifest is None else manifest.columns)


@frozen(eq=False)
class FolderSeeds:
    """The files, by their paths under the folder."""

    source: Mapping[str, Any]
    _folder: Path
    _files: Sequence[Path]
    _labels: Mapping[str, int]
    _columns: Mapping[str, Mapping[str, rows.Value]]

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> Seed:
        name = self._files[index].as_posix()
        try:
            data = (self._folder / name).read_bytes()
        except OSError as error:
            raise SeedError(f"{name}: {error.strerror or error}", hint="can you read this file?") from error
        return Seed(read_picture(data, name), name, self._labels.get(name), self._columns.get(name, {}))


def _labelled(
    files: Sequence[Path], wanted: Labels, manifest: Manifest | None
) -> tuple[str, Mapping[str, int], Mapping[str, int]]:
    """Return where labels come from, those that there are by file, and what each name of a class stands for."""
    if wanted == "none":
        return "none", {}, {}
    if manifest is not None and manifest.labels is not None:
        return "manifest", manifest.labels, manifest.classes
    folders = {file.as_posix(): file.parts[0] for file in files if len(file.parts) > 1}
    classes = class_numbers(folders.values())
    return "folders", {name: classes[folder] for name, folder in folders.items()}, classes


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
