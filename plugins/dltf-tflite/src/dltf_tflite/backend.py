"""TensorFlow Lite (LiteRT) as a model backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from attrs import field, frozen, validators

from dltf.plugin import MisfitError, MissingPackageError, Target, TargetUnavailableError, nearest
from dltf_tflite.build import Build
from dltf_tflite.delegate import Delegate
from dltf_tflite.model_file import read_model
from dltf_tflite.probe import probe
from dltf_tflite.runner import InterpreterRunner
from dltf_tflite.runtime import find_runtime

if TYPE_CHECKING:
    from dltf.plugin import Runner

Option = str | int | float | bool

EXTERNAL = "external"
TARGETS = {
    "cpu": ("the kernels that the runtime chooses by default (XNNPACK where it can)", "AUTO"),
    "cpu-builtin": ("the runtime's own optimised kernels, no delegate", "BUILTIN_WITHOUT_DEFAULT_DELEGATES"),
    "cpu-reference": ("the reference kernels: slow, plain arithmetic", "BUILTIN_REF"),
    EXTERNAL: ("the delegate of the setting `delegate`, no other", "BUILTIN_WITHOUT_DEFAULT_DELEGATES"),
}
"""What each target is, and the operator resolver it stands for."""


@frozen
class TFLite:
    """Runs a TFLite file on one set of kernels, which is the target."""

    threads: int = field(default=1, validator=validators.ge(1))
    delegate: Path | None = None  # the shared library of an external delegate, for the target "external"
    delegate_options: Mapping[str, Option] = field(factory=dict)  # as the delegate names them

    suffixes: ClassVar[tuple[str, ...]] = (".tflite", ".lite")

    def targets(self) -> Sequence[Target]:
        try:
            find_runtime()
            missing = ""
        except MissingPackageError as error:
            missing = f"{error.message}: {error.hint}"
        unset = "" if self.delegate else 'set delegate = "path of its shared library"'
        return [
            Target(name, summary, missing or (unset if name == EXTERNAL else ""))
            for name, (summary, _) in TARGETS.items()
        ]

    def open(self, file: Path, target: str) -> Runner:
        delegate = self._delegate(target)
        build = Build(
            runtime=find_runtime(),
            file=file,
            content=read_model(file),
            resolver=TARGETS[target][1],
            threads=self.threads,
            delegate=delegate,
        )
        layout, interpreters = probe(build)
        return InterpreterRunner(build, layout, interpreters)

    def versions(self) -> Mapping[str, str]:
        runtime = find_runtime()
        return {runtime.distribution: runtime.version}

    def _delegate(self, target: str) -> Delegate | None:
        if target not in TARGETS:
            raise TargetUnavailableError(f'the backend "tflite" has no target "{target}"{nearest(target, TARGETS)}')
        if target != EXTERNAL and (self.delegate or self.delegate_options):
            stray = "delegate" if self.delegate else "delegate_options"
            raise MisfitError(
                f'the target "{target}" takes no {stray}', hint=f'remove {stray}, or set target = "{EXTERNAL}"'
            )
        if target != EXTERNAL:
            return None
        if self.delegate is None:
            raise TargetUnavailableError(
                f'the target "{EXTERNAL}" has no delegate to run', hint='set delegate = "path of its shared library"'
            )
        return Delegate(self.delegate, self.delegate_options)
