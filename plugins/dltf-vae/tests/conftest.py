"""Small pictures, small networks, and two ends of a pair that were made elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from attrs import frozen

from dltf.plugin import Seed, Training
from dltf_vae.generator import Vae
from dltf_vae.recipe import Recipe
from dltf_vae.training import train_vae

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TINY = {"width": 4, "maps": 2, "epochs": 2, "batch": 32, "learning_rate": 0.01, "threads": 1, "device": "cpu"}


@frozen(eq=False)
class Kept:
    """Seeds that are there."""

    samples: Sequence[np.ndarray]
    source = {"path": "in memory"}  # noqa: RUF012  # nobody changes it

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Seed:
        return Seed(self.samples[index], f"blob {index}", index % 2)


def blobs(count: int, shape: tuple[int, int, int] = (28, 28, 1)) -> np.ndarray:
    """Return bright discs on black, each somewhere and of some size."""
    stream = np.random.default_rng(5)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    places = stream.uniform(0.25, 0.75, (count, 2, 1, 1)) * np.array(shape[:2])[:, None, None]
    sizes = stream.uniform(2, shape[0] / 4, (count, 1, 1))
    far = np.hypot(rows - places[:, 0], columns - places[:, 1])
    return np.repeat(np.where(far < sizes, 230, 0).astype(np.uint8)[..., None], shape[2], axis=3)


def training(file: Path, *, samples: Any = None, seed: int = 3, **settings: Any) -> Training:
    """Return what the host would hand to the command."""
    seeds = Kept(blobs(300) if samples is None else samples)
    generator = Vae(file, train=Recipe(**{**TINY, **settings}))
    return Training("blobs", seed, generator, seeds, range(len(seeds)), "test.blobs")


@pytest.fixture
def trainings(tmp_path: Path) -> Callable[..., Training]:
    """Make trainings in one folder."""
    return lambda name="blobs", **settings: training(tmp_path / f"{name}.vae.pt", **settings)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train once, for all who only read; tests that change a file copy it."""
    return train_vae(training(tmp_path_factory.mktemp("trained") / "blobs.vae.pt", epochs=6, batch=16)).file


@pytest.fixture
def pictures() -> np.ndarray:
    return blobs(300)


@pytest.fixture
def data() -> Path:
    if "DLTF_DATA" not in os.environ:
        pytest.skip("needs public data: set DLTF_DATA to its folder")
    return Path(os.environ["DLTF_DATA"])
