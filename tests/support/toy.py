"""A tiny domain and runtime for tests of the host: vectors of bytes, and linear models written as JSON.

It is a plugin like any other, handed to a `Host` as an entry point of the test's own.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import (
    Component,
    MisfitError,
    ModelFileError,
    RuntimeFailedError,
    Seed,
    SeedError,
    Target,
    TensorSpec,
    hookimpl,
    only_input,
)

ENTRY = EntryPoint("toy", "toy", "dltf")


@hookimpl
def dltf_domains() -> list[Component]:
    return [Component("toy", "toy:ToyDomain", "Vectors of bytes.")]


@hookimpl
def dltf_seed_sources() -> list[Component]:
    return [Component("toy.points", "toy:Points", "Points around the corners.")]


@hookimpl
def dltf_model_backends() -> list[Component]:
    return [Component("toyrun", "toy:ToyRun", "Runs linear models.")]


@hookimpl
def dltf_mutation_operators() -> list[Component]:
    return [
        Component("toy.jitter", "toy:Jitter", "Adds a little noise."),
        Component("toy.nudge", "toy:Nudge", "Moves one value by one."),
    ]


class _Codec:
    suffix = ".npy"

    def encode(self, sample: np.ndarray) -> bytes:
        file = io.BytesIO()
        np.save(file, sample)
        return file.getvalue()

    def decode(self, data: bytes) -> np.ndarray:
        try:
            return np.load(io.BytesIO(data), allow_pickle=False)
        except ValueError as error:
            raise SeedError(str(error)) from error


@frozen
class _Input:
    scale: float = field(default=255.0, validator=validators.gt(0.0))


class _Preprocess:
    def __init__(self, spec: TensorSpec, settings: _Input) -> None:
        self.settings = {"scale": settings.scale}
        self._name, self._width = spec.name, spec.shape[1]

    def __call__(self, samples: Sequence[np.ndarray]) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        for sample in samples:
            if sample.size != self._width:
                raise MisfitError(f"the model takes {self._width} values, and a seed has {sample.size}")
        scaled = np.stack(samples).astype(np.float32) / np.float32(self.settings["scale"])
        yield np.arange(len(samples)), {self._name: scaled}


class _Tensors:
    settings = _Input

    def bind(self, specs: Sequence[TensorSpec], settings: _Input) -> _Preprocess:
        return _Preprocess(only_input(specs), settings)


class _Geometry:
    units: Mapping[str, str] = {"rms": "steps"}

    def distances(self, seeds: Sequence[np.ndarray], mutants: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        apart = [a.astype(np.float64) - b for a, b in zip(seeds, mutants, strict=True)]
        return {"rms": np.array([np.sqrt(np.mean(gap**2)) for gap in apart])}

    def rounded(self, values: np.ndarray, rounding: np.ndarray | float) -> np.ndarray:
        return np.clip(np.floor(values + rounding), 0, 255).astype(np.uint8)

    def size(self, changes: np.ndarray) -> np.ndarray:
        return np.sqrt((changes**2).reshape(len(changes), -1).mean(axis=1))

    def parts(self, shape: tuple[int, ...], shifted: bool) -> np.ndarray:
        return np.arange(shape[0]) // (2 if shifted else 1)

    def patch(self, shape: tuple[int, ...], stream: np.random.Generator) -> np.ndarray:
        drawn = np.zeros(shape)
        drawn[stream.integers(shape[0])] = 10 * stream.standard_normal()
        return drawn


class _Preview:
    suffix = ".txt"

    def render(self, seed: np.ndarray, mutant: np.ndarray) -> bytes:
        return f"{seed.tolist()}\n{mutant.tolist()}\n".encode()


@frozen
class ToyDomain:
    codec = _Codec()
    tensors = _Tensors()
    geometry = _Geometry()
    preview = _Preview()


@frozen
class Points:
    """Points of `width` bytes; every `broken`-th cannot be read, every `odd`-th is one value longer.

    Of the first `twins` pairs, both are the same point, with two labels. The file `moved`, where it is there, moves
    every point a little; where it says "gone", none can be read.
    """

    number: int = 60
    width: int = 4
    broken: int = 0
    odd: int = 0
    twins: int = 0
    moved: str = "/nowhere/moved"

    def open(self) -> _Opened:
        return _Opened(self)


class _Opened:
    def __init__(self, settings: Points) -> None:
        self._settings = settings
        self.source = {"kind": "made"}

    def __len__(self) -> int:
        return self._settings.number

    def __getitem__(self, index: int) -> Seed:
        if not 0 <= index < len(self):
            raise IndexError(index)
        s = self._settings
        moved = Path(s.moved).read_text() if Path(s.moved).exists() else ""
        if (s.broken and index % s.broken == 0) or moved == "gone":
            raise SeedError(f"point {index} is broken")
        label = index % 3
        like = index - index % 2 if index < 2 * s.twins else index
        rng = np.random.default_rng(like)
        values = rng.integers(20, 80, s.width + bool(s.odd and index % s.odd == 0))
        values[like % 3] += 120 + len(moved)
        columns = {"camera": ("north", "south")[index % 2], "gain": index % 4 / 2, "number": index}
        return Seed(values.astype(np.uint8), f"point {index}", label, columns)


@frozen
class Jitter:
    sigma: float = 12.0

    def draw(self, samples: np.ndarray, streams: Sequence[np.random.Generator]) -> dict[str, np.ndarray]:
        return {"noise": np.array([stream.normal(0, self.sigma, samples.shape[1:]) for stream in streams])}

    def apply(self, samples: np.ndarray, draws: Mapping[str, np.ndarray], strengths: np.ndarray) -> np.ndarray:
        scaled = strengths.reshape(-1, *[1] * (samples.ndim - 1)) * draws["noise"]
        return np.clip(np.rint(samples + scaled), 0, 255).astype(np.uint8)


@frozen
class Nudge:
    def draw(self, samples: np.ndarray, streams: Sequence[np.random.Generator]) -> dict[str, np.ndarray]:
        return {
            "where": np.array([stream.integers(samples.shape[1]) for stream in streams]),
            "by": np.array([stream.choice([-9.0, 9.0]) for stream in streams]),
        }

    def apply(self, samples: np.ndarray, draws: Mapping[str, np.ndarray], strengths: np.ndarray) -> np.ndarray:
        moved = samples.astype(np.float64)
        moved[np.arange(len(samples)), draws["where"]] += strengths * draws["by"]
        return np.clip(np.rint(moved), 0, 255).astype(np.uint8)


@frozen
class ToyRun:
    threads: int = field(default=1, validator=validators.ge(1))

    suffixes: ClassVar[tuple[str, ...]] = (".json",)

    def targets(self) -> list[Target]:
        return [Target("cpu", "This processor."), Target("warp", "A warp drive.", "there is no warp drive here")]

    def versions(self) -> dict[str, str]:
        return {"toyrun": "1"}

    def open(self, file: Path, target: str) -> _Runner:
        try:
            return _Runner(json.loads(file.read_text()))
        except ValueError as error:
            raise ModelFileError(f"{file} is no toy model: {error}") from error


class _Runner:
    """Scores are x·W. Traps: `nan_`, `fail_`, `abort_` and `hang_above` a first value; `batch_` and `repeat_noise`."""

    notes: tuple[str, ...] = ()

    def __init__(self, model: dict[str, Any]) -> None:
        self._model = model
        self._weights = np.array(model["weights"], dtype=np.float32)
        self.inputs = (TensorSpec("x", (None, self._weights.shape[0]), "float32"),)
        self.outputs = (TensorSpec("scores", (None, self._weights.shape[1]), "float32"),)
        self.batches: list[int] = []
        self._calls = 0

    def __enter__(self) -> _Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        x = inputs["x"]
        self._calls += 1
        if (x[:, 0] * 255 > self._model.get("abort_above", 1e9)).any():
            os.abort()
        if (x[:, 0] * 255 > self._model.get("hang_above", 1e9)).any():
            time.sleep(60)
        if (x[:, 0] * 255 > self._model.get("fail_above", 1e9)).any():
            raise RuntimeFailedError("toyrun: the engine is on fire")
        scores = (x[:, :, None] * self._weights[None]).sum(axis=1)
        scores += np.float32(self._model.get("batch_noise", 0.0) * (len(x) - 1))
        scores[:, 0] += np.float32(self._model.get("repeat_noise", 0.0) * self._calls)
        scores[x[:, 0] * 255 > self._model.get("nan_above", 1e9)] = np.nan
        return {"scores": scores}


def write_model(file: Path, *, classes: int = 3, width: int = 4, change: float = 0.0, **traps: float) -> Path:
    """Write a model that answers with the largest of the first values; `change` alters its weights a little."""
    weights = np.eye(width, classes) * 4
    weights += np.random.default_rng(1).normal(0, 1, weights.shape) * change
    file.write_text(json.dumps({"weights": weights.tolist(), **traps}))
    return file
