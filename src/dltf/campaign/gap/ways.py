"""Ways from seeds on which an answer is lost: to a differently answered seed, or along one operator's strength."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from attrs import frozen

from dltf.campaign.neighbours import Nearest, Vectors, vectors_of
from dltf.search.paths import between

if TYPE_CHECKING:
    from dltf.contracts import Geometry, MutationOperator
    from dltf.feed import Columns
    from dltf.search.paths import Interpolate
    from dltf.values import Batch, Draws, FloatArray, IntArray, Sample, Stream


class Ways(Protocol):
    """n ways from samples of one shape, each a function from t in [0, 1] to a sample; 0 is the seed."""

    @property
    def seeds(self) -> Batch: ...

    @property
    def columns(self) -> Sequence[Columns]: ...

    def at(self, rows: IntArray, t: FloatArray) -> Sequence[Sample]:
        """Return the samples of these ways at t."""

    def ends(self) -> Sequence[Sample]:
        """Return the samples at t = 1."""


@frozen(eq=False)
class Lines:
    """Ways to other seeds: `rows` are the seeds' and `partners` the other ends', among those that were screened."""

    seeds: Batch
    columns: Sequence[Columns]
    others: Sequence[Sample]
    interpolate: Interpolate
    rows: IntArray
    partners: IntArray
    lengths: FloatArray  # from end to end, by the domain's first distance

    def at(self, rows: IntArray, t: FloatArray) -> Sequence[Sample]:
        return between(self.interpolate, self.seeds[rows], [self.others[row] for row in rows], t)

    def ends(self) -> Sequence[Sample]:
        return self.others


@frozen(eq=False)
class Strengths:
    """Ways along one operator's strength, its draws held fixed."""

    seeds: Batch
    columns: Sequence[Columns]
    operator: MutationOperator
    draws: Draws
    rows: IntArray

    def at(self, rows: IntArray, t: FloatArray) -> Sequence[Sample]:
        drawn = {name: values[rows] for name, values in self.draws.items()}
        return list(self.operator.apply(self.seeds[rows], drawn, t))

    def ends(self) -> Sequence[Sample]:
        return self.at(np.arange(len(self.seeds)), np.ones(len(self.seeds)))

    def amounts(self, t: FloatArray) -> tuple[FloatArray, str]:
        """Return what these strengths come to in the operator's own unit, or the strengths where it has none."""
        amounts = getattr(self.operator, "amounts", None)
        return (t, "strength") if amounts is None else amounts(self.draws, t)

    def take(self, rows: IntArray) -> Strengths:
        columns = [self.columns[row] for row in rows]
        drawn = {name: values[rows] for name, values in self.draws.items()}
        return Strengths(self.seeds[rows], columns, self.operator, drawn, self.rows[rows])


def lines_of(
    samples: Sequence[Sample], columns: Sequence[Columns], decisions: Sequence[Any], geometry: Geometry
) -> list[Lines]:
    """Return the line from each sample to the nearest that is answered otherwise, by the shape of the sample."""
    interpolate = getattr(geometry, "interpolate", None)  # contracts.Interpolates
    if interpolate is None:
        return []
    embed = getattr(geometry, "embed", None)  # contracts.Embeds
    codes = _codes(decisions)
    partner_of = np.full(len(samples), -1, dtype=np.int64)
    for group, vectors in vectors_of(samples, embed, across=bool(getattr(geometry, "across_shapes", False))):
        rows = np.array(group, dtype=np.int64)
        if len(set(codes[rows].tolist())) > 1:
            nearest = Nearest([Vectors(np.arange(len(rows)), vectors)], codes[rows])
            partner_of[rows] = [rows[nearest.nearest(row)[0][0]] for row in range(len(rows))]
    found = []
    for rows in alike(samples):
        if (partner_of[rows] < 0).any():  # all samples of a shape have a partner, or none has
            continue
        batch, partners = np.stack([samples[row] for row in rows]), partner_of[rows]
        others = [samples[partner] for partner in partners]
        lengths = next(iter(geometry.distances(list(batch), others).values()))
        theirs = [columns[row] for row in rows]
        found.append(Lines(batch, theirs, others, interpolate, rows, partners, lengths))
    return found


def strengths_of(
    samples: Sequence[Sample], columns: Sequence[Columns], streams: Sequence[Stream], operator: MutationOperator
) -> list[Strengths]:
    """Return the way of one draw of the operator from each sample, shape by shape."""
    found = []
    for rows in alike(samples):
        batch = np.stack([samples[row] for row in rows])
        draws = operator.draw(batch, [streams[row] for row in rows])
        found.append(Strengths(batch, [columns[row] for row in rows], operator, draws, rows))
    return found


def alike(samples: Sequence[Sample]) -> list[IntArray]:
    """Return the rows of the samples, one array for each shape and type."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for row, sample in enumerate(samples):
        groups.setdefault((sample.shape, sample.dtype.str), []).append(row)
    return [np.array(rows, dtype=np.int64) for rows in groups.values()]


def _codes(decisions: Sequence[Any]) -> IntArray:
    """Number the decisions, equal ones alike."""
    numbers: dict[Any, int] = {}
    return np.array([numbers.setdefault(decision, len(numbers)) for decision in decisions], dtype=np.int64)
