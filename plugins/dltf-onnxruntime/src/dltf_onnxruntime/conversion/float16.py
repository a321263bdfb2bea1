"""Half precision: float16 in place of float32."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from attrs import frozen

from dltf.plugin import ConversionError
from dltf_onnxruntime.conversion import files
from dltf_onnxruntime.conversion.nodes import check_nodes, name_nodes
from dltf_onnxruntime.conversion.quiet import quiet
from dltf_onnxruntime.conversion.tensors import conversion_of, floats, sizes
from dltf_onnxruntime.reason import reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dltf.plugin import Calibration

_SMALLEST, _LARGEST = 5.96e-8, 65504.0


@frozen
class Float16:
    """Weights and operators in float16; weights that it cannot hold become its largest or smallest numbers."""

    keep_io_types: bool = True  # inputs and outputs of the model stay float32
    except_operators: tuple[str, ...] = ()  # types that stay float32, beside those that ONNX Runtime leaves out itself
    except_nodes: tuple[str, ...] = ()  # names of nodes that stay float32

    reads: ClassVar[tuple[str, ...]] = (".onnx",)
    writes: ClassVar[str] = ".onnx"
    needs_seeds: ClassVar[bool] = False

    def convert(self, source: Path, out: Path, calibration: Calibration | None) -> Mapping[str, Any]:
        before = files.read(source)
        name_nodes(before)
        check_nodes(before, source, self.except_nodes)
        with quiet():
            from onnxruntime.transformers import float16

            model = files.onnx_package().ModelProto()
            model.CopyFrom(before)
            try:
                after = float16.convert_float_to_float16(
                    model,
                    keep_io_types=self.keep_io_types,
                    disable_shape_infer=files.is_large(before),
                    op_block_list=[*float16.DEFAULT_OP_BLOCK_LIST, *self.except_operators],
                    node_block_list=list(self.except_nodes),
                )
            except Exception as error:  # those of onnx and ONNX Runtime have no common base
                raise ConversionError(f"{source} cannot be turned into float16: {reason(error)}") from error
        facts = conversion_of(before, after)
        if not facts["tensors_changed"]:
            raise ConversionError(
                f"nothing of {source} can be turned into float16: no float32 weight is of such an operator"
            )
        files.write(after, out)
        return {**facts, **_out_of_range(before), **sizes(source, out)}

    def versions(self) -> Mapping[str, str]:
        return files.versions(*files.QUANTISERS)


def _out_of_range(model: Any) -> dict[str, int]:
    """Count the weights that float16 cannot hold."""
    found = {"too_large": 0, "too_small": 0}
    for tensor in floats(model).values():
        sizes_of = np.abs(files.onnx_package().numpy_helper.to_array(tensor).astype(np.float64))
        found["too_large"] += int((sizes_of > _LARGEST).sum())
        found["too_small"] += int(((sizes_of > 0) & (sizes_of < _SMALLEST)).sum())
    return found
