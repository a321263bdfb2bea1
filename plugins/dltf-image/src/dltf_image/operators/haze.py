"""Fog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen, validators

from dltf_image.operators.randomness import uniform_rows
from dltf_image.operators.strength import per_sample
from dltf_image.operators.veil import veiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dltf.plugin import Batch, Draws, FloatArray, Stream

_KNOTS = 4  # a field of 4×4 drawn numbers, smooth between them


@frozen
class Haze:
    """A light grey veil, thicker here and thinner there: image + share × (light - image), rounded.

    The densest place has a share of `density`, uniform from 0 to max_density; the thinnest that can be has half of it.
    Between, it changes smoothly over 4×4 drawn numbers. The strength scales the density.
    """

    max_density: float = field(default=0.6, validator=[validators.gt(0), validators.le(1)])
    light_level: int = field(default=225, validator=[validators.ge(0), validators.le(255)])  # grey level of the veil

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        uniform = uniform_rows(streams, 1 + _KNOTS**2)
        return {"density": uniform[:, 0] * self.max_density, "field": uniform[:, 1:].reshape(-1, _KNOTS, _KNOTS)}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        height, width = samples.shape[1:3]
        thickness = 0.5 + 0.5 * _stretched(_stretched(draws["field"], height).swapaxes(1, 2), width).swapaxes(1, 2)
        shares = thickness * (strengths * draws["density"])[:, np.newaxis, np.newaxis]
        return veiled(samples, shares, per_sample(np.full(len(samples), float(self.light_level))))

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return the share of the veil where it is densest."""
        return draws["density"] * strengths, "share"


def _stretched(knots: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Stretch axis 1 from the knots to this many pixels, with a slope of 0 at each knot.

    Term by term: a matrix product may add in another order in another batch.
    """
    places = (np.arange(size) + 0.5) / size * (_KNOTS - 1)
    rises = [np.clip(places - knot, 0, 1)[:, np.newaxis] for knot in range(_KNOTS - 1)]
    stretched = knots[:, :1].repeat(size, axis=1)
    for knot, rise in enumerate(rises):
        stretched += (knots[:, knot + 1 : knot + 2] - knots[:, knot : knot + 1]) * (rise * rise * (3 - 2 * rise))
    return stretched
