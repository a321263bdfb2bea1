"""LibriSpeech's layout: speaker/chapter/*.flac, with the transcripts of a chapter in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from dltf.plugin import SeedSourceError
from dltf_speech.normalise import Normalise, known_normalisation, normalise
from dltf_speech.rate import DEFAULT_HZ, known_rate
from dltf_speech.seeds.clips import Clip, ClipFiles, clip_files
from dltf_speech.seeds.labels import Missing, known_missing, refuse_or_count
from dltf_speech.seeds.transcripts import need_folder, read_text
from dltf_speech.sound import Reader, find_sounds, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LICENCE = "CC BY 4.0 where it is LibriSpeech itself (Panayotov et al., 2015)"


@frozen
class LibriSpeech:
    """The utterances of a tree …/speaker/chapter/speaker-chapter-number.flac, sorted by their paths.

    A line of `speaker-chapter.trans.txt` is an utterance's name and its words. `path` is a part of the set
    ("test-clean"), or a folder with several. Each seed has the columns speaker and chapter, and part where there are
    several. WAV copies of the same names do as well.
    """

    path: Path
    missing: Missing = field(default="refuse", validator=known_missing)
    normalise: Normalise = field(default="none", validator=known_normalisation)
    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)
    resample: bool = True

    def open(self) -> ClipFiles:
        need_folder(self.path, "speech.librispeech")
        texts = self._texts()
        files = find_sounds(self.path)
        clips = {file.with_suffix("") for file in files}
        without_text = [file.as_posix() for file in files if file.with_suffix("") not in texts]
        without_clip = [name.as_posix() for name in texts if name not in clips]
        told = "clips that no *.trans.txt beside them names", "transcripts without their clip"
        cures = "mend the *.trans.txt of these chapters", "unpack the set again"
        source = {
            "path": str(self.path),
            "clips_without_transcript": refuse_or_count(self.missing, told[0], without_text, cures[0]),
            "transcripts_without_clip": refuse_or_count(self.missing, told[1], without_clip, cures[1]),
            "normalise": self.normalise,
            "licence": _LICENCE,
        }
        kept = [file for file in files if file.with_suffix("") in texts]
        if not kept:
            raise SeedSourceError(f"{self.path} has no clip with a transcript", hint=cures[1])
        found = [self._clip(file, texts[file.with_suffix("")]) for file in kept]
        return clip_files(found, Reader(self.rate_hz, self.resample), source)

    def _texts(self) -> Mapping[Path, str]:
        """Return the words of every utterance, by its path under the folder and without suffix."""
        tables = visible(self.path, self.path.rglob("*.trans.txt"))
        if not tables:
            raise SeedSourceError(
                f"there is no *.trans.txt under {self.path}, as LibriSpeech has them",
                hint='name the unpacked folder; for x.wav with x.txt beside it, set use = "speech.folder"',
            )
        return {table.parent / name: words for table in tables for name, words in self._lines(table)}

    def _lines(self, table: Path) -> Sequence[tuple[str, str]]:
        lines = [line.strip() for line in read_text(self.path / table).splitlines()]
        named = [line.partition(" ") for line in lines if line]
        return [(name, normalise(words, self.normalise)) for name, _, words in named]

    def _clip(self, file: Path, words: str) -> Clip:
        *part, speaker, chapter = ["", "", *file.parts[:-1]][-3:] if len(file.parts) > 2 else _from_name(file)
        columns = {"speaker": speaker, "chapter": chapter} | ({"part": part[0]} if part and part[0] else {})
        return Clip(self.path / file, file.with_suffix("").as_posix(), words, columns)


def _from_name(file: Path) -> list[str]:
    """Return speaker and chapter as the file's own name has them, where the folders do not say."""
    speaker, _, rest = file.stem.partition("-")
    return [speaker, rest.partition("-")[0]]
