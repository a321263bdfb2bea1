"""What dltf-signal does not offer and the kit tests all the same: a backend, a converter, a preset, all sound."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import numpy as np
from attrs import field, frozen, validators
from dltf_signal.operators import Gain, Noise

from dltf.plugin import (
    Calibration,
    ConversionError,
    ModelFileError,
    MutationOperator,
    RuntimeFailedError,
    Target,
    TargetUnavailableError,
    TensorSpec,
    nearest,
)


@frozen
class Both:
    """Both operators."""

    max_gain_db: float = field(default=6.0, validator=validators.gt(0))

    def operators(self) -> Mapping[str, MutationOperator]:
        return {"noise": Noise(), "gain": Gain(self.max_gain_db)}


@frozen
class Linear:
    """Networks of one matrix, kept in a JSON file."""

    scale: float = 1.0

    suffixes: ClassVar[tuple[str, ...]] = (".json",)

    def targets(self) -> Sequence[Target]:
        return [Target("cpu", "NumPy."), Target("gpu", "Nothing yet.", why_not="no one has written it")]

    def open(self, file: Path, target: str) -> LinearRunner:
        usable = [known.name for known in self.targets() if known.usable]
        if target not in usable:
            raise TargetUnavailableError(f'there is no target "{target}"{nearest(target, usable)}')
        try:
            weights = np.array(json.loads(file.read_text())["weights"], dtype=np.float32)
        except (OSError, ValueError, KeyError) as error:
            raise ModelFileError(f"{file.name} cannot be read: {error}") from error
        return LinearRunner(weights * np.float32(self.scale))

    def versions(self) -> Mapping[str, str]:
        return {"numpy": np.__version__}


@frozen
class Rounded:
    """Rounds the weights to steps that suit the largest input."""

    steps: int = 100

    reads: ClassVar[tuple[str, ...]] = (".json",)
    writes: ClassVar[str] = ".json"
    needs_seeds: ClassVar[bool] = True

    def convert(self, source: Path, out: Path, calibration: Calibration | None) -> Mapping[str, Any]:
        try:
            weights = np.array(json.loads(source.read_text())["weights"])
        except (OSError, ValueError, KeyError) as error:
            raise ConversionError(f"{source.name} cannot be read: {error}") from error
        largest = max((np.abs(inputs["x"]).max() for inputs in calibration()), default=None) if calibration else None
        if largest is None:
            raise ConversionError(f"{source.name} cannot be rounded without seeds")
        rounded = np.round(weights * self.steps / largest) * largest / self.steps
        out.write_text(json.dumps({"weights": rounded.tolist()}))
        out.with_name(f"{out.stem}.sha256").write_text(hashlib.sha256(out.read_bytes()).hexdigest())
        return {"weights": rounded.size, "changed": int((rounded != weights).sum())}

    def versions(self) -> Mapping[str, str]:
        return {"numpy": np.__version__}


class LinearRunner:
    """Multiplies each row by the matrix."""

    notes: tuple[str, ...] = ()

    def __init__(self, weights: Any) -> None:
        self._weights: Any = weights
        self.inputs = (TensorSpec("x", (None, weights.shape[0]), "float32"),)
        self.outputs = (TensorSpec("y", (None, weights.shape[1]), "float32"),)

    def __enter__(self) -> LinearRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._weights = None

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._weights is None:
            raise RuntimeFailedError("this model is closed")
        rows = [row @ self._weights for row in inputs["x"]]
        return {"y": np.stack(rows)}
