"""Ways to draw test codes near seeds: `ball`, `sphere`, `bridge` and `posterior`; `search` has a file of its own.

Each seed draws from a stream of its own and method, so that its tests depend on no other seed, batch or order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
from attrs import frozen

from dltf.feature.norms import directions, lengths, within

if TYPE_CHECKING:
    from dltf.feature.norms import Norm
    from dltf.values import BoolArray, FloatArray, IntArray, Stream

_NOISE = 0.01  # of the dissertation's `generate()`, beside the posterior's own


@frozen(eq=False)
class Drawn:
    """m test codes [m, k], the row of the seed that each is of, and of its partner among the reference, −1 without."""

    codes: FloatArray
    seeds: IntArray
    partners: IntArray


@frozen(eq=False)
class Around:
    """n seeds that tests are drawn around: mean codes [n, k], how far tests may go [n], and their streams."""

    codes: FloatArray
    radii: FloatArray
    active: BoolArray  # [k]
    norm: Norm
    streams: Sequence[Stream]

    def moved(self, moves: FloatArray, seeds: IntArray) -> FloatArray:
        """Return codes: seeds moved over the active dimensions; the others stay as they are."""
        codes = self.codes[seeds].copy()
        codes[:, self.active] += moves
        return codes


def stream_of(campaign_seed: int, case: int, method: str) -> Stream:
    """Return the stream of one seed and method, at its beginning."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([campaign_seed, case, crc32(method.encode())])))


def ball(around: Around, tests: int, ladder: Sequence[float] = ()) -> Drawn:
    """Draw uniformly in the ball of each seed, or on the steps of a ladder in turn: shares of its radius."""

    def sizes(stream: Stream, dimensions: int) -> FloatArray:
        if ladder:
            return np.resize(np.asarray(ladder, dtype=np.float64), tests)
        return np.asarray(stream.random(tests) ** (1.0 / dimensions))

    return _around(around, tests, sizes)


def sphere(around: Around, tests: int) -> Drawn:
    """Draw at the full radius of each seed."""
    return _around(around, tests, lambda stream, dimensions: np.ones(tests))


def bridge(around: Around, tests: int, reaches: Callable[[int], tuple[IntArray, FloatArray]]) -> Drawn:
    """Draw on the lines to partners whose ball meets the seed's: the whole line is then in one of the two balls.

    `reaches(row)` returns a seed's partners, rows of the reference, and their codes [p, k]. A seed without partners
    gets no tests.
    """
    codes, seeds, partners = [], [], []
    for row, stream in enumerate(around.streams):
        near, theirs = reaches(row)
        if not len(near):
            continue
        picked = stream.integers(len(near), size=tests)
        t = stream.random(tests)[:, None]
        moves = t * (theirs[picked] - around.codes[row])[:, around.active]
        codes.append(around.moved(moves, np.full(tests, row)))
        seeds.append(np.full(tests, row))
        partners.append(near[picked])
    if not codes:
        none = np.zeros(0, dtype=np.int64)
        return Drawn(np.zeros((0, around.codes.shape[1])), none, none)
    return Drawn(np.concatenate(codes), np.concatenate(seeds), np.concatenate(partners))


def posterior(around: Around, tests: int, spreads: FloatArray) -> Drawn:
    """Draw as the dissertation's `generate()` does, from the encoder's posterior [n, k]; no radius holds it."""
    codes = []
    for row, stream in enumerate(around.streams):
        drawn = stream.standard_normal((2, tests, around.codes.shape[1]))
        codes.append(around.codes[row] + spreads[row] * drawn[0] + _NOISE * drawn[1])
    return _drawn(np.concatenate(codes), len(around.streams), tests)


def moves_of(drawn: Drawn, around: Around) -> FloatArray:
    """Return how far each test is from its seed, over the active dimensions."""
    return lengths((drawn.codes - around.codes[drawn.seeds])[:, around.active], around.norm)


def _around(around: Around, tests: int, sizes: Callable[[Stream, int], FloatArray]) -> Drawn:
    dimensions = int(around.active.sum())
    moves = []
    for stream, radius in zip(around.streams, around.radii, strict=True):
        drawn = directions(stream, tests, dimensions, around.norm)
        moves.append(within(drawn * (sizes(stream, dimensions) * radius)[:, None], np.full(tests, radius), around.norm))
    seeds = np.repeat(np.arange(len(around.streams)), tests)
    return _drawn(around.moved(np.concatenate(moves), seeds), len(around.streams), tests)


def _drawn(codes: FloatArray, count: int, tests: int) -> Drawn:
    return Drawn(codes, np.repeat(np.arange(count), tests), np.full(count * tests, -1))
