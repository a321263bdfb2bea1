"""The oracle: how many edits turn one sequence into the other."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import Observations, Verdicts

if TYPE_CHECKING:
    from numpy.typing import NDArray


@frozen
class Edits:
    """The answers are more than `tolerance` insertions, deletions and substitutions apart; that is the distance."""

    tolerance: int = field(default=0, validator=validators.ge(0))

    def judge(self, reference: Observations, candidate: Observations) -> Verdicts:
        pairs: Any = zip(reference.decisions, candidate.decisions, strict=True)
        distances = np.array([edits(ours, theirs) for ours, theirs in pairs], dtype=np.float64)
        tied: NDArray[np.bool_] = reference.tied | candidate.tied
        return Verdicts(deviates=distances > self.tolerance, distances=distances, tied=tied)

    def align(self, ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        for _, i, i_end, j, j_end in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
            pieces = [map(str, ours[i:i_end]), map(str, theirs[j:j_end])]
            pairs += zip_longest(*pieces, fillvalue="")
        return pairs


def edits(ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> int:
    """Return the Levenshtein distance of two sequences."""
    row = list(range(len(theirs) + 1))
    for i, a in enumerate(ours, start=1):
        above, row = row, [i]
        for j, b in enumerate(theirs, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return row[-1]
