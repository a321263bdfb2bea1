"""What mutation operators promise, alone or in a preset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.testing.fakes import stream, streams
from dltf.testing.promise import (
    Subject,
    global_randomness_untouched,
    grouped,
    hold,
    pickled,
    read_only,
    same,
    samples,
    survives,
)

if TYPE_CHECKING:
    from dltf.contracts import MutationOperator
    from dltf.values import Batch, Draws, FloatArray

ROWS = 5
"""Each batch is at least this long, so that neighbours have a chance to matter."""


def a_preset_names_its_operators(subject: Subject) -> None:
    """A preset is a mapping of names to operators, with something in it."""
    __tracebackhide__ = True
    named = subject.make().operators()
    hold(isinstance(named, Mapping) and named, f'"{subject.name}" gives no mapping of names to operators: {named!r}')
    strange = [name for name in named if not (isinstance(name, str) and name)]
    hold(not strange, f'"{subject.name}" has operators under names that are no text: {strange}')


def strength_0_is_the_identity(subject: Subject) -> None:
    """Nothing changes at strength 0, in no bit."""
    __tracebackhide__ = True
    for name, operator, batch in _trials(subject):
        mutants = operator.apply(batch, _drawn(operator, batch), _strengths(batch, 0.0))
        hold(_alike(mutants, batch), f'"{name}" changes samples of shape {batch.shape[1:]} at strength 0')


def full_strength_changes_something(subject: Subject) -> None:
    """At strength 1 some sample changes under some draw."""
    __tracebackhide__ = True
    changed: dict[str, bool] = {}
    for name, operator, batch in _trials(subject):
        changed.setdefault(name, False)
        for seed in range(4):
            mutants = operator.apply(batch, _drawn(operator, batch, seed), _strengths(batch, 1.0))
            changed[name] |= not _alike(mutants, batch)
    for name, ever in changed.items():
        hold(ever, f'"{name}" changed none of the samples at strength 1')


def shape_and_dtype_are_kept(subject: Subject) -> None:
    """A mutant has the shape and the dtype of its sample, at any strength.

    With `keeps_shape = False` its shape may be another of as many dimensions, and the mutants may come as a list.
    """
    __tracebackhide__ = True
    for name, operator, batch in _trials(subject):
        for strength in (0.0, 0.3, 1.0):
            mutants = operator.apply(batch, _drawn(operator, batch), _strengths(batch, strength))
            kept = getattr(operator, "keeps_shape", True)
            arrays = all(isinstance(one, np.ndarray) for one in ([mutants] if kept else mutants))
            hold(arrays, f'"{name}" gives no array, but {type(mutants).__name__}')
            made, taken = [f"{one.dtype}{list(one.shape)}" for one in mutants], f"{batch.dtype}{list(batch.shape[1:])}"
            hold(len(made) == len(batch), f'"{name}" made {len(made)} mutants of {len(batch)} samples')
            if kept:
                told = f'"{name}" made {made[0]} of {taken} at strength {strength}: without keeps_shape = False'
                hold(set(made) == {taken}, told)
            else:
                of_its_kind = all(one.dtype == batch.dtype and one.ndim == batch.ndim - 1 for one in mutants)
                hold(of_its_kind, f'"{name}" made {", ".join(sorted(set(made)))} of {taken} at strength {strength}')


def draws_have_one_row_for_each_sample(subject: Subject) -> None:
    """Each array of a draw has as many rows as the batch."""
    __tracebackhide__ = True
    for name, operator, batch in _trials(subject):
        draws = _drawn(operator, batch)
        hold(isinstance(draws, Mapping), f'"{name}" draws no mapping, but {type(draws).__name__}')
        for key, rows in draws.items():
            hold(isinstance(rows, np.ndarray), f'"{name}" draws "{key}" as {type(rows).__name__}, not as an array')
            hold(
                rows.ndim > 0 and len(rows) == len(batch),
                f'"{name}" draws "{key}" with the shape {rows.shape} for {len(batch)} samples',
            )


def draws_survive_pickling(subject: Subject) -> None:
    """A draw is stored and comes back as it was."""
    __tracebackhide__ = True
    for name, operator, batch in _trials(subject):
        draws = _drawn(operator, batch)
        hold(_same_draws(pickled(draws), draws), f'the draws of "{name}" do not survive pickling')


def equal_streams_give_equal_mutants(subject: Subject) -> None:
    """What is random comes from the streams: the same streams give the same draws and the same mutants."""
    __tracebackhide__ = True
    for name, operator, batch in _trials(subject):
        draws, again = _drawn(operator, batch), _drawn(operator, batch)
        hold(_same_draws(draws, again), f'"{name}" draws something else from the same streams')
        ones = _strengths(batch, 1.0)
        hold(
            _alike(operator.apply(batch, draws, ones), operator.apply(batch, again, ones)),
            f'"{name}" makes another mutant of the same draws: `apply` draws nothing',
        )


def a_batch_is_its_samples_one_by_one(subject: Subject) -> None:
    """Row i depends on sample i, stream i and strength i alone: no size or order of a batch matters."""
    __tracebackhide__ = True
    for name, operator, batch in _trials(subject):
        n = len(batch)
        strengths = read_only(np.linspace(1.0, 0.2, n))
        draws = _drawn(operator, batch)
        mutants = operator.apply(batch, draws, strengths)
        shuffled = [int(row) for row in np.random.default_rng(0).permutation(n)]
        for rows in [*([row] for row in range(n)), shuffled]:
            what = "in another order" if len(rows) > 1 else "alone"
            picked = read_only(batch[rows])
            drawn = operator.draw(picked, [stream(case=row) for row in rows])
            hold(
                _same_draws(drawn, {key: values[rows] for key, values in draws.items()}),
                f'"{name}" draws something else for a sample {what}: draw row i from stream i only',
            )
            hold(
                _alike(operator.apply(picked, _frozen(drawn), strengths[rows]), [mutants[row] for row in rows]),
                f'"{name}" makes another mutant of a sample {what} than in its batch',
            )


def inputs_are_not_modified(subject: Subject) -> None:
    """Samples, draws and strengths stay as they were."""
    __tracebackhide__ = True
    for name, operator, batch in _trials(subject):
        taken = batch.copy()  # writeable: an operator that writes must be seen, not stopped
        draws = dict(operator.draw(taken, streams(len(batch))))
        kept = {key: drawn.copy() for key, drawn in draws.items()}
        strengths = np.full(len(batch), 0.7)
        operator.apply(taken, draws, strengths)
        hold(same(taken, batch), f'"{name}" writes to the samples that it is given')
        hold(_same_draws(draws, kept), f'"{name}" writes to the draws that it is given')
        hold(same(strengths, np.full(len(batch), 0.7)), f'"{name}" writes to the strengths that it is given')


def randomness_is_handed_over(subject: Subject) -> None:
    """The global generators are neither used nor seeded."""
    __tracebackhide__ = True
    for name, operator, batch in _trials(subject):
        with global_randomness_untouched(name):
            operator.apply(batch, _drawn(operator, batch), _strengths(batch, 1.0))


def mutants_survive_the_codec(subject: Subject) -> None:
    """A mutant is an input of its domain: its file form gives it back bit for bit."""
    __tracebackhide__ = True
    codec = subject.domain().codec
    for name, operator, batch in _trials(subject):
        for mutant in operator.apply(batch, _drawn(operator, batch), _strengths(batch, 1.0)):
            hold(
                survives(codec, mutant),
                f'a mutant of "{name}" comes back from its {codec.suffix} file as something else',
            )


def _trials(subject: Subject) -> Iterator[tuple[str, MutationOperator, Batch]]:
    """Pair each operator with each batch of the author's samples."""
    __tracebackhide__ = True
    made = subject.make()
    named = made.operators() if subject.hook == "dltf_operator_presets" else {subject.name: made}
    for group in grouped(samples(subject)):
        batch = read_only(np.stack([group[row % len(group)] for row in range(max(ROWS, len(group)))]))
        for name, operator in named.items():
            yield (name if name == subject.name else f"{subject.name}: {name}"), operator, batch


