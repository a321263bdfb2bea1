"""Speech Commands' layout: a folder for each word, and lists of the clips that are held out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from dltf.plugin import SeedSourceError
from dltf_speech.rate import DEFAULT_HZ, known_rate
from dltf_speech.seeds.clips import Clip, ClipFiles, clip_files
from dltf_speech.seeds.labels import Missing, different, known_missing, refuse_or_count
from dltf_speech.seeds.split import CommandSplit, known_command_split
from dltf_speech.seeds.transcripts import need_folder, read_text
from dltf_speech.sound import Reader, find_sounds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNKNOWN, SILENCE = "unknown", "silence"
TWELVE = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", SILENCE, UNKNOWN)

_BACKGROUND = "_background_noise_"  # minutes of noise, to be mixed in
_LISTS = {"test": "testing_list.txt", "validation": "validation_list.txt"}
_LICENCE = "CC BY 4.0 where it is Speech Commands itself (Warden, 2018)"


@frozen
class SpeechCommands:
    """The clips of a folder a word, as unpacked; `split` is by testing_list.txt and validation_list.txt beside them.

    A label is the position of its word in `classes`: by default the twelve of MLPerf Tiny's keyword model, in its
    order. Words that are not among them are "unknown" where that is a class, else left out. The folders `_silence_` and
    `_unknown_`, which the separate test set has, are those classes; with `split = "all"` no lists are asked for.
    `classes = []` is every word there is, sorted. Each seed has the columns word and speaker.
    """

    path: Path
    split: CommandSplit = field(default="test", validator=known_command_split)
    classes: tuple[str, ...] = field(default=TWELVE, validator=different)
    missing: Missing = field(default="refuse", validator=known_missing)
    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)
    resample: bool = True

    def open(self) -> ClipFiles:
        need_folder(self.path, "speech.commands")
        files = [file for file in find_sounds(self.path) if len(file.parts) == 2 and file.parts[0] != _BACKGROUND]
        if not files:
            raise SeedSourceError(
                f"there are no folders of words in {self.path}", hint="name the unpacked folder of Speech Commands"
            )
        chosen, facts = self._chosen(files)
        numbers = self._numbers(files)
        clips = [
            Clip(self.path / file, file.as_posix(), number, {"word": _word(file), "speaker": _speaker(file)})
            for file in chosen
            if (number := _number(numbers, _word(file))) is not None
        ]
        if not clips:
            raise SeedSourceError(
                f"{self.path} has no clips of {', '.join(self.classes)} in its {self.split} part",
                hint="name other classes, or another split",
            )
        source: dict[str, Any] = {"path": str(self.path), "split": self.split, "classes": numbers, "licence": _LICENCE}
        left_out = len(chosen) - len(clips)
        return clip_files(clips, Reader(self.rate_hz, self.resample), source | facts | {"of_other_words": left_out})

    def _numbers(self, files: Sequence[Path]) -> Mapping[str, int]:
        return {word: number for number, word in enumerate(self.classes or sorted({_word(file) for file in files}))}

    def _chosen(self, files: Sequence[Path]) -> tuple[Sequence[Path], dict[str, Any]]:
        """Return the clips of the part that is wanted, and how many of its list are not there."""
        if self.split == "all":
            return files, {}
        listed = {part: self._list(name) for part, name in _LISTS.items() if self.split in {part, "train"}}
        if self.split == "train":
            held_out = {file for part in listed.values() for file in part}
            return [file for file in files if file not in held_out], {}
        there, wanted = set(files), listed[self.split]
        absent = sorted(file.as_posix() for file in wanted if file not in there)
        told = f"{_LISTS[self.split]} names clips that are not there"
        count = refuse_or_count(self.missing, told, absent, "unpack the set again")
        return [file for file in files if file in wanted], {"listed_without_clip": count}

    def _list(self, name: str) -> set[Path]:
        if not (self.path / name).is_file():
            raise SeedSourceError(
                f"there is no {name} in {self.path}, by which it is split",
                hint='set split = "all" where the folder has no such lists',
            )
        return {Path(line.strip()) for line in read_text(self.path / name).splitlines() if line.strip()}


def _number(numbers: Mapping[str, int], word: str) -> int | None:
    """Return the class of a word; silence is no unknown word."""
    return numbers.get(word, None if word == SILENCE else numbers.get(UNKNOWN))


def _word(file: Path) -> str:
    return file.parts[0].strip("_")


def _speaker(file: Path) -> str:
    return file.stem.partition("_nohash_")[0]
