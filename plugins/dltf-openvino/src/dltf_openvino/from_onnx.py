"""From ONNX to OpenVINO's own format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import frozen

from dltf_openvino.ir import load, save
from dltf_openvino.runtime import versions

if TYPE_CHECKING:
    from dltf.plugin import Calibration


@frozen
class FromOnnx:
    """Writes IR: an .xml with the graph, a .bin with the weights; names, shapes and open sizes stay."""

    float16: bool = False  # whether float weights are stored in 16 bits; the target says what they are computed in

    reads: ClassVar[tuple[str, ...]] = (".onnx",)
    writes: ClassVar[str] = ".xml"
    needs_seeds: ClassVar[bool] = False

    def convert(self, source: Path, out: Path, calibration: Calibration | None) -> Mapping[str, Any]:
        model = load(source)
        kinds = [node.get_type_name() for node in model.get_ordered_ops()]
        save(model, out, float16=self.float16)
        return {
            "operators": sum(kind not in {"Constant", "Parameter", "Result"} for kind in kinds),
            "weights": "float16" if self.float16 else "as they were",
        }

    def versions(self) -> Mapping[str, str]:
        return versions("openvino")
