"""The free spoken digit set: six speakers say 0 to 9, fifty times each, at 8 kHz."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import SeedSourceError
from dltf_speech.rate import DEFAULT_HZ, known_rate
from dltf_speech.seeds.archive import Archive, open_archive
from dltf_speech.seeds.arrays import ClipArrays
from dltf_speech.seeds.checksum import sha256
from dltf_speech.seeds.clips import Clip, ClipFiles, clip_files
from dltf_speech.seeds.split import Split, known_split
from dltf_speech.seeds.transcripts import need_folder
from dltf_speech.sound import Reader, find_sounds

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

Labels = Literal["classes", "text"]

FOLDER_VARIABLE = "DLTF_DATA"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_TEST = range(5)  # the numbers of the recordings that its authors hold out
_NAME = re.compile(r"([0-9])_([A-Za-z]+)_([0-9]+)")
_LICENCE = "CC BY-SA 4.0"
_URL = "https://github.com/Jakobovski/free-spoken-digit-dataset"


@frozen
class SpokenDigits:
    """Spoken digits (Jackson et al.), as its authors split them: recordings 0 to 4 of each are "test".

    A label is the digit, or with `labels = "text"` its word. Each seed has the column speaker. `path` is the folder
    `recordings` of the published set, with files {digit}_{speaker}_{number}.wav; without it, `fsdd_flac.npz` is taken
    from the folder that the environment variable DLTF_DATA names. The recordings are of 8 kHz, so that `rate_hz` in
    [domain] should be 8000; at another rate they are resampled.
    """

    file_name: ClassVar[str] = "fsdd_flac.npz"

    path: Path | None = None
    split: Split = field(default="test", validator=known_split)
    labels: Labels = field(default="classes", validator=validators.in_(get_args(Labels)))
    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)
    resample: bool = True

    def open(self) -> ClipFiles | ClipArrays:
        return self._from_archive(self._archive()) if self.path is None else self._from_folder(self.path)

    def _archive(self) -> Path:
        named = os.environ.get(FOLDER_VARIABLE)
        path = Path(named).expanduser() / self.file_name if named else None
        if path is None or not path.is_file():
            where = f"in {path.parent}" if path is not None else f"as {FOLDER_VARIABLE} names no folder"
            raise SeedSourceError(
                f"there is no {self.file_name}, {where}",
                hint=f'unpack a release of {_URL}, and set path = "…/recordings" in [seeds]',
            )
        return path

    def _label(self, digit: int) -> Hashable:
        return WORDS[digit] if self.labels == "text" else digit

    def _source(self, path: Path) -> dict[str, Any]:
        classes = {} if self.labels == "text" else {"classes": list(WORDS)}
        return {"path": str(path), "url": _URL, "licence": _LICENCE, "split": self.split, **classes}

    def _from_archive(self, path: Path) -> ClipArrays:
        archive = open_archive(path)
        digits, speakers, numbers = (archive.array(key) for key in ("label", "speaker", "index"))
        offsets, names = archive.array("offsets").tolist(), archive.array("speakers")
        samples, rate_hz = _decoded(archive, offsets[-1])
        rows = np.flatnonzero((numbers < len(_TEST)) == (self.split == "test")).tolist()
        spoken_by = [str(names[speakers[row]]) for row in rows]
        source = self._source(path) | {
            "sha256": sha256(path),
            "rate_hz": self.rate_hz,
            "rate_of_the_file_hz": rate_hz,
            "resampled": len(rows) if rate_hz != self.rate_hz else 0,
        }
        return ClipArrays(
            source,
            [f"{digits[row]}_{who}_{numbers[row]}" for row, who in zip(rows, spoken_by, strict=True)],
            samples,
            [(offsets[row], offsets[row + 1]) for row in rows],
            rate_hz,
            Reader(self.rate_hz, self.resample),
            [self._label(int(digits[row])) for row in rows],
            {"speaker": spoken_by},
        )

    def _from_folder(self, path: Path) -> ClipFiles:
        need_folder(path, "speech.digits")
        named = [(file, _NAME.fullmatch(file.stem)) for file in find_sounds(path)]
        clips = [
            Clip(path / file, file.as_posix(), self._label(int(found[1])), {"speaker": found[2]})
            for file, found in named
            if found is not None and (int(found[3]) in _TEST) == (self.split == "test")
        ]
        if not clips:
            raise SeedSourceError(
                f"{path} has no recordings of the {self.split} part, called {{digit}}_{{speaker}}_{{number}}.wav",
                hint=f"name the folder `recordings` of a release of {_URL}",
            )
        return clip_files(clips, Reader(self.rate_hz, self.resample), self._source(path))


def _decoded(archive: Archive, length: int) -> tuple[NDArray[np.int16], int]:
    """Return all recordings end to end, and their rate; raise `SeedSourceError` where the stream is another."""
    import soundfile

    try:
        samples, rate_hz = soundfile.read(io.BytesIO(archive.array("flac").tobytes()), dtype="int16")
    except soundfile.SoundFileError as error:
        raise SeedSourceError(
            f'the array "flac" of {archive.path} is no FLAC stream: {error}', hint="put the right file there"
        ) from error
    if samples.shape != (length,):
        raise SeedSourceError(
            f"{archive.path} holds {len(samples)} samples, and its offsets end at {length}",
            hint="put the right file there",
        )
    return samples, int(rate_hz)
