"""Static quantisation: integer weights and activations, whose scales come from seeds."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from attrs import Attribute, field, frozen, validators

from dltf.plugin import ConversionError
from dltf_onnxruntime.conversion import files
from dltf_onnxruntime.conversion.int8 import quantise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from dltf.plugin import Calibration

Bits = Literal["uint8", "int8"]
_TAKEN = {"QDQ": "QDQRegistry", "QOperator": "QLinearOpsRegistry"}
_METHODS = {"minmax": "MinMax", "entropy": "Entropy", "percentile": "Percentile"}


def _signed_alike(settings: Any, attribute: Attribute[Any], weight_type: str) -> None:
    if weight_type == "uint8" and settings.activation_type == "int8":
        raise ValueError('ONNX Runtime has no kernels for activation_type = "int8" with weight_type = "uint8"')


@frozen
class StaticInt8:
    """Weights and activations as integers, with the ranges that activations had on seeds."""

    format: Literal["QDQ", "QOperator"] = "QDQ"  # steps around operators, which runtimes fuse; or integer operators
    method: Literal["minmax", "entropy", "percentile"] = "minmax"  # how ranges come from activations
    percentile: float = field(default=99.999, validator=[validators.gt(50), validators.le(100)])  # of that method
    samples: int = field(default=128, validator=validators.ge(1))  # the first seeds, at most so many
    activation_type: Bits = "uint8"
    weight_type: Bits = field(default="int8", validator=_signed_alike)
    per_channel: bool = False  # a scale for each output channel of a weight
    reduce_range: bool = False  # 7 bits for weights, for processors without VNNI, whose sums may saturate
    only_operators: tuple[str, ...] = ()  # types ("Conv"); all that ONNX Runtime takes where this is empty
    only_nodes: tuple[str, ...] = ()  # names of nodes; all where this is empty
    except_nodes: tuple[str, ...] = ()  # names of nodes that stay as they are

    reads: ClassVar[tuple[str, ...]] = (".onnx",)
    writes: ClassVar[str] = ".onnx"
    needs_seeds: ClassVar[bool] = True

    def convert(self, source: Path, out: Path, calibration: Calibration | None) -> Mapping[str, Any]:
        model = files.read(source)
        seeds = [] if calibration is None else [dict(inputs) for inputs in islice(calibration(), self.samples)]
        if not seeds:
            raise ConversionError(f"{source} cannot be quantised statically without seeds to calibrate with: none came")
        feed = _Feed(seeds, _batch(model))
        facts = quantise(
            source,
            out,
            self,
            _TAKEN[self.format],
            lambda given, made, chosen: self._quantise(given, made, chosen, feed),
        )
        return {**facts, "calibrated_on": len(seeds)}

    def versions(self) -> Mapping[str, str]:
        return files.versions(*files.QUANTISERS)

    def _quantise(self, given: Path, made: Path, chosen: dict[str, Any], feed: _Feed) -> None:
        from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

        types = {"uint8": QuantType.QUInt8, "int8": QuantType.QInt8}
        quantize_static(
            given,
            made,
            feed,
            quant_format=getattr(QuantFormat, self.format),
            per_channel=self.per_channel,
            reduce_range=self.reduce_range,
            activation_type=types[self.activation_type],
            weight_type=types[self.weight_type],
            calibrate_method=getattr(CalibrationMethod, _METHODS[self.method]),
            extra_options={"CalibPercentile": self.percentile} if self.method == "percentile" else {},
            **chosen,
        )


class _Feed:
    """A `CalibrationDataReader`: samples in batches of the model's size, the last one filled up by repetition."""

    def __init__(self, seeds: list[dict[str, NDArray[Any]]], batch: int) -> None:
        self._batches = self._join(seeds, batch)

    def get_next(self) -> Mapping[str, NDArray[Any]] | None:
        return next(self._batches, None)

    @staticmethod
    def _join(seeds: list[dict[str, NDArray[Any]]], batch: int) -> Iterator[Mapping[str, NDArray[Any]]]:
        for start in range(0, len(seeds), batch):
            together = seeds[start : start + batch]
            together += together[-1:] * (batch - len(together))
            yield {name: np.concatenate([inputs[name] for inputs in together]) for name in together[0]}


def _batch(model: Any) -> int:
    """Return the fixed batch size of the first true input, or 1."""
    given = {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.input:
        sizes = node.type.tensor_type.shape.dim
        if node.name not in given and sizes:
            return max(1, int(sizes[0].dim_value))
    return 1
