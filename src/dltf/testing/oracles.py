"""What oracles promise: a verdict for each pair of answers, and none against equal ones."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from dltf.joining import judged
from dltf.testing.fakes import class_observations, stream
from dltf.testing.promise import Subject, hold, same

if TYPE_CHECKING:
    from dltf.values import Observations, Verdicts


def equal_answers_never_deviate(subject: Subject) -> None:
    """Identical observations agree, at distance 0."""
    __tracebackhide__ = True
    for seen in _pair(subject):
        verdicts = _judge(subject, seen, seen.take(np.arange(len(seen))))
        hold(not verdicts.deviates.any(), f'"{subject.name}" finds deviations between identical observations')
        hold(
            (verdicts.distances == 0).all(), f'"{subject.name}": identical observations are {verdicts.distances} apart'
        )


def some_answers_deviate(subject: Subject) -> None:
    """It tells at least one of the given pairs apart, or it would find nothing."""
    __tracebackhide__ = True
    hold(
        _judge(subject, *_pair(subject)).deviates.any(),
        f'"{subject.name}" agrees with all pairs of observations: give Examples(observations=…) of which some deviate',
    )


def there_is_a_verdict_for_each_pair(subject: Subject) -> None:
    """Three columns of n rows, whichever variant is the reference, also for a single pair and for none."""
    __tracebackhide__ = True
    ours, theirs = _pair(subject)
    for n in (0, 1, len(ours)):
        rows = np.arange(n)
        for a, b in ((ours, theirs), (theirs, ours)):
            verdicts = _judge(subject, a.take(rows), b.take(rows), rows)
            for name, dtype in (("deviates", np.bool_), ("distances", np.float64), ("tied", np.bool_)):
                values = np.asarray(getattr(verdicts, name))
                told = f'"{subject.name}": {name} is {values.dtype}{list(values.shape)}, not {np.dtype(dtype)}[{n}]'
                hold(values.dtype == dtype and values.shape == (n,), told)


def a_pair_is_judged_alone(subject: Subject) -> None:
    """No verdict depends on the pairs beside it."""
    __tracebackhide__ = True
    ours, theirs = _pair(subject)
    n = len(ours)
    verdicts = _judge(subject, ours, theirs)
    for rows in [*([row] for row in range(n)), list(range(n))[::-1]]:
        other = _judge(subject, ours.take(rows), theirs.take(rows), rows)
        hold(_same(other, verdicts, rows), f'"{subject.name}" judges a pair differently when other pairs are beside it')


def bad_numbers_are_judged(subject: Subject) -> None:
    """Observations that are not finite are judged without an exception or a warning."""
    __tracebackhide__ = True
    ours, theirs = _pair(subject)
    bad = attrs.evolve(
        theirs,
        log_scores=np.full(len(theirs), np.nan),
        states=None if theirs.states is None else np.full_like(theirs.states, np.nan),
        finite=np.zeros(len(theirs), dtype=np.bool_),
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for a, b in ((ours, bad), (bad, ours), (bad, bad)):
            _judge(subject, a, b)
    hold(not caught, f'"{subject.name}" warns of bad numbers: {[str(warning.message) for warning in caught]}')


def an_alignment_spells_both_answers(subject: Subject) -> None:
    """`align` gives pairs of strings; those of equal answers are equal, those of others are not all."""
    __tracebackhide__ = True
    align: Any = getattr(subject.make(), "align", None)
    if align is None:
        return
    answers, deviates = [list(seen.decisions) for seen in _pair(subject)], _judge(subject, *_pair(subject)).deviates
    for ours, theirs, apart in zip(*answers, deviates.tolist(), strict=True):
        pairs = align(ours, theirs)
        strings = all(len(pair) == 2 and all(isinstance(piece, str) for piece in pair) for pair in pairs)
        hold(strings, f'"{subject.name}" aligns {ours!r} and {theirs!r} as {pairs!r}, which are no pairs of strings')
        equal = all(a == b for a, b in align(ours, ours))
        hold(equal, f'"{subject.name}" aligns {ours!r} with itself as {align(ours, ours)!r}')
        told = f'"{subject.name}" aligns {ours!r} and {theirs!r}, which deviate, as equal'
        hold(any(a != b for a, b in pairs) or not apart, told)


def _judge(subject: Subject, ours: Observations, theirs: Observations, rows: Any = slice(None)) -> Verdicts:
    labels = subject.examples.labels.get(subject.name)
    known = [None] * len(ours) if labels is None else np.array(labels, dtype=object)[rows].tolist()
    return judged(subject.make(), ours, theirs, known)


def _pair(subject: Subject) -> tuple[Observations, Observations]:
    given = subject.examples.observations.get(subject.name)
    if given is not None:
        return given
    scores = stream().dirichlet(np.full(10, 0.5), size=12) * 0.99 + 0.001
    others = scores.copy()
    others[::2] = np.roll(others[::2], 1, axis=1)
    return class_observations(scores), class_observations(others)


def _same(ours: Verdicts, theirs: Verdicts, rows: list[int]) -> bool:
    columns = ("deviates", "distances", "tied")
    return all(same(getattr(ours, name), getattr(theirs, name)[rows]) for name in columns)


PROMISES = (
    equal_answers_never_deviate,
    some_answers_deviate,
    there_is_a_verdict_for_each_pair,
    a_pair_is_judged_alone,
    bad_numbers_are_judged,
    an_alignment_spells_both_answers,
)