def _drawn(operator: MutationOperator, batch: Batch, seed: int = 0) -> Draws:
    drawn: Draws = _frozen(operator.draw(batch, streams(len(batch), seed)))
    return drawn


def _frozen(draws: Any) -> Any:
    if not isinstance(draws, Mapping):
        return draws
    return {key: read_only(rows) if isinstance(rows, np.ndarray) else rows for key, rows in draws.items()}


def _strengths(batch: Sequence[Any] | Batch, strength: float) -> FloatArray:
    return read_only(np.full(len(batch), strength))


def _alike(ours: Sequence[Any] | Batch, theirs: Sequence[Any] | Batch) -> bool:
    return len(ours) == len(theirs) and all(same(a, b) for a, b in zip(ours, theirs, strict=True))


def _same_draws(ours: Draws, theirs: Draws) -> bool:
    return set(ours) == set(theirs) and all(same(ours[key], theirs[key]) for key in ours)


PROMISES = (
    strength_0_is_the_identity,
    full_strength_changes_something,
    shape_and_dtype_are_kept,
    draws_have_one_row_for_each_sample,
    draws_survive_pickling,
    equal_streams_give_equal_mutants,
    a_batch_is_its_samples_one_by_one,
    inputs_are_not_modified,
    randomness_is_handed_over,
    mutants_survive_the_codec,
)
