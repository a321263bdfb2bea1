"""8-bit weights and activations, calibrated on seeds, by NNCF."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import ConversionError
from dltf_openvino.ir import load, save
from dltf_openvino.reason import reason
from dltf_openvino.runtime import nncf, versions
from dltf_openvino.specs import read_specs, sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import Calibration


@frozen
class Int8:
    """Quantises a model after training: weights per channel, activations per tensor, by the range of the seeds."""

    preset: Literal["performance", "mixed"] = "performance"  # activations symmetric; mixed: asymmetric where it helps
    subset_size: int = field(default=300, validator=validators.ge(1))  # seeds that are looked at, the first ones
    bias_correction: Literal["fast", "exact", "none"] = "fast"  # of biases, for what quantising shifts
    transformer: bool = False  # whether to look for the patterns of transformers

    reads: ClassVar[tuple[str, ...]] = (".xml", ".onnx", ".tflite")
    writes: ClassVar[str] = ".xml"
    needs_seeds: ClassVar[bool] = True

    def convert(self, source: Path, out: Path, calibration: Calibration | None) -> Mapping[str, Any]:
        if calibration is None:
            raise ConversionError(
                "openvino.int8 needs seeds to see the range of each layer", hint="give the matrix seeds"
            )
        with redirect_stdout(io.StringIO()):  # progress bars, and a log that goes there
            quantiser = nncf()
            quantiser.set_log_level(logging.ERROR)
            model = load(source)
            inputs = list(_inputs(model, calibration, self.subset_size))
            if not inputs:
                raise ConversionError("openvino.int8 was given no seeds", hint="give the matrix at least one")
            quantised = self._quantised(quantiser, model, inputs, source)
        kinds = [node.get_type_name() for node in quantised.get_ordered_ops()]
        if "FakeQuantize" not in kinds:
            raise ConversionError(f"NNCF finds nothing to quantise in {source.name}", hint="use it as it is")
        save(quantised, out)
        return {"seeds": len(inputs), "quantised_tensors": kinds.count("FakeQuantize")}

    def versions(self) -> Mapping[str, str]:
        return versions("openvino", "nncf")

    def _quantised(self, quantiser: Any, model: Any, inputs: list[Any], source: Path) -> Any:
        try:
            return quantiser.quantize(
                model,
                quantiser.Dataset(inputs),
                preset=quantiser.QuantizationPreset(self.preset),
                subset_size=len(inputs),
                fast_bias_correction=self.bias_correction != "exact",
                advanced_parameters=quantiser.AdvancedQuantizationParameters(
                    disable_bias_correction=self.bias_correction == "none"
                ),
                model_type=quantiser.ModelType.TRANSFORMER if self.transformer else None,
            )
        except Exception as error:  # its exceptions have no common base
            raise ConversionError(f"NNCF cannot quantise {source.name}: {reason(error)}") from error


def _inputs(model: Any, calibration: Calibration, most: int) -> Iterator[dict[int, NDArray[Any]]]:
    """Yield what the model takes, by place: rows repeated where it is made for several at a time."""
    specs = read_specs(model.inputs, {})
    for given in islice(calibration(), most):
        fed = {}
        for place, (port, spec) in enumerate(zip(model.inputs, specs, strict=True)):
            name = spec.name if spec else ""
            if name not in given:
                raise ConversionError(f'the model takes "{name}", and the seeds come as {list(given)}')
            fed[place] = np.repeat(given[name], sizes(port)[0] or 1, axis=0)
        yield fed
