"""What decoders promise: observations row by row, whatever the outputs are."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.errors import MisfitError
from dltf.testing.promise import Subject, differing, hold, read_only
from dltf.values import TensorSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from dltf.contracts import Decoder
    from dltf.values import Observations

_BAD = (np.nan, np.inf, -np.inf)


def it_observes_each_row(subject: Subject) -> None:
    """There are n observations of n rows of outputs, in columns of the right types."""
    __tracebackhide__ = True
    for decoder, outputs, n in _settled(subject):
        seen = decoder.decode(outputs)
        kind = type(seen.decisions).__name__
        hold(kind in ("list", "ndarray"), f'"{subject.name}" takes its decisions as {kind}, not as a list or an array')
        columns = {"log_scores": np.float64, "tied": np.bool_, "finite": np.bool_}
        for name, dtype in columns.items():
            values = getattr(seen, name)
            told = f'"{subject.name}": {name} is {values.dtype}{list(values.shape)}, not {np.dtype(dtype)}[{n}]'
            hold(values.dtype == dtype and values.shape == (n,), told)
        hold(
            len(seen) == len(seen.decisions) == n, f'"{subject.name}" takes {len(seen.decisions)} decisions on {n} rows'
        )
        if seen.states is not None:
            form = f"{seen.states.dtype}{list(seen.states.shape)}"
            told = f'"{subject.name}": states is {form}, not float32[{n}, d]'
            hold(seen.states.dtype == np.float32 and seen.states.ndim == 2 and len(seen.states) == n, told)
        hold(seen.finite.all(), f'"{subject.name}" flags finite outputs as not finite')


def its_decisions_are_hashable(subject: Subject) -> None:
    """Decisions are compared and counted."""
    __tracebackhide__ = True
    for decoder, outputs, _ in _settled(subject):
        strange = [item for item in decoder.decode(outputs).decisions if not _hashes(item)]
        hold(not strange, f'"{subject.name}" takes decisions that cannot be hashed: {strange[:1]}')


def a_row_is_observed_alone(subject: Subject) -> None:
    """No row depends on the others: one by one and backwards gives the same bits."""
    __tracebackhide__ = True
    for decoder, outputs, n in _settled(subject):
        seen = decoder.decode(outputs)
        for rows in [*([row] for row in range(n)), list(range(n))[::-1]]:
            other = decoder.decode({name: read_only(values[rows]) for name, values in outputs.items()})
            column = differing(other, seen.take(rows))
            what = "backwards" if len(rows) > 1 else "one by one"
            hold(not column, f'"{subject.name}": {column} differ when the rows are decoded {what}')


def rows_can_be_taken(subject: Subject) -> None:
    """`take` picks rows of every column, by a list or by an array."""
    __tracebackhide__ = True
    for decoder, outputs, n in _settled(subject):
        seen = decoder.decode(outputs)
        for rows in ([n - 1, 0], np.array([n - 1, 0])):
            taken = seen.take(rows)
            picked = [seen.decisions[int(row)] for row in rows]
            hold(
                list(taken.decisions) == picked and len(taken) == 2,
                f'"{subject.name}": taking two rows of {n} gives the decisions {taken.decisions}',
            )


def it_scores_its_own_decisions_as_told(subject: Subject) -> None:
    """Where it scores any decision, its own get their log-scores, and none gets more by rows taken."""
    __tracebackhide__ = True
    for decoder, outputs, n in _settled(subject):
        seen = decoder.decode(outputs)
        scores = seen.score(seen.decisions)
        if scores is None:
            continue
        told = f'"{subject.name}" scores its own decisions {scores}, and told {seen.log_scores}'
        hold(scores.dtype == np.float64 and scores.shape == (n,), told)
        hold(np.allclose(scores, seen.log_scores, atol=1e-5), told)
        other = list(seen.decisions)[::-1]
        among, back = seen.score(other), np.arange(n)[::-1]
        alone = seen.take(back).score(other[::-1])
        assert among is not None
        assert alone is not None
        hold((among[back] == alone).all(), f'"{subject.name}": the score of a decision depends on the rows beside it')


def a_bad_number_is_flagged(subject: Subject) -> None:
    """NaN and infinite outputs make an observation that is not finite, without a warning or a change in other rows."""
    __tracebackhide__ = True
    for decoder, outputs, n in _settled(subject):
        clean = decoder.decode(outputs)
        for name, bad, whole in ((name, bad, whole) for name in outputs for bad in _BAD for whole in (False, True)):
            if not np.issubdtype(outputs[name].dtype, np.floating):
                continue
            seen = _quietly(subject, decoder, {**outputs, name: _spoilt(outputs[name], bad, whole)})
            hold(not seen.finite[0], f'"{subject.name}" takes an output with {bad} for finite')
            rest = np.arange(1, n)
            column = differing(seen.take(rest), clean.take(rest))
            hold(not column, f'"{subject.name}": {column} of other rows change with {bad} in the first')


def it_settles_on_bad_numbers(subject: Subject) -> None:
    """A NaN among the first outputs stops nobody."""
    __tracebackhide__ = True
    for outputs in _given(subject):
        spoilt = {
            name: _spoilt(values, np.nan, True) if np.issubdtype(values.dtype, np.floating) else values
            for name, values in outputs.items()
        }
        _quietly(subject, subject.make().settle(_specs(outputs), spoilt), spoilt)


def no_outputs_are_a_misfit(subject: Subject) -> None:
    """A model without outputs raises `MisfitError`, as any that this decoder cannot read."""
    __tracebackhide__ = True
    try:
        subject.make().settle([], {})
    except MisfitError:
        return
    hold(False, f'"{subject.name}" settles on a model without outputs')


def _given(subject: Subject) -> Iterator[Mapping[str, NDArray[Any]]]:
    __tracebackhide__ = True
    for outputs in subject.given("outputs", subject.examples.outputs):
        hold(
            {len(values) for values in outputs.values()} - {0, 1},
            f'give two rows of outputs at least for "{subject.name}"',
        )
        yield {name: read_only(values) for name, values in outputs.items()}


def _settled(subject: Subject) -> Iterator[tuple[Decoder, Mapping[str, NDArray[Any]], int]]:
    __tracebackhide__ = True
    for outputs in _given(subject):
        yield subject.make().settle(_specs(outputs), outputs), outputs, len(next(iter(outputs.values())))


def _specs(outputs: Mapping[str, NDArray[Any]]) -> list[TensorSpec]:
    return [TensorSpec(name, (None, *values.shape[1:]), values.dtype.name) for name, values in outputs.items()]


def _spoilt(values: NDArray[Any], bad: float, whole: bool) -> NDArray[Any]:
    spoilt = values.copy()
    if whole:
        spoilt[0] = bad
    else:
        spoilt.reshape(len(spoilt), -1)[0, -1] = bad
    return read_only(spoilt)


def _quietly(subject: Subject, decoder: Decoder, outputs: Mapping[str, NDArray[Any]]) -> Observations:
    __tracebackhide__ = True
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        seen = decoder.decode(outputs)
    hold(not caught, f'"{subject.name}" warns of bad numbers: {[str(warning.message) for warning in caught]}')
    return seen


def _hashes(item: object) -> bool:
    try:
        hash(item)
    except TypeError:
        return False
    return True


PROMISES = (
    it_observes_each_row,
    its_decisions_are_hashable,
    a_row_is_observed_alone,
    rows_can_be_taken,
    it_scores_its_own_decisions_as_told,
    a_bad_number_is_flagged,
    it_settles_on_bad_numbers,
    no_outputs_are_a_misfit,
)
