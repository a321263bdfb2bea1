"""A table of sound files: CSV or JSON lines, with NeMo's keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from attrs import field, frozen, validators

from dltf.plugin import SeedSourceError, nearest
from dltf_speech.normalise import Normalise, known_normalisation, normalise
from dltf_speech.rate import DEFAULT_HZ, known_rate
from dltf_speech.seeds.checksum import sha256
from dltf_speech.seeds.clips import Clip, ClipFiles, clip_files
from dltf_speech.seeds.labels import Missing, class_numbers, different, known_missing, refuse_or_count
from dltf_speech.seeds.rows import SUFFIXES, Row, mistake, read_rows
from dltf_speech.sound import Reader

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

Labels = Literal["auto", "text", "classes", "none"]


def _table(_: object, attribute: Any, path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"'{attribute.name}' must be a file {', '.join(SUFFIXES)}: {path}")


@frozen
class Manifest:
    """The clips that a table names, in its order: one row each, with a header in CSV, a JSON object a line otherwise.

    `audio`, `text`, `duration`, `offset` and `label` are the names of columns; those of NeMo by default. A clip's path
    is relative to the table. With a duration or an offset, in seconds, the clip is that part of its file. A label is
    the text where there is such a column, else the number of the class in `label`. Every other column goes to the seed.
    """

    reads: ClassVar[tuple[str, ...]] = SUFFIXES

    path: Path = field(validator=_table)
    audio: str = "audio_filepath"
    text: str = "text"
    duration: str = "duration"
    offset: str = "offset"
    label: str = "label"
    labels: Labels = field(default="auto", validator=validators.in_(get_args(Labels)))
    classes: tuple[str, ...] = field(default=(), validator=different)
    missing: Missing = field(default="refuse", validator=known_missing)
    normalise: Normalise = field(default="none", validator=known_normalisation)
    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)
    resample: bool = True

    def open(self) -> ClipFiles:
        if not self.path.is_file():
            raise SeedSourceError(
                f"there is no file {self.path}", hint="check the path; a relative one starts at the profile"
            )
        rows = read_rows(self.path, as_text=(self.audio, self.text))
        files = {row.line: self._file(row, rows) for row in rows}
        there, facts = self._there(rows, files)
        kind = self._kind(rows)
        labels, told = self._labels(there, kind)
        kept = [row for row in there if kind == "none" or row.line in labels]
        if not kept:
            raise SeedSourceError(f"{self.path} names no clip that is there", hint="correct its paths and labels")
        own = {self.audio, self.text, self.duration, self.offset, self.label}
        clips = [
            Clip(
                files[row.line],
                self._name(row),
                labels.get(row.line),
                {name: value for name, value in row.values.items() if name not in own},
                self._time(row, self.offset) or 0.0,
                self._time(row, self.duration),
            )
            for row in kept
        ]
        source = {"path": str(self.path), "sha256": sha256(self.path), "rows": len(rows), **facts, **told}
        return clip_files(clips, Reader(self.rate_hz, self.resample), {**source, "licence": "none stated"})

    def _file(self, row: Row, rows: Sequence[Row]) -> Path:
        named = row.values.get(self.audio)
        if named is None and not any(self.audio in other.values for other in rows):
            columns = sorted({name for other in rows for name in other.values})
            raise SeedSourceError(
                f'{self.path} has no column "{self.audio}"{nearest(self.audio, columns)}',
                hint='say which column names the files: audio = "…"',
            )
        if not isinstance(named, str) or not named:
            told = f'no "{self.audio}" is given' if named is None else f'"{self.audio}" is {named!r}'
            raise mistake(self.path, row.line, told, hint="name the sound file by its path, or remove the line")
        return self.path.parent / named

    def _name(self, row: Row) -> str:
        """Return the file as the table names it, with where its part begins where the table has parts."""
        begins = self._time(row, self.offset)
        return str(row.values[self.audio]) + ("" if begins is None else f"@{begins:g}s")

    def _time(self, row: Row, column: str) -> float | None:
        value = row.values.get(column)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            hint = "give seconds, as a number from 0 on"
            raise mistake(self.path, row.line, f'"{column}" is {value!r}', hint=hint)
        if column == self.duration and value == 0:
            raise mistake(self.path, row.line, f'"{column}" is 0', hint="remove the line: there is no sound in it")
        return float(value)

    def _there(self, rows: Sequence[Row], files: Mapping[int, Path]) -> tuple[list[Row], dict[str, Any]]:
        absent = [row for row in rows if not files[row.line].is_file()]
        gone = {row.line for row in absent}
        named = [f"{row.values[self.audio]} (line {row.line})" for row in absent]
        told = f"{self.path} names clips that are not there"
        hint = "a path is relative to the manifest's own folder; correct or remove these lines"
        missing = refuse_or_count(self.missing, told, named, hint)
        return [row for row in rows if row.line not in gone], {"transcripts_without_clip": missing}

    def _kind(self, rows: Sequence[Row]) -> Labels:
        """Return which column is the label."""
        if self.labels != "auto":
            return self.labels
        if any(self.text in row.values for row in rows):
            return "text"
        return "classes" if any(self.label in row.values for row in rows) else "none"

    def _labels(self, rows: Sequence[Row], kind: Labels) -> tuple[dict[int, Hashable], dict[str, Any]]:
        """Return the labels by line, and what is said of them."""
        if kind == "none":
            return {}, {"labels": "none"}
        column = self.text if kind == "text" else self.label
        said = {row.line: str(row.values[column]) for row in rows if column in row.values}
        without = [f"{row.values[self.audio]} (line {row.line})" for row in rows if row.line not in said]
        hint = f'fill in the column "{column}", or set labels = "none"'
        told = f'{self.path} has rows without "{column}"'
        facts: dict[str, Any] = {"clips_without_transcript": refuse_or_count(self.missing, told, without, hint)}
        if kind == "text":
            texts: dict[int, Hashable] = {line: normalise(text, self.normalise) for line, text in said.items()}
            return texts, facts | {"labels": "transcripts", "normalise": self.normalise}
        numbers = class_numbers(said.values(), self.classes)
        return {line: numbers[name] for line, name in said.items()}, facts | {"classes": numbers}
