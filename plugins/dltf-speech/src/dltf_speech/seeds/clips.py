"""Seeds out of sound files, each read when it is asked for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from dltf.plugin import Seed

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from pathlib import Path

    from dltf_speech.sound import Reader

_LOOK = 5000  # headers at most: to read more of them would delay the start


@frozen
class Clip:
    """Where a clip is, and what is said of it."""

    path: Path
    name: str
    label: Hashable | None = None
    columns: Mapping[str, str | float | bool] = field(factory=dict)
    start_s: float = 0.0
    length_s: float | None = None  # to the end of the file


@frozen(eq=False)
class ClipFiles:
    """Clips in files; the columns say what each file was before it became a clip."""

    source: Mapping[str, Any]
    _clips: Sequence[Clip]
    _reader: Reader

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, index: int) -> Seed:
        clip = self._clips[index]
        sound = self._reader.read(clip.path, clip.name, clip.start_s, clip.length_s)
        return Seed(sound.clip, clip.name, clip.label, sound.columns | dict(clip.columns))


def clip_files(clips: Sequence[Clip], reader: Reader, source: Mapping[str, Any]) -> ClipFiles:
    """Return the seeds; their source says, beside what is given, what their headers say and what is converted."""
    return ClipFiles({**source, "rate_hz": reader.rate_hz, "headers": headers(clips, reader)}, clips, reader)


def headers(clips: Sequence[Clip], reader: Reader) -> dict[str, Any]:
    """Return how many files are of which kind, and how many will be resampled, mixed down, and rounded to 16 bits."""
    import soundfile

    files = sorted({clip.path for clip in clips})
    step = -(-len(files) // _LOOK) or 1
    looked_at = files[::step]
    rates: Counter[int] = Counter()
    encodings: Counter[str] = Counter()
    stereo = unreadable = 0
    for path in looked_at:
        try:
            said = soundfile.info(path)
        except (soundfile.SoundFileError, OSError):
            unreadable += 1  # the seed itself says why, when it is read
            continue
        rates[said.samplerate] += 1
        encodings[f"{said.format} {said.subtype}"] += 1
        stereo += said.channels > 1
    others = sum(count for rate, count in rates.items() if rate != reader.rate_hz)
    return {
        "files": len(files),
        "looked_at": len(looked_at),
        "rates_hz": {str(rate): count for rate, count in sorted(rates.items())},
        "encodings": dict(sorted(encodings.items())),
        "resampled" if reader.resample else "of_another_rate": others,
        "mixed_down": stereo,
        "converted_to_16_bits": sum(count for kind, count in encodings.items() if not kind.endswith("PCM_16")),
        "unreadable": unreadable,
    }
