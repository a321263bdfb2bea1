"""NumPy archives, opened with care: nothing is ever unpickled, and what is wrong is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.plugin import SeedSourceError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@frozen(eq=False)
class Archive:
    """The arrays of an `.npz` file, each read when it is asked for."""

    path: Path
    keys: tuple[str, ...]

    def array(self, key: str) -> NDArray[Any]:
        """Return one array; raise `SeedSourceError` where there is none of this name, or it cannot be read."""
        if key not in self.keys:
            raise SeedSourceError(
                f'{self.path} has no array "{key}"{nearest(key, self.keys)}', hint="name the array that is meant"
            )
        try:
            with self.path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                array: NDArray[Any] = file[key]
        except Exception as error:  # zip, zlib and numpy each have errors of their own for broken bytes
            raise SeedSourceError(
                f'the array "{key}" of {self.path} cannot be read: {error}',
                hint="save it again with numpy.savez, as plain numbers (Python objects are never unpickled)",
            ) from error
        return array


def open_archive(path: Path) -> Archive:
    """Return the archive; raise `SeedSourceError` where there is no such file, or it is no archive."""
    if not path.is_file():
        raise SeedSourceError(f"there is no file {path}", hint="check the path; a relative one starts at the profile")
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return Archive(path, tuple(file.files))
    except Exception as error:  # as above; a single array (.npy) has no `files`
        raise SeedSourceError(
            f"{path} is no NumPy archive (.npz): {error}",
            hint="save one with numpy.savez(path, samples=…, offsets=…, sample_rate=…)",
        ) from error
