"""Files of text beside clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dltf.plugin import SeedSourceError

if TYPE_CHECKING:
    from pathlib import Path


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file; raise `SeedSourceError` where it cannot be read as such."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SeedSourceError(
            f"{path} cannot be read: {error.strerror or error}", hint="check the path and its permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise SeedSourceError(
            f"{path}: the byte 0x{error.object[error.start]:02x} is no UTF-8", hint="save the file as UTF-8"
        ) from error


def need_folder(path: Path, source: str) -> None:
    """Raise `SeedSourceError` where there is no such folder."""
    if path.is_file():
        raise SeedSourceError(f"{path} is a file, and {source} reads folders", hint="name its folder")
    if not path.is_dir():
        raise SeedSourceError(f"there is no folder {path}", hint="check the path; a relative one starts at the profile")
