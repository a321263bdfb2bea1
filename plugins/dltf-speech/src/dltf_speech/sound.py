"""Sound files of any kind → clips: 16-bit, mono, of one rate; what had to be converted is told."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen

from dltf.plugin import SeedError
from dltf_speech.rate import DEFAULT_HZ, known_rate
from dltf_speech.riff import is_wav, read_header

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from dltf.plugin import FloatArray, Sample

SUFFIXES = (
    *(".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg"),
    *(".opus", ".snd", ".sph", ".w64", ".wav", ".wave"),
)

SILENT, CLIPPED, FINE = "silent", "clipped", "fine"  # levels

_FULL_SCALE = 32768.0
_LONGEST = 1 << 40  # samples: a length beyond is a header's way to say that it does not know
_TOLERANCE_S = 0.1  # by which a manifest may overstate how long a file is
_FLAT = 3  # values in a row at full scale: more than a loud sound that fits reaches
_TAIL = 1 << 16  # bytes in which an Ogg file's last page begins
_OGG_HEADER, _OGG_LAST = 27, 4  # bytes before the sizes of a page's segments; the flag of the last page
_AGAIN = "copy the file again, or leave it out; it has to play to its end in any player"


@frozen
class Reader:
    """How sound files become clips: the rate that they get, and whether other rates are resampled or refused."""

    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)
    resample: bool = True

    def read(self, path: Path, name: str, start_s: float = 0.0, length_s: float | None = None) -> Sound:
        """Return the clip that is in a file, or in a part of it; raise `SeedError` where there is none."""
        values, rate_hz, facts = _read(path, name, start_s, length_s)
        mono = values.mean(axis=1) if values.shape[1] > 1 else values[:, 0]
        clip = self.converted(mono, rate_hz, name)
        return Sound(clip, {"seconds": seconds(clip, self.rate_hz), **facts, "level": level(clip)})

    def converted(self, values: FloatArray, rate_hz: int, name: str) -> Sample:
        """Return real numbers, ±1 at full scale, at this reader's rate and rounded to 16 bits."""
        if not np.isfinite(values).all():
            raise SeedError(f"{name}: some values are NaN or infinite", hint="save it again from its origin")
        if rate_hz != self.rate_hz:
            values = self._resampled(values, rate_hz, name)
        if len(values) == 0:
            raise SeedError(f"{name}: there is no sound in it: its length is 0", hint="leave this clip out")
        levels: Sample = np.clip(np.rint(values * _FULL_SCALE), -32768, 32767).astype(np.int16)
        return levels

    def _resampled(self, values: FloatArray, rate_hz: int, name: str) -> FloatArray:
        if not self.resample:
            raise SeedError(
                f"{name}: recorded at {rate_hz} Hz, and the campaign's clips are of {self.rate_hz} Hz",
                hint=f"set resample = true in [seeds], or rate_hz = {rate_hz} in [domain]",
            )
        import soxr

        made: FloatArray = soxr.resample(values, rate_hz, self.rate_hz, quality="HQ")
        return made


@frozen(eq=False)
class Sound:
    """A clip, and what is said of the file that it comes from."""

    clip: Sample
    columns: dict[str, str | float | bool]


def level(clip: Sample) -> str:
    """Return "silent" where all values are 0, "clipped" where some three in a row are at full scale, else "fine"."""
    if not clip.any():
        return SILENT
    for full in (clip == np.int16(32767), clip == np.int16(-32768)):
        if np.convolve(full, np.ones(_FLAT, np.int64)).max() >= _FLAT:
            return CLIPPED
    return FINE


def find_sounds(folder: Path) -> list[Path]:
    """Return the sound files of a folder and its sub-folders by their paths under it, sorted, hidden ones left out."""
    return visible(folder, (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES))


