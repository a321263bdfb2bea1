"""A variant: preprocessing, runner and decoding together, one system under test.

The declared quantisation of a model's input and output is applied here, for every runtime alike:
`integer = clip(round(real ÷ scale) + zero_point)` on the way in, `real = (integer − zero_point) × scale` on the way
out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from dltf.errors import MisfitError, RuntimeFailedError, TargetUnavailableError, nearest
from dltf.feed import Feed, bind
from dltf.repaired.decoder import Repaired
from dltf.values import NATIVE, Observations, TensorSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.contracts import Decoder, ModelBackend, Tensors
    from dltf.feed import Columns
    from dltf.repaired.decoder import Correction
    from dltf.values import FloatArray, IntArray, Sample, Scorer


@frozen(eq=False)
class Model:
    """A model before it is opened: `name` is what people call it, `settings` the domain's for `[models.*.input]`.

    Without settings it is opened and has to be prepared by hand. A `correction` changes what its decoder reads.
    """

    name: str
    backend: ModelBackend
    file: Path | None
    target: str | None
    settings: Any
    feeds: Mapping[str, Feed] = field(factory=dict)
    correction: Correction | None = None


class _AsTheyAre:
    """The preparation of a model that takes samples as they are: stacked by shape."""

    settings: Mapping[str, Any] = {}

    def __call__(self, samples: Sequence[Sample]) -> list[tuple[IntArray, Mapping[str, NDArray[Any]]]]:
        rows_of: dict[tuple[Any, ...], list[int]] = {}
        for row, sample in enumerate(samples):
            rows_of.setdefault((sample.shape, sample.dtype), []).append(row)
        return [(np.array(rows), {NATIVE: np.stack([samples[row] for row in rows])}) for rows in rows_of.values()]


AS_THEY_ARE = _AsTheyAre()


class Variant:
    """An opened model that observes samples; closed by leaving its block.

    `decoder` decodes what `settle` has decided: the model's `own`, or one that corrects it where the model is repaired.
    `alone` makes it see one input at a time; `run_s` is the time that its last observation spent in the runner, in
    seconds. Where a method takes `columns`, they are those of the samples' seeds; they may be left out unless an input
    of the model is fed from one.
    """

    def __init__(self, role: str, model: Model, tensors: Tensors) -> None:
        self.role = role
        self.name = model.name
        self.backend = model.backend
        self.target = _usable(model.backend, model.target)
        self.alone = False
        self.run_s = 0.0
        self.own: Decoder | None = None
        self.decoder: Decoder | None = None
        self.outputs: tuple[TensorSpec, ...] = ()
        self._model = model
        self._tensors = tensors
        self._stack = ExitStack()

    def __enter__(self) -> Variant:
        self._runner = self._stack.enter_context(self.backend.open(self._model.file or Path(), self.target))
        try:
            with self._blamed():
                self.inputs = tuple(self._runner.inputs)
                self.outputs = tuple(self._runner.outputs)
                self._specs = {spec.name: spec for spec in self.inputs}
                self._feeds, self.left = bind(self._model.feeds, self.inputs)
            if self._model.settings is not None:
                self.prepare(self._model.settings)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the results has to know about how this model was run."""
        correction = self._model.correction
        return (*self._runner.notes, *([] if correction is None else [correction.note]))

    @property
    def peak_memory_bytes(self) -> int | None:
        """The most memory that the model's own process has held, where it has one and the system tells."""
        told: int | None = getattr(self._runner, "peak_memory_bytes", None)
        return told

    def turn(self, samples: Sequence[Sample], columns: Sequence[Columns] | None = None) -> Callable[[], None]:
        """Return what runs the model on these samples, prepared beforehand: for timing."""
        fed = [given for _, given in self._fed(samples, columns)]

        def run() -> None:
            for given in fed:
                self._runner.run(given)

        return run

    @property
    def native(self) -> bool:
        """Whether the model takes samples as they are."""
        return not self.inputs

    def prepare(self, settings: Any) -> None:
        """Let samples be prepared by these settings of the domain, for the inputs that are `left` for them."""
        with self._blamed():
            self.preprocess = self._tensors.bind(self.left, settings) if self.inputs else AS_THEY_ARE

    def settle(self, decoder: Decoder, samples: Sequence[Sample], columns: Sequence[Columns] | None = None) -> None:
        """Let the decoder decide what it was told to find out, from the outputs on these samples."""
        with self._blamed():
            _, most = max(self.raw(samples, columns), key=lambda group: len(group[0]))
            repaired = self.read_by(decoder.settle(self.outputs, most))
            if repaired is not None:
                repaired.decode(most)  # a head that does not fit is told here

    def read_by(self, settled: Decoder) -> Repaired | None:
        """Let outputs be read by a decoder that has decided; return what corrects it, where the model is repaired."""
        correction = self._model.correction
        repaired = None if correction is None else Repaired(settled, correction)
        self.own, self.decoder = settled, repaired or settled
        return repaired

    def check(self, sample: Sample, columns: Columns | None = None) -> None:
        """Raise `MisfitError` where the model does not take this sample."""
        try:
            if self.native:
                with suppress(RuntimeFailedError):
                    self.raw([sample])
                return
            list(self.preprocess([sample]))
            self._feeds.batch(1, None if columns is None else [columns])
        except MisfitError as error:
            message = f"the {self.role} ({self.name}) does not fit the seeds: {error.message}"
            raise MisfitError(message, hint=error.hint) from error

    def raw(
        self, samples: Sequence[Sample], columns: Sequence[Columns] | None = None
    ) -> list[tuple[IntArray, Mapping[str, NDArray[Any]]]]:
        """Return the real-valued outputs, group by group: the rows of `samples`, and their tensors."""
        self.run_s = 0.0
        groups: list[tuple[IntArray, Mapping[str, NDArray[Any]]]] = []
        for rows, fed in self._fed(samples, columns):
            whole = self._run(fed, len(rows))
            groups.append((rows, {spec.name: dequantise(whole[spec.name], spec) for spec in self.outputs}))
        return groups

    def observe(self, samples: Sequence[Sample], columns: Sequence[Columns] | None = None) -> Observations:
        """Observe n samples, in their order."""
        assert self.decoder is not None, "settle comes first"
        groups = self.raw(samples, columns)
        parts = [self.decoder.decode(outputs) for _, outputs in groups]
        seen = parts[0] if len(parts) == 1 else concatenate(parts)
        order = np.argsort(np.concatenate([rows for rows, _ in groups]), kind="stable")
        return seen if (order == np.arange(len(order))).all() else seen.take(order)

    def inputs_of(
        self, samples: Sequence[Sample], columns: Sequence[Columns] | None = None
    ) -> list[tuple[IntArray, Mapping[str, NDArray[Any]]]]:
        """Return what the model is given for these samples, group by group."""
        return list(self._fed(samples, columns))

    def _fed(
        self, samples: Sequence[Sample], columns: Sequence[Columns] | None
    ) -> Iterator[tuple[IntArray, Mapping[str, NDArray[Any]]]]:
        for rows, tensors in self.preprocess(samples):
            given = None if columns is None else [columns[row] for row in rows]
            fed = dict(tensors)
            if not self.native:
                fed = {name: quantise(tensor, self._specs[name]) for name, tensor in tensors.items()}
                fed |= self._feeds.batch(len(rows), given)
            yield rows, fed

    def _run(self, fed: Mapping[str, NDArray[Any]], size: int) -> Mapping[str, NDArray[Any]]:
        alone = self.alone and size > 1
        batches = [{name: rows[i : i + 1] for name, rows in fed.items()} for i in range(size)] if alone else [fed]
        start = time.perf_counter()
        results = [self._runner.run(batch) for batch in batches]
        self.run_s += time.perf_counter() - start
        whole = results[0] if len(results) == 1 else _joined(results)
        if not self.outputs:
            self.outputs = tuple(
                TensorSpec(name, (None, *values.shape[1:]), values.dtype.name) for name, values in whole.items()
            )
        return whole

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        try:
            yield
        except MisfitError as error:
            raise MisfitError(f"the {self.role} ({self.name}): {error.message}", hint=error.hint) from error


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
        scorer=_joined_scorer(parts),
    )


@frozen(eq=False)
class _JoinedScorer:
    """The scorers of several batches as one: row i is row `row_of[i]` of batch `part_of[i]`."""

    scorers: Sequence[Scorer]
    part_of: IntArray
    row_of: IntArray

    def score(self, decisions: Sequence[Hashable] | NDArray[Any]) -> FloatArray:
        scores = np.zeros(len(self.part_of))
        for part in np.unique(self.part_of):
            rows = np.flatnonzero(self.part_of == part)
            scores[rows] = self.scorers[part].take(self.row_of[rows]).score([decisions[int(row)] for row in rows])
        return scores

    def take(self, rows: IntArray | Sequence[int]) -> _JoinedScorer:
        return _JoinedScorer(self.scorers, self.part_of[rows], self.row_of[rows])


def _joined_scorer(parts: Sequence[Observations]) -> _JoinedScorer | None:
    scorers = [part.scorer for part in parts if part.scorer is not None]
    if len(scorers) < len(parts) or not parts:
        return None
    sizes = [len(part) for part in parts]
    return _JoinedScorer(
        scorers, np.repeat(np.arange(len(parts)), sizes), np.concatenate([np.arange(size) for size in sizes])
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
