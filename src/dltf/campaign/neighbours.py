"""The screened seeds as ends of paths: their answers, and who is near whom."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, field, frozen

from dltf.errors import SeedError
from dltf.search.paths import PATH, Paths
from dltf.values import Observations, ScreenedSeeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.campaign.opening import Opened
    from dltf.contracts import Decoder, Geometry, Seeds
    from dltf.values import Answer, FloatArray, IntArray, Sample

KEPT = 32  # neighbours of each seed
POOL = 20_000  # seeds of one shape that paths may lead to, the first of the campaign
_BLOCK = 256  # seeds whose neighbours are found at once
_COLUMNS = 8192  # seeds that they are compared with at once
_READ = 512  # samples that are kept read


def paths_of(opened: Opened, geometry: Geometry, answers: Mapping[int, tuple[Answer, Answer]]) -> Paths | None:
    """Return the paths between screened seeds, or None where the geometry has none.

    `answers` are both variants', by case: those of seeds on which they agree.
    """
    interpolate = getattr(geometry, "interpolate", None)  # contracts.Interpolates
    embed = getattr(geometry, "embed", None)  # contracts.Embeds
    if interpolate is None:
        return None
    across = bool(getattr(geometry, "across_shapes", False))
    kept, vectors = _vectors(list(answers), opened.seeds, embed, across=across)
    if not kept:
        return None
    reference = observations_of([answers[case][0] for case in kept], opened.pair.reference.decoder)
    candidate = observations_of([answers[case][1] for case in kept], opened.pair.candidate.decoder)
    nearest = Nearest(vectors, _codes(reference.decisions))
    cases = np.array(kept, dtype=np.int64)
    screened = ScreenedSeeds(cases, reference, candidate, nearest)
    return Paths(screened, _Reader(opened.seeds, kept), interpolate, getattr(geometry, "path", PATH))


@frozen(eq=False)
class Vectors:
    """The vectors of the seeds that paths lead between, those of one shape or all, and their rows in order."""

    rows: IntArray
    values: NDArray[Any]


@define(eq=False)
class Nearest:
    """The nearest differently answered seeds of each: exact in the domain's vectors, found block by block."""

    _groups: Sequence[Vectors]
    _codes: IntArray
    _found: dict[int, tuple[IntArray, FloatArray]] = field(factory=dict)

    def nearest(self, row: int) -> tuple[IntArray, FloatArray]:
        """Return rows, the nearest first, and distances."""
        if row not in self._found:
            group = next(group for group in self._groups if row in group.rows)
            first = int(np.searchsorted(group.rows, row)) // _BLOCK * _BLOCK
            self._find(group, np.arange(first, min(first + _BLOCK, len(group.rows))))
        return self._found[row]

    def _find(self, group: Vectors, block: IntArray) -> None:
        ours = group.values[block].astype(np.float32)
        pool = group.values[:POOL]
        squares = np.concatenate(
            [
                _squared(ours, pool[first : first + _COLUMNS].astype(np.float32))
                for first in range(0, len(pool), _COLUMNS)
            ],
            axis=1,
        )
        codes = self._codes[group.rows]
        squares[codes[block][:, None] == codes[None, : len(pool)]] = np.inf
        most = min(2 * KEPT, squares.shape[1])
        near = np.argpartition(squares, most - 1, axis=1)[:, :most]
        for position, row in enumerate(group.rows[block].tolist()):
            others = near[position][np.isfinite(squares[position, near[position]])]
            apart = group.values[others].astype(np.float64) - group.values[block[position]].astype(np.float64)
            exact = np.sqrt((apart * apart).sum(axis=1))  # single precision is too coarse to rank by
            order = np.lexsort((others, exact))[:KEPT]
            self._found[row] = group.rows[others[order]], exact[order]


class _Reader:
    """Reads samples by row; the last ones are kept."""

    def __init__(self, seeds: Seeds, cases: Sequence[int]) -> None:
        self._seeds = seeds
        self._cases = cases
        self._read: OrderedDict[int, Sample] = OrderedDict()

    def __call__(self, row: int) -> Sample:
        if row in self._read:
            self._read.move_to_end(row)
            return self._read[row]
        sample = self._read[row] = self._seeds[self._cases[row]].sample
        if len(self._read) > _READ:
            self._read.popitem(last=False)
        return sample


def _vectors(
    cases: Sequence[int], seeds: Seeds, embed: Any, *, across: bool = False
) -> tuple[list[int], list[Vectors]]:
    """Read every seed once; return those that could be read, and their vectors: shape by shape, or `across` shapes."""
    kept: list[int] = []
    rows: dict[Any, list[int]] = {}
    parts: dict[Any, list[NDArray[Any]]] = {}
    for first in range(0, len(cases), _BLOCK):
        samples: list[Sample] = []
        for case in cases[first : first + _BLOCK]:
            with suppress(SeedError):
                samples.append(seeds[case].sample)
                kept.append(case)
        for group, batch in vectors_of(samples, embed, across=across):
            key = None if across else (samples[group[0]].shape, samples[group[0]].dtype.str)
            rows.setdefault(key, []).extend(len(kept) - len(samples) + row for row in group)
            parts.setdefault(key, []).append(batch)
    return kept, [Vectors(np.array(rows[key]), np.concatenate(parts[key])) for key in rows]


def vectors_of(samples: Sequence[Sample], embed: Any, *, across: bool) -> list[tuple[list[int], NDArray[Any]]]:
    """Return rows and their vectors: a group for each shape, or one for all where vectors compare across shapes."""
    groups: dict[Any, list[int]] = {}
    for row, sample in enumerate(samples):
        groups.setdefault((sample.shape, sample.dtype.str), []).append(row)
    found = []
    for group in groups.values():
        batch = np.stack([samples[row] for row in group])
        found.append((group, batch.reshape(len(batch), -1) if embed is None else embed(batch)))
    if not across or len(found) < 2:
        return found
    rows = np.concatenate([group for group, _ in found])
    order = np.argsort(rows)
    return [(rows[order].tolist(), np.concatenate([batch for _, batch in found])[order])]


def _squared(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> NDArray[np.float32]:
    products = ours @ theirs.T
    own, other = (np.einsum("ij,ij->i", values, values) for values in (ours, theirs))
    return np.asarray(own[:, None] + other[None, :] - 2 * products, dtype=np.float32)


def _codes(decisions: Any) -> IntArray:
    """Number the decisions, equal ones alike."""
    numbers: dict[Any, int] = {}
    return np.array([numbers.setdefault(decision, len(numbers)) for decision in list(decisions)], dtype=np.int64)


def observations_of(known: Sequence[Answer], decoder: Decoder | None) -> Observations:
    """Return stored answers as observations, with a scorer where the decoder can score from states."""
    decisions = [answer.decision for answer in known]
    states = [answer.state for answer in known if answer.state is not None]
    stacked = np.stack(states).astype(np.float32) if len(states) == len(known) else None
    scorer_of = getattr(decoder, "scorer_of", None)  # contracts.Rescores
    return Observations(
        decisions=np.array(decisions) if all(type(decision) is int for decision in decisions) else decisions,
        log_scores=np.array([answer.log_score for answer in known]),
        states=stacked,
        tied=np.zeros(len(known), dtype=np.bool_),
        finite=np.ones(len(known), dtype=np.bool_),
        scorer=None if stacked is None or scorer_of is None else scorer_of(stacked),
    )
