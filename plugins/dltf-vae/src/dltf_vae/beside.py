"""What is written beside an artefact, for people: the course of its training, and what it makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dltf_vae.latent import open_vae
from dltf_vae.losses_plot import losses_svg
from dltf_vae.png import png, sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf_vae.course import Course
    from dltf_vae.generator import Vae

_ACROSS, _PAIRS, _SAMPLED = 12, 4, 8  # pictures in a row, rows of originals, rows of samples


def write_beside(vae: Vae, course: Course, held_out: NDArray[np.uint8], seed: int) -> list[Path]:
    """Write NAME.history.json, NAME.losses.svg, NAME.reconstructions.png and NAME.samples.png; return the paths."""
    history, losses, reconstructed, sampled = names_beside(vae.file)
    history.write_text(json.dumps(course.record(), indent=1) + "\n", encoding="utf-8")
    losses.write_text(losses_svg(course), encoding="utf-8")
    with open_vae(vae) as space:
        originals = held_out[: _ACROSS * _PAIRS]
        pairs = zip(_rows(originals), _rows(space.decode(space.encode(originals))), strict=True)
        reconstructed.write_bytes(png(sheet([row for pair in pairs for row in pair])))
        codes = np.random.default_rng([seed, 1]).standard_normal((_ACROSS * _SAMPLED, len(space.active)))
        sampled.write_bytes(png(sheet(_rows(space.decode(codes)))))
    return [history, losses, reconstructed, sampled]


def names_beside(file: Path) -> list[Path]:
    """Return where they go: beside the artefact, under its name without ".vae.pt"."""
    name = file.name.removesuffix(file.suffix).removesuffix(".vae")
    kinds = ("history.json", "losses.svg", "reconstructions.png", "samples.png")
    return [file.with_name(f"{name}.{kind}") for kind in kinds]


def _rows(pictures: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    return [pictures[at : at + _ACROSS] for at in range(0, len(pictures), _ACROSS)]
