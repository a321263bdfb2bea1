"""Compiling a model for a target, and seeing to it that it is what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from dltf.plugin import MisfitError, ModelFileError, TargetUnavailableError, nearest
from dltf_openvino.model_file import read_model
from dltf_openvino.reason import reason
from dltf_openvino.runtime import openvino
from dltf_openvino.targets import Place

Option = str | int | float | bool

_MOVES_DATA = {"Const", "Convert", "Input", "Output", "Reorder"}
_SET_ELSEWHERE = {
    "INFERENCE_PRECISION_HINT": "the target says the precision",
    "EXECUTION_MODE_HINT": "the target says the precision",
    "PERFORMANCE_HINT": "set hint",
    "INFERENCE_NUM_THREADS": "set threads",
    "NUM_STREAMS": "set streams",
}


@frozen
class Build:
    """All that it takes to compile a file."""

    file: Path
    place: Place
    threads: int
    streams: int
    hint: str
    properties: Mapping[str, Option]

    def read(self) -> Any:
        """Return a new `openvino.Model` (reshaping one changes it)."""
        return read_model(self.file)

    def compile(self, model: Any) -> Any:
        """Return a compiled model; raise `TargetUnavailableError` where its precision or device is another one."""
        core = openvino().Core()
        compiled = core.compile_model(model, self.place.device, self._properties(core))
        got = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        where = compiled.get_property("EXECUTION_DEVICES")
        if got != self.place.precision or {device.partition(".")[0] for device in where} != {self.place.device}:
            raise TargetUnavailableError(
                f'the target "{self.place.name}" is not to be had: OpenVINO would run {self.file.name} '
                f"in {got} on {', '.join(where)}",
                hint="use another target",
            )
        return compiled

    def refusal(self, error: Exception) -> Exception:
        """Return what to raise for a model that cannot be compiled."""
        message = f"OpenVINO cannot compile {self.file} for {self.place.name}: {reason(error)}"
        if self.place.device == "CPU":
            return ModelFileError(message)
        return TargetUnavailableError(message, hint='try batch = 1 (some devices take no other), or target = "cpu"')

    def _properties(self, core: Any) -> dict[str, Any]:
        supported = set(core.get_property(self.place.device, "SUPPORTED_PROPERTIES"))
        for name in self.properties:
            if name in _SET_ELSEWHERE:
                raise MisfitError(f"properties may not hold {name}", hint=_SET_ELSEWHERE[name])
            if name not in supported:
                raise MisfitError(f'the device {self.place.device} has no property "{name}"{nearest(name, supported)}')
        ours = {
            "INFERENCE_PRECISION_HINT": self.place.precision,
            "EXECUTION_MODE_HINT": "ACCURACY",  # else it quantises activations by itself where weights are 8 bits
            "PERFORMANCE_HINT": self.hint.upper(),
            "INFERENCE_NUM_THREADS": self.threads,
            "NUM_STREAMS": self.streams,
            "ENABLE_CPU_PINNING": False,  # else two models, each in a process of its own, share the first core
        }
        return {name: value for name, value in ours.items() if name in supported} | dict(self.properties)


def precision_note(compiled: Any, place: Place) -> str:
    """Return a note where no layer runs in the low precision that was asked for."""
    if place.precision == "f32":
        return ""
    for node in compiled.get_runtime_model().get_ordered_ops():
        told = node.get_rt_info()
        layer, precision = (told[key].astype(str) for key in ("layerType", "runtimePrecision"))
        if layer not in _MOVES_DATA and precision == place.precision:
            return ""
    return (
        f"no layer of this model runs in {place.precision}: OpenVINO has none of them in it, or keeps them as they are"
    )
