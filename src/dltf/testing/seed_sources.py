"""What seed sources promise: the same labelled samples, whenever and in whatever order they are read."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np

from dltf.testing.promise import Subject, global_randomness_untouched, hold, same, survives

if TYPE_CHECKING:
    from dltf.contracts import Seeds

_LOOK = 20
"""So many seeds of a source are looked at, from its beginning; and its last."""


def it_has_seeds(subject: Subject) -> None:
    """There is something to read, and the length stays."""
    __tracebackhide__ = True
    lengths = [len(seeds) for seeds in (subject.make().open(), subject.make().open()) for _ in range(2)]
    hold(min(lengths) > 0, f'"{subject.name}" has no seeds')
    hold(len(set(lengths)) == 1, f'"{subject.name}" changes its length: {lengths}')


def seeds_are_named_arrays(subject: Subject) -> None:
    """Each seed is a numpy array, with a name, and with a label that can be hashed."""
    __tracebackhide__ = True
    seeds = subject.make().open()
    for index in _indices(seeds):
        seed = seeds[index]
        hold(
            isinstance(seed.sample, np.ndarray),
            f'"{subject.name}": seed {index} is no array: {type(seed.sample).__name__}',
        )
        hold(isinstance(seed.name, str) and seed.name, f'"{subject.name}": seed {index} has no name: {seed.name!r}')
        hold(
            isinstance(seed.label, Hashable),
            f'"{subject.name}": the label of seed {index} cannot be hashed: {seed.label!r}',
        )


def opening_again_gives_the_same_seeds(subject: Subject) -> None:
    """The same seeds in the same places, read backwards as well as forwards, and whatever the global generators say."""
    __tracebackhide__ = True
    with global_randomness_untouched(subject.name):
        first, second = subject.make().open(), subject.make().open()
        indices = _indices(first)
        ours = {index: first[index] for index in indices}
        theirs = {index: second[index] for index in reversed(indices)}
    for index in indices:
        a, b = ours[index], theirs[index]
        hold(
            same(a.sample, b.sample) and (a.name, a.label) == (b.name, b.label),
            f'"{subject.name}" gives another seed {index} when it is opened again and read backwards',
        )


def out_of_range_is_an_index_error(subject: Subject) -> None:
    """Reading past the end raises `IndexError`."""
    __tracebackhide__ = True
    seeds = subject.make().open()
    for index in (len(seeds), len(seeds) + 1000):
        try:
            seeds[index]
        except IndexError:
            continue
        hold(False, f'"{subject.name}" has {len(seeds)} seeds and gives one at {index}')


def its_source_is_for_the_record(subject: Subject) -> None:
    """`source` is a mapping that JSON can hold."""
    __tracebackhide__ = True
    source = dict(subject.make().open().source)
    try:
        json.dumps(source)
    except TypeError as error:
        hold(False, f'the source of "{subject.name}" does not fit into JSON ({error}): {source!r}')


def seeds_survive_the_codec(subject: Subject) -> None:
    """A seed is an input of its domain: its file form gives it back bit for bit."""
    __tracebackhide__ = True
    codec, seeds = subject.domain().codec, subject.make().open()
    for index in _indices(seeds):
        sample = seeds[index].sample
        hold(
            survives(codec, sample),
            f'seed {index} of "{subject.name}" comes back from its {codec.suffix} file as something else',
        )


def _indices(seeds: Seeds) -> list[int]:
    return sorted({*range(min(_LOOK, len(seeds))), len(seeds) - 1})


PROMISES = (
    it_has_seeds,
    seeds_are_named_arrays,
    opening_again_gives_the_same_seeds,
    out_of_range_is_an_index_error,
    its_source_is_for_the_record,
    seeds_survive_the_codec,
)
