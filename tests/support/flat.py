"""A generator of toy points, exact and linear: a code is the first values; the others are always the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from attrs import frozen

from dltf.plugin import Component, MisfitError, ModelFileError, hookimpl

ENTRY = EntryPoint("flat", "flat", "dltf")
opened: list[Space] = []  # since the test began


@hookimpl
def dltf_generators() -> list[Component]:
    return [Component("flat", "flat:Flat", "The first values of a point.")]


@frozen
class Flat:
    file: Path
    crooked: float = 0.0  # how far what is decoded bends between two codes

    def open(self) -> Space:
        if not self.file.is_file():
            raise ModelFileError(f"there is no {self.file}", hint="write it")
        opened.append(Space(json.loads(self.file.read_text()), self.crooked))
        return opened[-1]

    def versions(self) -> Mapping[str, str]:
        return {"flat": "1"}


class Space:
    def __init__(self, told: Mapping[str, Any], crooked: float) -> None:
        self._width, self.rest, self._size = told["width"], np.array(told["rest"]), told["size"]
        self._crooked = crooked
        self.active = np.ones(self._size, dtype=np.bool_)
        self.active[told.get("idle", [])] = False
        digest = hashlib.sha256(json.dumps(dict(told)).encode()).hexdigest()
        self.facts: Mapping[str, Any] = {"weights": digest, "shape": [self._width]} | told.get("facts", {})
        self.encoded: list[int] = []  # sizes of batches
        self.decoded: list[int] = []
        self.closed = False

    def __enter__(self) -> Space:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed = True

    def encode(self, samples: np.ndarray) -> np.ndarray:
        if samples.shape[1:] != (self._width,):
            raise MisfitError(f"it was made for uint8[n×{self._width}], and these samples are {list(samples.shape)}")
        self.encoded.append(len(samples))
        return samples[:, : self._size].astype(np.float64)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        self.decoded.append(len(codes))
        bent = codes + self._crooked * np.sin(codes)
        rest = np.broadcast_to(self.rest, (len(codes), len(self.rest)))
        return np.clip(np.rint(np.concatenate([bent, rest], axis=1)), 0, 255).astype(np.uint8)


def write_space(file: Path, *, width: int = 4, size: int = 3, rest: float = 50.0, **more: Any) -> Path:
    """Write a generator of points of `width` bytes, whose codes are the first `size` of them."""
    file.write_text(json.dumps({"width": width, "size": size, "rest": [rest] * (width - size), **more}))
    return file
