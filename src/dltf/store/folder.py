"""A run's folder: where results go, and whose they are."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import frozen

from dltf.errors import RunFolderError

DATABASE = "run.sqlite"
SUMMARY = "summary.json"


@frozen
class RunFolder:
    """One folder, one run."""

    path: Path

    @property
    def database(self) -> Path:
        return self.path / DATABASE

    @property
    def summary(self) -> Path:
        return self.path / SUMMARY

    def check(self, *, resume: bool) -> None:
        """Refuse a folder that holds another run, or something else; nothing is written yet."""
        if self.database.exists() and not resume:
            raise RunFolderError(
                f"{self.path} holds another run",
                hint="continue it with --resume, or name another folder with --out",
            )
        if self.path.exists() and not self.path.is_dir():
            raise RunFolderError(f"{self.path} is a file", hint="name a folder with --out")
        if self.path.exists() and not self.database.exists() and any(self.path.iterdir()):
            raise RunFolderError(
                f"{self.path} is not empty, and what it holds is no run", hint="name a new or empty folder with --out"
            )
        above = next(folder for folder in (self.path, *self.path.absolute().parents) if folder.exists())
        if not above.is_dir():
            raise RunFolderError(
                f"{self.path} cannot be made: {above} is a file", hint="name another folder with --out"
            )
        if not os.access(above, os.W_OK):
            raise RunFolderError(f"{above} cannot be written", hint="name another folder with --out")

    def make(self) -> None:
        """Make the folder."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunFolderError(
                f"{self.path} cannot be made: {error.strerror}", hint="name another folder with --out"
            ) from error

    def for_reading(self) -> RunFolder:
        """Check that a run is here."""
        if not self.database.is_file():
            raise RunFolderError(
                f"{self.path} holds no run ({DATABASE} is missing)", hint="name the folder that dltf run wrote"
            )
        return self

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write `summary.json` whole or not at all."""
        write_json(self.summary, summary)


def write_json(file: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all; NaN and infinities, which JSON has not, become null."""
    text = json.dumps(_finite(values), indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(file, f"{text}\n".encode())


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_whole(file: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    half = file.with_name(f".{file.name}.part")
    try:
        half.write_bytes(data)
        half.replace(file)
    except BaseException as error:
        with suppress(OSError):
            half.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise RunFolderError(
            f"{file} cannot be written: {error.strerror}", hint="make room, or name another folder"
        ) from error


def next_free(parent: Path, name: str) -> Path:
    """Return `parent/name-001`, or the first number after it that is free."""
    number = 1
    while (folder := parent / f"{name}-{number:03d}").exists():
        number += 1
    return folder
