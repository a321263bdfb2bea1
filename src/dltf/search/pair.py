"""Two variants that see the same inputs, at the same time where that is allowed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from attrs import field, frozen

from dltf.errors import MisfitError, RuntimeFailedError, RuntimeHungError
from dltf.joining import judged
from dltf.values import Observations, Verdicts
from dltf.variant import concatenate

if TYPE_CHECKING:
    from dltf.contracts import Oracle
    from dltf.feed import Columns
    from dltf.values import BoolArray, IntArray, Sample
    from dltf.variant import Variant


T = TypeVar("T")
HANDOVER_S = 150e-6  # what it costs to hand a batch to the other thread; below it, one after the other is quicker


@frozen(eq=False)
class Judged:
    """What came of n samples. `crashed` tells the rows that a runtime failed on; the columns hold the other `rows`.

    Mutants that do not fit a model, longer than it takes, say, are in neither.
    """

    rows: IntArray
    reference: Observations
    candidate: Observations
    verdicts: Verdicts
    crashed: dict[int, str] = field(factory=dict)

    @property
    def finite(self) -> BoolArray:
        return self.reference.finite & self.candidate.finite


class Pair:
    """The reference and the candidate, opened, with the oracle that compares them; closed by leaving its block.

    `run_s` adds up the time that the runners took: the longer of the two for each batch where they run at once.
    `misfits` counts the mutants that fit one of the models no more.
    """

    def __init__(self, reference: Variant, candidate: Variant, oracle: Oracle, *, concurrent: bool) -> None:
        self.reference = reference
        self.candidate = candidate
        self.oracle = oracle
        self.run_s = 0.0
        self.hangs = 0  # calls that were ended by their time limit
        self.misfits = 0
        self.concurrent = concurrent
        self._stack = ExitStack()
        self._beside: ThreadPoolExecutor | None = None
        self._expected_s = 1.0  # what the quicker runner takes for one sample, as last seen

    def __enter__(self) -> Pair:
        with ExitStack() as opening:
            opening.enter_context(self.reference)
            opening.enter_context(self.candidate)
            if self.concurrent:
                self._beside = opening.enter_context(ThreadPoolExecutor(1, thread_name_prefix="candidate"))
            self._stack = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def open_beside(self, opening: AbstractContextManager[T]) -> T:
        """Open something else, that is closed with the pair."""
        return self._stack.enter_context(opening)

    def judge(
        self,
        samples: Sequence[Sample],
        columns: Sequence[Columns] | None = None,
        labels: Sequence[Hashable | None] | None = None,
    ) -> Judged:
        """Show n samples to both variants; a sample on which a runtime fails is found by showing it alone.

        `columns` are those of the samples' seeds, for models that are fed from them, and `labels` their labels, for
        oracles that go by them.
        """
        rows = np.arange(len(samples))
        if not len(rows):
            return Judged(rows, _NOTHING, _NOTHING, _NO_VERDICT)
        try:
            reference, candidate = self._observe(samples, columns)
        except RuntimeFailedError:
            return self._one_by_one(samples, columns, labels)
        return Judged(rows, reference, candidate, judged(self.oracle, reference, candidate, labels))

    def judge_mutants(
        self, samples: Sequence[Sample], columns: Sequence[Columns], labels: Sequence[Hashable | None]
    ) -> Judged:
        """Do the same, and leave out those that do not fit a model: their seeds did, an operator has led them away."""
        try:
            return self.judge(samples, columns, labels)
        except MisfitError:
            return self._one_by_one(samples, columns, labels, leave_out=True)

    def judge_alone(self, sample: Sample, columns: Columns | None = None, label: Hashable | None = None) -> Judged:
        """Show one sample to both variants, at batch size one."""
        return self.judge([sample], None if columns is None else [columns], [label])

    def _observe(
        self, samples: Sequence[Sample], columns: Sequence[Columns] | None
    ) -> tuple[Observations, Observations]:
        if self._beside is None or self._expected_s * len(samples) < HANDOVER_S:
            reference = self._seen_by(self.reference, samples, columns)
            candidate = self._seen_by(self.candidate, samples, columns)
            self.run_s += self.reference.run_s + self.candidate.run_s
            self._expect(len(samples))
            return reference, candidate
        future = self._beside.submit(self._seen_by, self.candidate, samples, columns)
        try:
            reference = self._seen_by(self.reference, samples, columns)
        finally:
            future.exception()  # wait, so that no runner is used twice at once
        candidate = future.result()
        self.run_s += max(self.reference.run_s, self.candidate.run_s)
        self._expect(len(samples))
        return reference, candidate

    def _seen_by(self, variant: Variant, samples: Sequence[Sample], columns: Sequence[Columns] | None) -> Observations:
        try:
            return variant.observe(samples, columns)
        except RuntimeFailedError as error:
            self.hangs += isinstance(error, RuntimeHungError)
            raise RuntimeFailedError(f"the {variant.role}: {error.message}", hint=error.hint) from error

    def _expect(self, count: int) -> None:
        self._expected_s = min(self.reference.run_s, self.candidate.run_s) / count

    def _one_by_one(
        self,
        samples: Sequence[Sample],
        columns: Sequence[Columns] | None,
        labels: Sequence[Hashable | None] | None,
        *,
        leave_out: bool = False,
    ) -> Judged:
        seen: dict[int, tuple[Observations, Observations]] = {}
        crashed: dict[int, str] = {}
        for row, sample in enumerate(samples):
            try:
                seen[row] = self._observe([sample], None if columns is None else [columns[row]])
            except RuntimeFailedError as error:
                crashed[row] = error.message
            except MisfitError:
                if not leave_out:
                    raise
                self.misfits += 1
        if not seen:
            return Judged(np.zeros(0, dtype=np.int64), _NOTHING, _NOTHING, _NO_VERDICT, crashed)
        reference = concatenate([ours for ours, _ in seen.values()])
        candidate = concatenate([theirs for _, theirs in seen.values()])
        known = None if labels is None else [labels[row] for row in seen]
        verdicts = judged(self.oracle, reference, candidate, known)
        return Judged(np.array(list(seen)), reference, candidate, verdicts, crashed)


_NOTHING = Observations([], np.zeros(0), None, np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.bool_))
_NO_VERDICT = Verdicts(np.zeros(0, dtype=np.bool_), np.zeros(0), np.zeros(0, dtype=np.bool_))
