"""Making interpreters of one model, each ready for one batch size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from dltf.plugin import ModelFileError, TargetUnavailableError
from dltf_tflite.reason import cure, reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from dltf_tflite.delegate import Delegate
    from dltf_tflite.runtime import Runtime


@frozen
class Ready:
    """An interpreter with its memory laid out, and where its inputs and outputs are."""

    interpreter: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def delegated(self) -> int:
        """How many parts of the graph a delegate has taken over."""
        graph = self.interpreter._interpreter  # no public name tells; `_get_ops_details` reads every tensor as well
        return sum(graph.NodeName(node) == "DELEGATE" for node in range(graph.NumNodes()))

    def __call__(self, arrays: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """Return all outputs, as arrays of their own."""
        interpreter = self.interpreter
        interpreter.reset_all_variables()  # what one input leaves behind must not reach the next
        for index, array in zip(self.inputs, arrays, strict=True):
            interpreter.set_tensor(index, array)
        interpreter.invoke()
        return [interpreter.get_tensor(index) for index in self.outputs]


@frozen
class Build:
    """All that it takes to make an interpreter; the bytes of the file are shared by those that are made."""

    runtime: Runtime
    file: Path
    content: bytes = field(repr=False)
    resolver: str
    threads: int
    delegate: Delegate | None

    def bare(self) -> Any:
        """Return an interpreter without memory; raise `ModelFileError` or `TargetUnavailableError` on refusal."""
        module = self.runtime.module
        delegates = [self.delegate.load(self.runtime)] if self.delegate else None
        try:
            return module.Interpreter(
                model_content=self.content,
                experimental_delegates=delegates,
                num_threads=self.threads,
                experimental_op_resolver_type=getattr(module.OpResolverType, self.resolver),
            )
        except (RuntimeError, ValueError) as error:
            raise self.refusal(error) from error

    def ready(self, shapes: Mapping[int, tuple[int, ...]]) -> Ready:
        """Return an interpreter for these input shapes, by tensor index; raise `RuntimeError` where it refuses them."""
        interpreter = self.bare()
        for index, shape in shapes.items():
            interpreter.resize_tensor_input(index, shape)
        return allocate(interpreter)

    def refusal(self, error: Exception) -> Exception:
        """Return what to raise for a model that the runtime or the delegate refuses."""
        if self.delegate and not cure(error):
            return TargetUnavailableError(f"the delegate {self.delegate.library} refuses {self.file}: {reason(error)}")
        name = self.runtime.distribution
        return ModelFileError(f"{name} {self.runtime.version} refuses {self.file}: {reason(error)}", hint=cure(error))


def allocate(interpreter: Any) -> Ready:
    """Lay out an interpreter's memory; raise `RuntimeError` where it refuses the shapes of its inputs."""
    interpreter.allocate_tensors()
    return Ready(
        interpreter,
        tuple(detail["index"] for detail in interpreter.get_input_details()),
        tuple(detail["index"] for detail in interpreter.get_output_details()),
    )
