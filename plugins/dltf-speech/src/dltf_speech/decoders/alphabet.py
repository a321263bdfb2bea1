"""Which class stands for which character, as it comes in files; and classes folded into what people read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.plugin import MisfitError
from dltf_speech.normalise import Normalise, normalise

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_KEYS = ("charset", "alphabet", "labels", "vocabulary", "vocab")


def read_alphabet(file: Path) -> tuple[str, ...]:
    r"""Return what each class stands for, in order; raise `MisfitError` where the file does not say.

    JSON: a list; an object from character to class number (`vocab.json`); or an object that has either under
    "charset", "alphabet", "labels", "vocabulary" or "vocab". Else text, one class a line, "#" before comments and
    "\#" for the character itself (Mozilla DeepSpeech's `alphabet.txt`).
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MisfitError(f"the alphabet {file} cannot be read: {error}", hint="check `alphabet_file`") from error
    try:
        found = _listed(json.loads(text))
    except json.JSONDecodeError:
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        found = ["#" if line == "\\#" else line for line in lines]
    if not found:
        raise MisfitError(
            f"the file {file} lists no characters",
            hint=f"JSON needs a list, or one of {', '.join(_KEYS)}; text needs one character a line",
        )
    return tuple(found)


def _listed(found: Any) -> list[str]:
    if isinstance(found, Mapping):
        for key in _KEYS:
            if isinstance(found.get(key), (list, Mapping)):
                return _listed(found[key])
        numbers = sorted((number, character) for character, number in found.items() if type(number) is int)
        whole = [number for number, _ in numbers] == list(range(len(found)))
        return [character for _, character in numbers] if whole else []
    if isinstance(found, list) and all(isinstance(item, str) for item in found):
        return found
    return []


def is_silent(entry: str) -> bool:
    """Whether a class stands for no character: "", or a mark such as "<pad>", "<s>" or "[UNK]"."""
    return not entry or (len(entry) > 2 and entry[0] + entry[-1] in ("<>", "[]"))


@frozen
class Reading:
    """Classes folded into labels: label 0 is silence, each other one a character.

    Silence is the blank and all that reads as nothing; classes that read alike are one label. Both only matter where an
    alphabet has marks, punctuation or both cases, and normalising takes them away. No sentence begins or ends with
    `separator` or has two in a row: however many a model says, they read as one.
    """

    labels: tuple[int, ...]  # of each class
    characters: tuple[str, ...]  # of each label; "" first
    separator: int  # a label, 0 where there is none
    how: Normalise

    @classmethod
    def of(cls, alphabet: Sequence[str], blank: int, separator: str, how: Normalise) -> Reading:
        """Fold an alphabet."""
        characters, labels = [""], []
        for number, entry in enumerate(alphabet):
            character = "" if number == blank or is_silent(entry) else _read(entry, separator, how)
            if character not in characters:
                characters.append(character)
            labels.append(characters.index(character))
        return cls(tuple(labels), tuple(characters), characters.index(" ") if " " in characters else 0, how)

    @cached_property
    def _label_of(self) -> Mapping[str, int]:
        return {character: label for label, character in enumerate(self.characters) if character}

    def text(self, labels: Sequence[int]) -> str:
        """Return the sentence that these labels spell."""
        return normalise("".join(self.characters[label] for label in labels), self.how)

    def spelled(self, sentence: str) -> list[int] | None:
        """Return the labels that spell a sentence, or None where it has other characters."""
        found = [self._label_of.get(character, 0) for character in " ".join(sentence.split())]
        return None if 0 in found else found

    def folded(self, logs: NDArray[np.float64], plus: np.ufunc = np.logaddexp) -> NDArray[np.float64]:
        """Return the log-probabilities of labels from those of classes, [n, frames, classes] → [n, frames, labels].

        What reads alike adds up, or is what `plus` makes of it.
        """
        of = np.array(self.labels)
        groups = [np.flatnonzero(of == label) for label in range(len(self.characters))]
        if all(len(group) == 1 for group in groups):
            return np.ascontiguousarray(logs[:, :, np.concatenate(groups)])
        with np.errstate(all="ignore"):  # NaN and infinities are observations, not accidents
            return np.stack([plus.reduce(logs[:, :, group], axis=2) for group in groups], axis=2)


def _read(entry: str, separator: str, how: Normalise) -> str:
    """Return what a class reads as: a character, a space, or nothing."""
    if entry == separator or entry.isspace():
        return " "
    read = normalise(f"b{entry}b", how)[1:-1]  # inside a word, where an apostrophe counts
    if len(read) > 1:
        raise MisfitError(
            f'"{entry}" reads as {len(read)} characters, "{read}", under normalise = "{how}"',
            hint='set normalise to "none" in the model\'s output table, and normalise where answers are judged',
        )
    return read
