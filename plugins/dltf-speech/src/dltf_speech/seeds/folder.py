"""Sound files in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from attrs import field, frozen, validators

from dltf.plugin import SeedSourceError
from dltf_speech.normalise import Normalise, known_normalisation, normalise
from dltf_speech.rate import DEFAULT_HZ, known_rate
from dltf_speech.seeds.clips import Clip, ClipFiles, clip_files
from dltf_speech.seeds.labels import Missing, class_numbers, different, known_missing, refuse_or_count
from dltf_speech.seeds.transcripts import need_folder, read_text
from dltf_speech.sound import SUFFIXES, Reader, find_sounds, visible

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

Labels = Literal["auto", "transcripts", "folders", "none"]

_NO_TRANSCRIPTS = ("readme", "licence", "license", "copying", "changelog")  # they describe the whole


@frozen
class Folder:
    """The sound files of a folder and its sub-folders, sorted by name; each is read when it is asked for.

    With `labels = "transcripts"` the label of `x.wav` is the text of `x.txt` beside it; with "folders" it is the number
    of the class that the first folder under `path` names: its position in `classes`, else the name itself where all are
    numbers, else its position when sorted. "auto" takes transcripts where there are any, else folders. Hidden files and
    folders are left out, and so are files with other suffixes than a sound's.
    """

    reads: ClassVar[tuple[str, ...]] = ("/",)

    path: Path
    labels: Labels = field(default="auto", validator=validators.in_(get_args(Labels)))
    classes: tuple[str, ...] = field(default=(), validator=different)
    missing: Missing = field(default="refuse", validator=known_missing)
    normalise: Normalise = field(default="none", validator=known_normalisation)
    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)
    resample: bool = True

    def open(self) -> ClipFiles:
        need_folder(self.path, "speech.folder")
        files = find_sounds(self.path)
        if not files:
            raise SeedSourceError(
                f"there are no sound files in {self.path}",
                hint=f"put some there, or name another folder; a sound's suffix is one of {' '.join(SUFFIXES)}",
            )
        texts = self._texts(files)
        source: dict[str, Any] = {"path": str(self.path), "licence": "none stated"}
        labels: Mapping[Path, Hashable] = {}
        kept: Sequence[Path] = files
        if self.labels == "transcripts" or (self.labels == "auto" and texts):
            labels, facts = self._transcribed(files, texts)
            kept = [file for file in files if file in labels]
        elif self.labels != "none" and (self.labels == "folders" or any(len(file.parts) > 1 for file in files)):
            named = {file: file.parts[0] for file in files if len(file.parts) > 1}
            classes = class_numbers(named.values(), self.classes)
            labels, facts = {file: classes[name] for file, name in named.items()}, {"classes": classes}
        else:
            facts = {}
        clips = [Clip(self.path / file, file.as_posix(), labels.get(file)) for file in kept]
        return clip_files(clips, Reader(self.rate_hz, self.resample), source | facts)

    def _texts(self, files: Sequence[Path]) -> Sequence[Path]:
        """Return the text files that may be transcripts; none where no clip has one."""
        if self.labels in {"folders", "none"}:
            return []
        found = visible(self.path, self.path.rglob("*.txt"))
        if any(text.name.endswith(".trans.txt") for text in found):
            raise SeedSourceError(
                f"{self.path} has LibriSpeech's layout: its transcripts are in files *.trans.txt",
                hint='set use = "speech.librispeech", or labels = "none"',
            )
        clips = {file.with_suffix("") for file in files}
        texts = [text for text in found if not text.stem.lower().startswith(_NO_TRANSCRIPTS)]
        return texts if self.labels == "transcripts" or any(text.with_suffix("") in clips for text in texts) else []

    def _transcribed(self, files: Sequence[Path], texts: Sequence[Path]) -> tuple[dict[Path, Hashable], dict[str, Any]]:
        of_clip = {text.with_suffix(""): text for text in texts}
        clips = {file.with_suffix("") for file in files}
        without_text = [file.as_posix() for file in files if file.with_suffix("") not in of_clip]
        without_clip = [text.as_posix() for text in texts if text.with_suffix("") not in clips]
        told = "clips without a transcript beside them", "transcripts without a clip beside them"
        cures = 'write x.txt beside each x.wav, or set labels = "none"', "put x.wav beside each x.txt, or remove it"
        facts: dict[str, Any] = {
            "labels": "transcripts",
            "normalise": self.normalise,
            "clips_without_transcript": refuse_or_count(self.missing, told[0], without_text, cures[0]),
            "transcripts_without_clip": refuse_or_count(self.missing, told[1], without_clip, cures[1]),
        }
        labelled: dict[Path, Hashable] = {
            file: normalise(read_text(self.path / of_clip[file.with_suffix("")]), self.normalise)
            for file in files
            if file.with_suffix("") in of_clip
        }
        if not labelled:
            raise SeedSourceError(f"no clip in {self.path} has a transcript", hint=cures[0])
        return labelled, facts
