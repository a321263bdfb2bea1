"""Dynamic quantisation: integer weights, and activations whose scale is chosen anew for each batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from attrs import frozen

from dltf_onnxruntime.conversion import files
from dltf_onnxruntime.conversion.int8 import quantise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dltf.plugin import Calibration


@frozen
class DynamicInt8:
    """Weights as integers; activations are turned into uint8 while the model runs, one scale for a whole batch."""

    weight_type: Literal["uint8", "int8"] = "uint8"
    per_channel: bool = False  # a scale for each output channel of a weight
    reduce_range: bool = False  # 7 bits for weights, for processors without VNNI, whose sums may saturate
    only_operators: tuple[str, ...] = ()  # types ("Conv"); all that ONNX Runtime takes where this is empty
    only_nodes: tuple[str, ...] = ()  # names of nodes; all where this is empty
    except_nodes: tuple[str, ...] = ()  # names of nodes that stay as they are

    reads: ClassVar[tuple[str, ...]] = (".onnx",)
    writes: ClassVar[str] = ".onnx"
    needs_seeds: ClassVar[bool] = False

    def convert(self, source: Path, out: Path, calibration: Calibration | None) -> Mapping[str, Any]:
        return quantise(source, out, self, "IntegerOpsRegistry", self._quantise)

    def versions(self) -> Mapping[str, str]:
        return files.versions(*files.QUANTISERS)

    def _quantise(self, given: Path, made: Path, chosen: dict[str, Any]) -> None:
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(
            given,
            made,
            per_channel=self.per_channel,
            reduce_range=self.reduce_range,
            weight_type=QuantType.QUInt8 if self.weight_type == "uint8" else QuantType.QInt8,
            **chosen,
        )
