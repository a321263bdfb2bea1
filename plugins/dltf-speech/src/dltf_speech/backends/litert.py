"""LiteRT for graphs that the backend of plain TFLite files cannot drive: several inputs that take turns."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.plugin import MissingPackageError, RuntimeFailedError, Target, TargetUnavailableError, nearest
from dltf_speech.backends.clips import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

DISTRIBUTION = "ai-edge-litert"
TARGETS = {
    "cpu": ("the kernels that the runtime chooses by default (XNNPACK where it can)", "AUTO"),
    "cpu-builtin": ("the runtime's own optimised kernels, no delegate", "BUILTIN_WITHOUT_DEFAULT_DELEGATES"),
    "cpu-reference": ("the reference kernels: slow, plain arithmetic", "BUILTIN_REF"),
}
"""What each target is, and the operator resolver it stands for."""


def interpreters() -> Any:
    """Import the module of interpreters, or say how to install it."""
    try:
        from ai_edge_litert import interpreter
    except ImportError as error:
        raise MissingPackageError(
            f'the backend "deepspeech" cannot import ai_edge_litert: {error}',
            hint="pip install 'dltf-speech[deepspeech]'",
        ) from error
    return interpreter


def targets() -> Sequence[Target]:
    """List the sets of kernels, each with the reason where the runtime is not here."""
    try:
        interpreters()
        missing = ""
    except MissingPackageError as error:
        missing = f"{error.message}: {error.hint}"
    return [Target(name, summary, missing) for name, (summary, _) in TARGETS.items()]


def resolver(target: str) -> Any:
    """Return the operator resolver of a target; raise `TargetUnavailableError` for one that is not here."""
    if target not in TARGETS:
        raise TargetUnavailableError(f'the backend "deepspeech" has no target "{target}"{nearest(target, TARGETS)}')
    return getattr(interpreters().OpResolverType, TARGETS[target][1])


def version() -> Mapping[str, str]:
    """Return the version of the runtime."""
    return {DISTRIBUTION: metadata.version(DISTRIBUTION)}


@frozen(eq=False)
class Graph:
    """An interpreter with its memory laid out: a function of arrays by name."""

    interpreter: Any
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]

    def __call__(self, **arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return all outputs by name, as arrays of their own; raise `RuntimeFailedError` where the runtime fails."""
        try:
            for name, array in arrays.items():
                self.interpreter.set_tensor(self.inputs[name], array)
            self.interpreter.invoke()
            return {name: np.array(self.interpreter.get_tensor(index)) for name, index in self.outputs.items()}
        except (RuntimeError, ValueError) as error:
            raise RuntimeFailedError(f"LiteRT failed: {one_line(error)}") from error


def load(content: bytes, operators: Any, threads: int) -> Graph:
    """Return a graph that is ready to be called; raise `ValueError` or `RuntimeError` where the runtime refuses it."""
    interpreter = interpreters().Interpreter(
        model_content=content, num_threads=threads, experimental_op_resolver_type=operators
    )
    interpreter.allocate_tensors()
    inputs = {detail["name"]: detail["index"] for detail in interpreter.get_input_details()}
    outputs = {detail["name"]: detail["index"] for detail in interpreter.get_output_details()}
    return Graph(interpreter, inputs, outputs)
