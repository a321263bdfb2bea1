"""Recordings to mix in: the sound files of a folder, each read once by a process while there is room for it."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from attrs import define, field

from dltf.plugin import DltfError, SeedError
from dltf_speech.sound import SUFFIXES, Reader, find_sounds

if TYPE_CHECKING:
    from dltf.plugin import Sample

_ROOM = 256 * 2**20  # bytes of recordings that a process keeps


class RecordingError(DltfError):
    """A recording that cannot be mixed in: mend it, or take it out of its folder."""


def recordings_in(_: Any, attribute: Any, folder: Path) -> None:
    """Check, as an attrs validator, that a folder is there and has sound files in it."""
    if not folder.is_dir():
        what = "this is a file" if folder.is_file() else "there is none"
        raise ValueError(f"'{attribute.name}' must be a folder of recordings, and {what}: {folder}")
    if not find_sounds(folder):
        raise ValueError(f"'{attribute.name}' must hold recordings ({' '.join(SUFFIXES)}), and has none: {folder}")


@lru_cache(maxsize=16)
def known_files(folder: Path) -> tuple[Path, ...]:
    """Return the sound files that a folder had when this process first asked, in a fixed order."""
    files = find_sounds(folder)
    if not files:
        raise RecordingError(f"there are no recordings in {folder}", hint="put some there, or name another folder")
    return tuple(folder / file for file in files)


def read(file: Path, rate_hz: int) -> Sample:
    """Return a recording, read-only, at this rate: its channels' mean."""
    return _SHELF.get(file, rate_hz)


@define(eq=False)
class _Shelf:
    """What was read last, as far as there is room."""

    room: int
    _kept: OrderedDict[tuple[Path, int], Sample] = field(factory=OrderedDict, init=False)
    _lock: Any = field(factory=Lock, init=False)

    def get(self, file: Path, rate_hz: int) -> Sample:
        with self._lock:  # while it reads, too: else several threads would read one file
            recording = self._kept.pop((file, rate_hz), None)
            if recording is None:
                recording = _read(file, rate_hz)
            self._kept[file, rate_hz] = recording
            while len(self._kept) > 1 and sum(kept.nbytes for kept in self._kept.values()) > self.room:
                self._kept.popitem(last=False)
            return recording


_SHELF = _Shelf(_ROOM)


def _read(file: Path, rate_hz: int) -> Sample:
    try:
        recording = Reader(rate_hz).read(file, str(file)).clip
    except SeedError as error:
        raise RecordingError(error.message, hint="mend it, or take it out of the folder of recordings") from error
    recording.setflags(write=False)
    return recording
