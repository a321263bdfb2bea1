"""ONNX Runtime as a model backend."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from typing import TYPE_CHECKING, ClassVar, Literal

from attrs import field, frozen, validators

from dltf.plugin import MisfitError, Target
from dltf_onnxruntime import providers
from dltf_onnxruntime.assignment import fallback_note
from dltf_onnxruntime.layout import read_layout
from dltf_onnxruntime.runner import SessionRunner
from dltf_onnxruntime.session import open_session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dltf.plugin import Runner

Level = Literal["disabled", "basic", "extended", "layout", "all"]
Option = str | int | float | bool


@frozen
class OnnxRuntime:
    """Runs an ONNX file on one execution provider, which is the target; no other provider steps in unasked."""

    optimisation: Level = "all"  # graph optimisation; each level has those before it
    threads: int = field(default=1, validator=validators.ge(1))  # within an operator; operators run one by one
    provider_options: Mapping[str, Option] = field(factory=dict)  # as ONNX Runtime names them
    cpu_fallback: bool = False  # whether the CPU may run operators that the provider lacks; the notes then say so

    suffixes: ClassVar[tuple[str, ...]] = (".onnx", ".ort")

    def targets(self) -> Sequence[Target]:
        return providers.targets()

    def open(self, file: Path, target: str) -> Runner:
        if target == providers.CPU.name and (self.provider_options or self.cpu_fallback):
            stray = "provider_options" if self.provider_options else "cpu_fallback"
            raise MisfitError(
                f'the target "cpu" takes no {stray}', hint=f"remove {stray}, or name the target that it is for"
            )
        provider = providers.usable(target)
        session = open_session(self, file, provider)
        layout = read_layout(session, file)
        notes = layout.notes
        if self.cpu_fallback:
            notes = (*notes, fallback_note(session, file, provider))
        return SessionRunner(session, layout, notes)

    def files(self, file: Path) -> Sequence[Path]:
        """Return the model and the files beside it that it names: those of its weights, where they lie outside."""
        try:
            graph = file.read_bytes()
            beside = sorted(other for other in file.parent.iterdir() if other.is_file() and other != file)
        except OSError:
            return [file]
        return [file, *(other for other in beside if len(other.name) > 3 and other.name.encode() in graph)]

    def versions(self) -> Mapping[str, str]:
        found = {}
        for name in providers.DISTRIBUTIONS:
            try:
                found[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                continue
        return found
