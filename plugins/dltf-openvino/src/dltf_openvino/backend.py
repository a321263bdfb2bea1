"""OpenVINO as a model backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from attrs import field, frozen, validators

from dltf.plugin import Target
from dltf_openvino import targets
from dltf_openvino.batches import fit
from dltf_openvino.build import Build, precision_note
from dltf_openvino.layout import read_layout
from dltf_openvino.model_file import TFLITE, beside
from dltf_openvino.quantised import quantisations
from dltf_openvino.runner import CompiledRunner
from dltf_openvino.runtime import openvino, versions

if TYPE_CHECKING:
    from dltf.plugin import Runner

Option = str | int | float | bool


@frozen
class OpenVINO:
    """Runs an IR, ONNX or TFLite file on one device in one precision, which are the target."""

    threads: int = field(default=1, validator=validators.ge(1))  # of the processor, for all streams together
    streams: int = field(default=1, validator=validators.ge(1))  # parts of a batch that run at the same time
    hint: Literal["latency", "throughput"] = "latency"  # what OpenVINO is told to optimise for
    batch: int | None = field(default=None, validator=validators.optional(validators.ge(1)))  # unset: any, at once
    properties: Mapping[str, Option] = field(factory=dict)  # as OpenVINO names them

    suffixes: ClassVar[tuple[str, ...]] = (".xml",)  # other backends are found by .onnx and .tflite

    def targets(self) -> Sequence[Target]:
        return targets.targets()

    def open(self, file: Path, target: str) -> Runner:
        openvino()
        place = targets.usable(target)
        build = Build(file, place, self.threads, self.streams, self.hint, self.properties)
        fitted = fit(build, self.batch)
        declared = quantisations(file.read_bytes()) if file.suffix.lower() in TFLITE else {}
        layout = read_layout(fitted, file, declared)
        note = precision_note(fitted.compiled, place)
        return CompiledRunner(fitted.compiled, layout, self.streams, (*layout.notes, note) if note else layout.notes)

    def files(self, file: Path) -> Sequence[Path]:
        """Return the model and its weights, where they lie outside."""
        return beside(file)

    def versions(self) -> Mapping[str, str]:
        return versions("openvino")
