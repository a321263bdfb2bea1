"""Converters that change single weights: pruning, and alteration for studies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from attrs import field, frozen, validators

from dltf_onnxruntime.conversion import files
from dltf_onnxruntime.conversion.tensors import operators, size_of, sizes, weights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from dltf.plugin import Calibration

    Change = Callable[[list[NDArray[Any]]], list[NDArray[Any]]]


@frozen
class Prune:
    """Sets the weights of least magnitude to 0. Nothing is trained after it, and the file stays as large as it was."""

    share: float = field(default=0.5, validator=[validators.gt(0), validators.lt(1)])  # of the weights
    scope: Literal["layer", "global"] = "layer"  # that share of each tensor, or of all of them together
    except_tensors: tuple[str, ...] = ()  # names of weights that stay

    reads: ClassVar[tuple[str, ...]] = (".onnx",)
    writes: ClassVar[str] = ".onnx"
    needs_seeds: ClassVar[bool] = False

    def convert(self, source: Path, out: Path, calibration: Calibration | None) -> Mapping[str, Any]:
        return _rewrite(source, out, self.except_tensors, self._pruned)

    def versions(self) -> Mapping[str, str]:
        return files.versions("onnx", "numpy")

    def _pruned(self, tensors: list[NDArray[Any]]) -> list[NDArray[Any]]:
        if self.scope == "layer":
            return [_without_least(tensor.ravel(), self.share).reshape(tensor.shape) for tensor in tensors]
        together = _without_least(np.concatenate([tensor.ravel() for tensor in tensors]), self.share)
        pieces = np.split(together, np.cumsum([tensor.size for tensor in tensors])[:-1])
        return [piece.reshape(tensor.shape) for piece, tensor in zip(pieces, tensors, strict=True)]


@frozen
class Alter:
    """Multiplies a share of the weights by 1 + factor or 1 − factor: networks of known difference, for studies."""

    share: float = field(default=0.1, validator=[validators.gt(0), validators.le(1)])  # of the weights, on average
    factor: float = field(default=0.1, validator=validators.gt(0))
    seed: int = field(default=0, validator=validators.ge(0))
    except_tensors: tuple[str, ...] = ()  # names of weights that stay

    reads: ClassVar[tuple[str, ...]] = (".onnx",)
    writes: ClassVar[str] = ".onnx"
    needs_seeds: ClassVar[bool] = False

    def convert(self, source: Path, out: Path, calibration: Calibration | None) -> Mapping[str, Any]:
        return _rewrite(source, out, self.except_tensors, self._altered)

    def versions(self) -> Mapping[str, str]:
        return files.versions("onnx", "numpy")

    def _altered(self, tensors: list[NDArray[Any]]) -> list[NDArray[Any]]:
        rng = np.random.default_rng([int(self.share * 100), self.seed])
        altered = []
        for tensor in tensors:
            factors = 1 + self.factor * rng.choice([-1, 1], tensor.shape)
            altered.append(np.where(rng.random(tensor.shape) < self.share, tensor * factors, tensor))
        return altered


def _without_least(values: NDArray[Any], share: float) -> NDArray[Any]:
    """Return a copy in which that share of the values, those of least magnitude, are 0; of equal ones the first."""
    left = values.copy()
    left[np.argsort(np.abs(values), kind="stable")[: int(share * values.size + 0.5)]] = 0
    return left


def _rewrite(source: Path, out: Path, excepted: Sequence[str], change: Change) -> Mapping[str, Any]:
    model = files.read(source)
    helper = files.onnx_package().numpy_helper
    chosen = weights(model, source, excepted)
    old = [helper.to_array(tensor) for tensor in chosen]
    new = [after.astype(before.dtype) for before, after in zip(old, change(old), strict=True)]
    for tensor, values in zip(chosen, new, strict=True):
        tensor.CopyFrom(helper.from_array(values, tensor.name))
    files.write(model, out)
    differing = [int((before != after).sum()) for before, after in zip(old, new, strict=True)]
    total = size_of(chosen)
    return {
        "tensors": len(chosen),
        "tensors_changed": sum(count > 0 for count in differing),
        "weights": total,
        "weights_changed": sum(differing) / total,
        "zeros_before": sum(int((values == 0).sum()) for values in old) / total,
        "zeros_after": sum(int((values == 0).sum()) for values in new) / total,
        "operators": operators(model),
        **sizes(source, out),
    }
