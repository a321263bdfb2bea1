"""What was exported, opened: a model for the candidate's own runtime, or a script beside the candidate."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

import attrs
import numpy as np
from attrs import frozen

from dltf.campaign.opening import model_of
from dltf.errors import ConversionError, RuntimeFailedError
from dltf.variant import Variant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.profile import Profile
    from dltf.values import IntArray, Seed, Shipped

BATCH = 64


class Exported(Protocol):
    """A repaired model that runs without dltf."""

    def answers(self, seeds: Sequence[Seed]) -> tuple[IntArray, NDArray[Any] | None]:
        """Return its labels [n], and its scores [n, classes] where it tells them."""

    def turn(self, seeds: Sequence[Seed]) -> Callable[[], object]:
        """Return what runs it on these seeds, prepared beforehand: for timing."""


@contextmanager
def opened(profile: Profile, variant: Variant, shipped: Shipped, folder: Path) -> Iterator[Exported]:
    """Open what was exported, prepared and read as the candidate (`variant`) is."""
    if shipped.runner:
        yield _Script(variant, folder / shipped.runner)
        return
    assert variant.own is not None, "the candidate has been settled"
    described = attrs.evolve(
        profile.candidate, table=attrs.evolve(profile.candidate.table, file=folder / shipped.file), repairing=None
    )
    own: Any = variant.own
    with Variant(
        "exported model", model_of(described, attrs.evolve(profile.campaign, isolate=False)), profile.domain.tensors
    ) as exported:
        exported.alone = variant.alone
        exported.read_by(attrs.evolve(own, scores="probabilities"))
        yield _Model(exported)


@frozen(eq=False)
class _Model:
    variant: Variant

    def answers(self, seeds: Sequence[Seed]) -> tuple[IntArray, NDArray[Any] | None]:
        labels, scores = [], []
        for first in range(0, len(seeds), BATCH):
            some = seeds[first : first + BATCH]
            seen = self.variant.observe([seed.sample for seed in some], [seed.columns for seed in some])
            labels.append(np.asarray(seen.decisions))
            scores.append(seen.states)
        return np.concatenate(labels), np.concatenate([one for one in scores if one is not None])

    def turn(self, seeds: Sequence[Seed]) -> Callable[[], object]:
        return self.variant.turn([seed.sample for seed in seeds], [seed.columns for seed in seeds])


@frozen(eq=False)
class _Script:
    """A script that is run as people run it; `variant` prepares its inputs."""

    variant: Variant
    script: Path

    def answers(self, seeds: Sequence[Seed]) -> tuple[IntArray, NDArray[Any] | None]:
        with TemporaryDirectory(prefix="dltf-ship-") as folder:
            inputs, labels = (Path(folder) / name for name in ("inputs.npy", "labels.npy"))
            np.save(inputs, self._given(seeds))
            command = [sys.executable, str(self.script), str(inputs), str(labels)]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode or not labels.is_file():
                told = (done.stderr.strip().splitlines() or ["it wrote no labels"])[-1]
                raise RuntimeFailedError(f"{self.script.name}, run on its own, failed: {told}")
            return np.load(labels, allow_pickle=False), None

    def turn(self, seeds: Sequence[Seed]) -> Callable[[], object]:
        spec = importlib.util.spec_from_file_location(f"dltf_shipped_{self.script.stem}", self.script)
        assert spec is not None, "it is a Python file"
        assert spec.loader is not None, "it is a Python file"
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        repaired, given = module.Repaired(), self._given(seeds)
        return lambda: repaired(given)

    def _given(self, seeds: Sequence[Seed]) -> NDArray[Any]:
        """Return the one input [n, …] as the candidate is given it."""
        groups = self.variant.inputs_of([seed.sample for seed in seeds], [seed.columns for seed in seeds])
        if len(groups) > 1 or len(groups[0][1]) > 1:
            raise ConversionError(
                "the script takes one input of one shape, and the candidate is given more",
                hint="convert the candidate to ONNX, and repair that: it becomes one file",
            )
        rows, fed = groups[0]
        (given,) = fed.values()
        return given[np.argsort(rows)]
