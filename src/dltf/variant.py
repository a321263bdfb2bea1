"""A variant: preprocessing, runner and decoding together, one system under test.

The declared quantisation of a model's input and output is applied here, for every runtime alike:
`integer = clip(round(real ÷ scale) + zero_point)` on the way in, `real = (integer − zero_point) × scale` on the way
out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.errors import MisfitError, TargetUnavailableError, nearest
from dltf.values import Observations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.contracts import Decoder, ModelBackend, Tensors
    from dltf.values import IntArray, Sample, TensorSpec


class Variant:
    """An opened model that observes samples; closed by leaving its block.

    `decoder` decodes what `settle` has decided; `alone` makes it see one input at a time; `run_s` is the time that its
    last observation spent in the runner, in seconds.
    """

    def __init__(
        self, role: str, backend: ModelBackend, file: Path, target: str | None, tensors: Tensors, settings: Any
    ) -> None:
        self.role = role
        self.file = file
        self.target = _usable(backend, target)
        self.backend = backend
        self.alone = False
        self.run_s = 0.0
        self.decoder: Decoder | None = None
        self._tensors = tensors
        self._settings = settings
        self._stack = ExitStack()

    def __enter__(self) -> Variant:
        self._runner = self._stack.enter_context(self.backend.open(self.file, self.target))
        try:
            self.input = self._only_input()
            self.preprocess = self._tensors.bind(self.input, self._settings)
        except BaseException as error:
            self._stack.close()
            if isinstance(error, MisfitError):
                raise MisfitError(f"the {self.role} ({self.file.name}): {error.message}", hint=error.hint) from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the results has to know about how this model was run."""
        return tuple(self._runner.notes)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        return tuple(self._runner.outputs)

    def settle(self, decoder: Decoder, samples: Sequence[Sample]) -> None:
        """Let the decoder decide what it was told to find out, from the outputs on these samples."""
        try:
            _, most = max(self.raw(samples), key=lambda group: len(group[0]))
            self.decoder = decoder.settle(self.outputs, most)
        except MisfitError as error:
            raise MisfitError(f"the {self.role} ({self.file.name}): {error.message}", hint=error.hint) from error

    def raw(self, samples: Sequence[Sample]) -> list[tuple[IntArray, Mapping[str, NDArray[Any]]]]:
        """Return the real-valued outputs, group by group: the rows of `samples`, and their tensors."""
        self.run_s = 0.0
        groups: list[tuple[IntArray, Mapping[str, NDArray[Any]]]] = []
        for rows, tensor in self.preprocess(samples):
            fed = quantise(tensor, self.input)
            batches = [fed[i : i + 1] for i in range(len(fed))] if self.alone else [fed]
            start = time.perf_counter()
            results = [self._runner.run({self.input.name: batch}) for batch in batches]
            self.run_s += time.perf_counter() - start
            whole = results[0] if len(results) == 1 else _joined(results)
            groups.append((rows, {spec.name: dequantise(whole[spec.name], spec) for spec in self._runner.outputs}))
        return groups

    def observe(self, samples: Sequence[Sample]) -> Observations:
        """Observe n samples, in their order."""
        assert self.decoder is not None, "settle comes first"
        groups = self.raw(samples)
        parts = [self.decoder.decode(outputs) for _, outputs in groups]
        if len(parts) == 1:
            return parts[0]
        order = np.argsort(np.concatenate([rows for rows, _ in groups]), kind="stable")
        return concatenate(parts).take(order)

    def _only_input(self) -> TensorSpec:
        inputs = tuple(self._runner.inputs)
        if len(inputs) != 1:
            names = ", ".join(str(spec) for spec in inputs) or "none"
            raise MisfitError(
                f"the model has {len(inputs)} inputs ({names}), and this version mutates models of one input",
                hint="export the model with its other inputs as constants",
            )
        return inputs[0]


def concatenate(parts: Sequence[Observations]) -> Observations:
    """Join observations of one variant, in order."""
    decisions: Any
    if all(isinstance(part.decisions, np.ndarray) for part in parts):
        decisions = np.concatenate([np.asarray(part.decisions) for part in parts])
    else:
        decisions = [decision for part in parts for decision in part.decisions]
    states = [part.states for part in parts if part.states is not None]
    if len({state.shape[1] for state in states}) > 1:
        widths = ", ".join(str(width) for width in sorted({state.shape[1] for state in states}))
        raise MisfitError(
            f"the decoder gives states of different lengths ({widths}) for inputs of different shapes",
            hint="give the seeds one shape (for pictures: size and resize), or choose another decoder",
        )
    return Observations(
        decisions=decisions,
        log_scores=np.concatenate([part.log_scores for part in parts]),
        states=np.concatenate(states) if len(states) == len(parts) else None,
        tied=np.concatenate([part.tied for part in parts]),
        finite=np.concatenate([part.finite for part in parts]),
    )


def quantise(tensor: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    """Return what the model takes for real numbers; a tensor of the model's own dtype is handed on as it is."""
    if tensor.dtype == spec.dtype:
        return tensor
    if spec.quantisation is None:
        return tensor.astype(spec.dtype)
    limits = np.iinfo(spec.dtype)
    steps = np.rint(tensor / np.float32(spec.quantisation.scale))
    steps += spec.quantisation.zero_point
    return np.clip(steps, limits.min, limits.max, out=steps).astype(spec.dtype)


def dequantise(tensor: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    """Return the real numbers that a model's output stands for: float32 [n, …]."""
    if spec.quantisation is None or not np.issubdtype(tensor.dtype, np.integer):
        return tensor
    return (tensor.astype(np.float32) - np.float32(spec.quantisation.zero_point)) * np.float32(spec.quantisation.scale)


def _joined(results: Sequence[Mapping[str, NDArray[Any]]]) -> Mapping[str, NDArray[Any]]:
    return {name: np.concatenate([result[name] for result in results]) for name in results[0]}


def _usable(backend: ModelBackend, name: str | None) -> str:
    targets = {target.name: target for target in backend.targets()}
    if not targets:
        raise TargetUnavailableError(f"the backend {type(backend).__name__} lists no target: it is broken")
    if name is None:
        name = next(iter(targets))
    if name not in targets:
        raise TargetUnavailableError(f'there is no target "{name}"{nearest(name, targets)}')
    if not targets[name].usable:
        raise TargetUnavailableError(f'the target "{name}" is not usable here: {targets[name].why_not}')
    return name