def visible(folder: Path, paths: Iterable[Path]) -> list[Path]:
    """Return those of these paths that are files and not hidden, as they are under the folder, sorted by parts."""
    under = (path.relative_to(folder) for path in paths)
    seen = (path for path in under if not any(part.startswith(".") for part in path.parts))
    return sorted((path for path in seen if (folder / path).is_file()), key=lambda path: path.parts)


def _read(
    path: Path, name: str, start_s: float, length_s: float | None
) -> tuple[NDArray[np.float64], int, dict[str, str | float | bool]]:
    """Return values [length, channels], ±1 at full scale, their rate, and what the file says of itself."""
    import soundfile

    _check_whole(path, name)
    try:
        with soundfile.SoundFile(path) as file:
            first, count = _part(name, file.frames, file.samplerate, start_s, length_s)
            file.seek(first)
            values = file.read(count, dtype="float64", always_2d=True)
            facts = {
                "file_rate_hz": file.samplerate,
                "file_channels": file.channels,
                "file_encoding": f"{file.format} {file.subtype}",
            }
    except (soundfile.SoundFileError, OSError) as error:
        told = str(error).removeprefix(f"Error opening {str(path)!r}: ").removeprefix("Error : ").rstrip(".")
        raise SeedError(f"{name}: this cannot be read as a sound file: {told}", hint=_AGAIN) from error
    if len(values) < count:
        told = f"of {count} samples that its header states, {len(values)} can be read"
        raise SeedError(f"{name}: truncated: {told}", hint=_AGAIN)
    return values, int(facts["file_rate_hz"]), facts


def _part(name: str, frames: int, rate_hz: int, start_s: float, length_s: float | None) -> tuple[int, int]:
    """Return where in a file a part begins, and how long it is, in samples."""
    if frames > _LONGEST:
        told = "its header does not say how long it is, as when an encoder wrote into a pipe"
        raise SeedError(f"{name}: {told}", hint="encode it again, into a file")
    first = round(start_s * rate_hz)
    count = frames - first if length_s is None else round(length_s * rate_hz)
    over = first + count - frames
    if frames > 0 and (first >= frames or over > _TOLERANCE_S * rate_hz):
        told = f"from {start_s:g} s on{'' if length_s is None else f', {length_s:g} s long'}"
        raise SeedError(
            f"{name}: a part {told}, is wanted of {frames / rate_hz:.3f} s", hint="correct the manifest, or the file"
        )
    return first, count - max(over, 0)


def _check_whole(path: Path, name: str) -> None:
    """Raise `SeedError` for a file that ends before its sound does: the library reads what is there in silence."""
    try:
        with path.open("rb") as file:
            head, size = file.read(12), path.stat().st_size
            file.seek(0)
            header = read_header(file, size) if is_wav(head) else None
            file.seek(max(0, size - _TAIL))
            tail = file.read() if head[:4] == b"OggS" else b""
    except OSError as error:
        raise SeedError(f"{name}: {error.strerror or error}", hint="can you read this file?") from error
    if size == 0:
        raise SeedError(f"{name}: the file is empty", hint=_AGAIN)
    if header is not None and header.truncated:
        told = f"its header states {header.stated} bytes of sound, and {header.present} are there"
        raise SeedError(f"{name}: truncated: {told}", hint=_AGAIN)
    if tail and not _ends_with_its_stream(tail):
        raise SeedError(f"{name}: truncated: the last page of its Ogg stream is missing", hint=_AGAIN)


def _ends_with_its_stream(tail: bytes) -> bool:
    """Tell whether the last page of an Ogg file is whole, and says that it is the last (RFC 3533)."""
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < _OGG_HEADER or not page[5] & _OGG_LAST:
        return False
    sizes = page[_OGG_HEADER : _OGG_HEADER + page[26]]
    return len(page) >= _OGG_HEADER + page[26] + sum(sizes)


def seconds(clip: Sample, rate_hz: int) -> int:
    """Return how long a clip is, in whole seconds."""
    return math.floor(len(clip) / rate_hz + 0.5)
