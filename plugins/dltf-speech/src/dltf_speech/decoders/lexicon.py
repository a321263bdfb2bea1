"""A list of words as a tree: which character may come next."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from dltf.plugin import MisfitError
from dltf_speech.decoders.alphabet import Reading
from dltf_speech.normalise import normalise

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@frozen(eq=False)
class Lexicon:
    """`after`: int32 [nodes, labels], the node that a label leads to, −1 where there is none; node 0 begins a word.

    `whole`: bool [nodes], a sentence may end there.
    """

    after: NDArray[np.int32]
    whole: NDArray[np.bool_]

    @classmethod
    def of(cls, words: list[list[int]], reading: Reading) -> Lexicon:
        """Return the tree of these words, as labels."""
        branches: list[dict[int, int]] = [{}]
        ends = set()
        for word in words:
            node = 0
            for label in word:
                if label not in branches[node]:
                    branches.append({})
                    branches[node][label] = len(branches) - 1
                node = branches[node][label]
            ends.add(node)
        after = np.full((len(branches), len(reading.characters)), -1, dtype=np.int32)
        for node, branch in enumerate(branches):
            after[node, list(branch)] = list(branch.values())
        whole = np.zeros(len(branches), dtype=np.bool_)
        whole[[0, *ends]] = True
        if reading.separator:
            after[sorted(ends), reading.separator] = 0
        return cls(after, whole)


@lru_cache(maxsize=4)
def read_lexicon(file: Path, reading: Reading) -> Lexicon:
    """Return the tree of the words in a text file, whatever white space is between them.

    Words that the alphabet cannot spell are left out; raise `MisfitError` where no word is left.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MisfitError(f"the word list {file} cannot be read: {error}", hint="check `words`") from error
    spelled = [reading.spelled(word) for word in dict.fromkeys(normalise(text, reading.how).split())]
    words = [word for word in spelled if word]
    if not words:
        raise MisfitError(
            f"the alphabet spells none of the {len(spelled)} words of {file}",
            hint='check the case of both; normalise = "lower" or "letters" makes them alike',
        )
    return Lexicon.of(words, reading)
