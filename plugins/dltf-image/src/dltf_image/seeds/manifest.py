"""What a table beside the pictures of a folder says of them: labels, and columns to slice results by."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.plugin import SeedSourceError, nearest
from dltf_image.seeds.checksum import sha256
from dltf_image.seeds.rows import SUFFIXES, Row, Value, mistake, read_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

FILE = "file"
LABEL = "label"

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_FEW = 3  # names in a message


@frozen
class Manifest:
    """What is said of each picture, by its path under the folder; `labels` is None where there is no such column."""

    source: Mapping[str, Any]  # for the record
    columns: Mapping[str, Mapping[str, Value]]
    labels: Mapping[str, int] | None
    classes: Mapping[str, int]  # what stands for each label that is text


def find_manifest(folder: Path) -> Path | None:
    """Return the folder's `manifest.csv` or `manifest.jsonl`, or None; raise `SeedSourceError` where there are both."""
    found = [path for path in (folder / f"manifest{suffix}" for suffix in SUFFIXES) if path.is_file()]
    if len(found) > 1:
        raise SeedSourceError(
            f"there are two manifests in {folder}: {' and '.join(path.name for path in found)}",
            hint="remove one, or name the other: manifest = …",
        )
    return found[0] if found else None


def read_manifest(path: Path, pictures: Collection[str]) -> Manifest:
    """Return what the table says of these pictures; raise `SeedSourceError` for rows of others."""
    rows = _by_file(path, read_rows(path))
    _check_files(path, rows, pictures)
    columns = {
        file: {name: value for name, value in row.values.items() if name not in (FILE, LABEL)}
        for file, row in rows.items()
    }
    labels, classes = _labels(path, {file: row for file, row in rows.items() if LABEL in row.values})
    names = {name for said in columns.values() for name in said}
    source = {"path": str(path), "sha256": sha256(path), "rows": len(rows), "columns": sorted(names)}
    return Manifest(source, columns, labels, classes)


def class_numbers(names: Iterable[str]) -> dict[str, int]:
    """Return the number of each class: the name itself where all are numbers, else its position when sorted."""
    ordered = sorted(set(names))
    if all(_INTEGER.fullmatch(name) for name in ordered):
        return {name: int(name) for name in ordered}
    return {name: position for position, name in enumerate(ordered)}


def _by_file(path: Path, rows: list[Row]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for row in rows:
        named = row.values.get(FILE)
        if named is None and not any(FILE in other.values for other in rows):
            columns = sorted({name for other in rows for name in other.values})
            raise SeedSourceError(
                f'{path} has no column "{FILE}"{nearest(FILE, columns)}',
                hint=f'name each picture in a column "{FILE}", by its path under the folder; commas separate columns',
            )
        if named is None:
            raise mistake(path, row.line, f'no "{FILE}" is given', hint="name the picture, or remove the line")
        if not isinstance(named, str):
            # A column of pictures called 1, 2, 3: they have no suffix, and are none.
            raise mistake(path, row.line, f'"{FILE}" is {named!r}', hint='a file is named with its suffix: "1.png"')
        file = PurePosixPath(named).as_posix()
        if file in found:
            what = f"{file} is named a second time; the first is on line {found[file].line}"
            raise mistake(path, row.line, what, hint="remove one of the lines")
        found[file] = row
    return found


def _check_files(path: Path, rows: Mapping[str, Row], pictures: Collection[str]) -> None:
    strange = [f"{file} (line {row.line})" for file, row in rows.items() if file not in pictures]
    if strange:
        more = f" and {len(strange) - _FEW} more" if len(strange) > _FEW else ""
        raise SeedSourceError(
            f"{path} names files that are no pictures of the folder: {', '.join(strange[:_FEW])}{more}",
            hint="a picture is named by its path under the folder, with /; correct or remove these lines",
        )


def _labels(path: Path, rows: Mapping[str, Row]) -> tuple[dict[str, int] | None, dict[str, int]]:
    """Return the labels of those that have one, None where none has, and the classes where the labels are text."""
    if not rows:
        return None, {}
    kinds = {file: type(row.values[LABEL]) for file, row in rows.items()}
    first = next(iter(kinds.values()))
    for file, kind in kinds.items():
        if kind not in (int, str) or kind is not first:
            row = rows[file]
            what = f'"{LABEL}" is {row.values[LABEL]!r}'
            raise mistake(path, row.line, what, hint="labels are all integers, or all text")
    if first is int:
        return {file: int(row.values[LABEL]) for file, row in rows.items()}, {}
    classes = class_numbers(str(row.values[LABEL]) for row in rows.values())
    return {file: classes[str(row.values[LABEL])] for file, row in rows.items()}, classes
