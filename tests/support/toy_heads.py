"""A repair head for tests of the host: it adds a number to the logarithm of each score. It is kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen

from dltf.plugin import Component, ModelFileError, hookimpl

ENTRY = EntryPoint("toy_heads", "toy_heads", "dltf")


@hookimpl
def dltf_repair_heads() -> list[Component]:
    return [Component("toy.shift", "toy_heads:Shift", "Adds to the logarithms of the scores.")]


@frozen
class Shift:
    rate: float = 1.0

    def fit(self, states: Any, answers: Any, groups: Any, classes: int, stream: Any) -> Shifted:
        """Learn by how much more often the reference gives each answer than the candidate does."""
        ours, theirs = (np.bincount(given, minlength=classes) + 1.0 for given in (answers, states.argmax(axis=1)))
        return Shifted((self.rate * np.log(ours / theirs)).tolist())

    def load(self, file: Path) -> Shifted:
        try:
            return Shifted(json.loads(file.read_text()))
        except ValueError as error:
            raise ModelFileError(f"{file} is no toy head: {error}") from error

    def versions(self) -> dict[str, str]:
        return {"toy_heads": "1"}


@frozen
class Shifted:
    by: list[float]

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"by": self.by}

    def scores(self, states: np.ndarray) -> np.ndarray:
        moved = states.astype(np.float64) * np.exp(self.by)
        return moved / moved.sum(axis=1, keepdims=True)

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(self.by))


def write_repair(folder: Path, model: Path, by: list[float], threshold: float = 0.0, **told: Any) -> Path:
    """Write a repair of a model file into a folder, `told` over what it says; return its repair.json."""
    folder.mkdir(exist_ok=True)
    Shifted(by).save(folder / "head.json")
    named = {"name": model.name, "sha256": sha256(model.read_bytes()).hexdigest()}
    record = {"use": "toy.shift", "head": "head.json", "threshold": threshold, "states": len(by), "classes": len(by)}
    file = folder / "repair.json"
    settings = {"heads": {"toy.shift": {"rate": 0.5}}}
    beside = {"candidate": named, "reference": {}, "settings": settings}
    file.write_text(json.dumps({**record, **beside, **told}))
    return file
