"""Clips end to end in a NumPy archive."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from attrs import field, frozen

from dltf.plugin import SeedSourceError
from dltf_speech.normalise import Normalise, known_normalisation, normalise
from dltf_speech.rate import DEFAULT_HZ, known_rate
from dltf_speech.seeds.archive import Archive, open_archive
from dltf_speech.seeds.arrays import ClipArrays
from dltf_speech.seeds.checksum import sha256
from dltf_speech.sound import Reader

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

_TEXTS = ("text_norm", "text", "transcript")  # figures are spelt out in the first
_LABELS = ("label", "labels", "y")
_NAMES = ("id", "name")


@frozen
class Npz:
    """int16 `samples`, of which clip i is samples[offsets[i]:offsets[i + 1]], at the archive's `sample_rate`.

    Without offsets, the samples are [n, length]. The label of a clip is its text: in `text`, else the first array there
    is of text_norm, text and transcript; without any, an integer: in `labels`, else label, labels or y. The seeds are
    named by the arrays id or name where there is one. `columns` names further arrays [n] of numbers, booleans or text.
    """

    reads: ClassVar[tuple[str, ...]] = (".npz",)

    path: Path
    samples: str = "samples"
    offsets: str = "offsets"
    text: str | None = None
    labels: str | None = None
    columns: tuple[str, ...] = ()
    normalise: Normalise = field(default="none", validator=known_normalisation)
    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)
    resample: bool = True

    def open(self) -> ClipArrays:
        archive = open_archive(self.path)
        samples, bounds = self._clips(archive)
        rate_hz = self._rate(archive)
        labels, told = self._labels(archive, len(bounds))
        columns = {key: _column(archive, key, len(bounds)) for key in self.columns}
        source = {
            "path": str(self.path),
            "sha256": sha256(self.path),
            **told,
            "columns": list(self.columns),
            "licence": _licence(archive),
            "rate_hz": self.rate_hz,
            "rate_of_the_file_hz": rate_hz,
            "resampled": len(bounds) if rate_hz != self.rate_hz else 0,
        }
        reader, names = Reader(self.rate_hz, self.resample), self._names(archive, len(bounds))
        return ClipArrays(source, names, samples, bounds, rate_hz, reader, labels, columns)

    def _clips(self, archive: Archive) -> tuple[NDArray[np.int16], Sequence[tuple[int, int]]]:
        """Return all samples end to end, and where each clip begins and ends."""
        samples = archive.array(self.samples)
        if samples.dtype != np.int16 or samples.ndim not in {1, 2} or samples.size == 0:
            raise SeedSourceError(
                f'the array "{self.samples}" of {self.path} is {samples.dtype}{list(samples.shape)}; clips are int16, '
                "end to end [length] with offsets, or [n, length]",
                hint="where they are real numbers within ±1: numpy.rint(x * 32767).astype(numpy.int16)",
            )
        if samples.ndim == 2:
            count, length = samples.shape
            return samples.reshape(-1), [(length * row, length * (row + 1)) for row in range(count)]
        offsets = archive.array(self.offsets)
        sound = offsets.ndim == 1 and offsets.dtype.kind in "iu" and len(offsets) > 1
        if not sound or offsets[0] != 0 or offsets[-1] != len(samples) or (np.diff(offsets.astype(np.int64)) < 0).any():
            raise SeedSourceError(
                f'the arrays "{self.samples}" and "{self.offsets}" of {self.path} are no clips end to end',
                hint="clip i is samples[offsets[i]:offsets[i + 1]]: one offset more than there are clips, the first 0",
            )
        ends: list[int] = offsets.tolist()
        return samples, list(pairwise(ends))

    def _rate(self, archive: Archive) -> int:
        rate = archive.array("sample_rate")
        if rate.shape != () or rate.dtype.kind not in "iu" or rate <= 0:
            raise SeedSourceError(
                f'the array "sample_rate" of {self.path} is {rate.dtype}{list(rate.shape)}, not one integer',
                hint="save sample_rate=16000, whatever the rate is",
            )
        if int(rate) != self.rate_hz and not self.resample:
            raise SeedSourceError(
                f"the clips of {self.path} are of {int(rate)} Hz, and those of the campaign of {self.rate_hz} Hz",
                hint=f"set resample = true in [seeds], or rate_hz = {int(rate)} in [domain]",
            )
        return int(rate)

    def _labels(self, archive: Archive, count: int) -> tuple[Sequence[Hashable | None], dict[str, Any]]:
        """Return the labels, and which array they are."""
        text = self.text or (None if self.labels else _first(archive, _TEXTS))
        if text is not None:
            texts = _column(archive, text, count)
            return [normalise(str(one), self.normalise) for one in texts], {"text": text, "normalise": self.normalise}
        key = self.labels or _first(archive, _LABELS)
        if key is None:
            return [None] * count, {"labels": "none"}
        labels = archive.array(key)
        if labels.shape != (count,) or labels.dtype.kind not in "iu":
            raise SeedSourceError(
                f'the labels "{key}" of {self.path} are {labels.dtype}{list(labels.shape)}, not {count} integers',
                hint="save one integer for each clip; sentences go into text",
            )
        return labels.tolist(), {"labels": key}

    def _names(self, archive: Archive, count: int) -> Sequence[str]:
        key = _first(archive, _NAMES)
        told = archive.array(key) if key is not None else None
        if told is not None and told.shape == (count,) and told.dtype.kind == "U" and (told != "").all():
            return [str(name) for name in told]
        return [f"{self.path.stem}/{row:05d}" for row in range(count)]


def _first(archive: Archive, keys: Sequence[str]) -> str | None:
    return next((key for key in keys if key in archive.keys), None)


def _column(archive: Archive, key: str, count: int) -> Sequence[str | float | bool]:
    values = archive.array(key)
    if values.shape != (count,) or values.dtype.kind not in "biufU":
        raise SeedSourceError(
            f'the array "{key}" of {archive.path} is {values.dtype}{list(values.shape)}; '
            f"it has to be {count} numbers, booleans or texts",
            hint="save one value for each clip, or leave it out",
        )
    if values.dtype.kind == "f":
        values = np.where(np.isfinite(values), values.astype(np.float64), np.nan)
    told: Sequence[str | float | bool] = values.tolist()
    return told


def _licence(archive: Archive) -> str | list[str]:
    """Return what the archive's own array says, each licence once."""
    if "licence" not in archive.keys:
        return "none stated"
    return sorted({str(one) for one in np.atleast_1d(archive.array("licence"))})
