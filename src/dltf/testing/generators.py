"""What generators promise: codes that depend on a sample alone, and samples that come back as they are made of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.errors import MisfitError
from dltf.testing.promise import Subject, grouped, hold, same, samples

if TYPE_CHECKING:
    from dltf.contracts import LatentSpace
    from dltf.values import Batch, FloatArray


def its_codes_are_flat(subject: Subject) -> None:
    """A code is float64 [k] and finite, k the length of the mask of active dimensions, of which there is one."""
    __tracebackhide__ = True
    with subject.make().open() as space:
        batch = _taken(subject, space)
        codes, active = space.encode(batch), np.asarray(space.active)
        hold(active.dtype == np.bool_ and active.ndim == 1, f'"{subject.name}": active is {active!r}, not bool [k]')
        hold(active.any(), f'"{subject.name}": no dimension is active, so that all distances are 0')
        told = (
            f'"{subject.name}": codes are {codes.dtype}{list(codes.shape)}, not float64 [{len(batch)}, {len(active)}]'
        )
        hold(codes.dtype == np.float64 and codes.shape == (len(batch), len(active)), told)
        hold(np.isfinite(codes).all(), f'"{subject.name}": a code is not finite')


def a_code_depends_on_its_sample_alone(subject: Subject) -> None:
    """Alone, in another batch and in another order a sample has the same code, bit for bit, and so it has again."""
    __tracebackhide__ = True
    with subject.make().open() as space:
        batch = _taken(subject, space)
        codes = space.encode(batch)
        hold(same(space.encode(batch), codes), f'"{subject.name}": the same samples get other codes the second time')
        _alike(subject, "encode", space.encode, batch, codes)


def a_sample_depends_on_its_code_alone(subject: Subject) -> None:
    """Alone, in another batch and in another order a code is decoded to the same sample, of the shape encoded."""
    __tracebackhide__ = True
    with subject.make().open() as space:
        batch = _taken(subject, space)
        codes = space.encode(batch)
        made = space.decode(codes)
        told = f'"{subject.name}": {batch.dtype}{list(batch.shape)} comes back as {made.dtype}{list(made.shape)}'
        hold(made.dtype == batch.dtype and made.shape == batch.shape, told)
        _alike(subject, "decode", space.decode, codes, made)


def opened_again_it_is_the_same(subject: Subject) -> None:
    """Another opening gives the same codes, bit for bit."""
    __tracebackhide__ = True
    generator = subject.make()
    with generator.open() as first:
        batch = _taken(subject, first)
        codes = first.encode(batch)
    with generator.open() as second:
        hold(same(second.encode(batch), codes), f'"{subject.name}": opened again, it gives other codes')


def its_spread_is_positive(subject: Subject) -> None:
    """Where it tells how sure its codes are, these are standard deviations of their shape."""
    __tracebackhide__ = True
    with subject.make().open() as space:
        if not hasattr(space, "spread"):
            return
        batch = _taken(subject, space)
        spread = space.spread(batch)
        hold(spread.shape == space.encode(batch).shape, f'"{subject.name}": a spread is {list(spread.shape)}')
        hold((spread >= 0).all() and np.isfinite(spread).all(), f'"{subject.name}": a spread is negative or not finite')


def a_strange_shape_is_a_misfit(subject: Subject) -> None:
    """A sample of another shape raises `MisfitError`."""
    __tracebackhide__ = True
    with subject.make().open() as space:
        batch = _taken(subject, space)
        strange = np.zeros((1, *(size + 3 for size in batch.shape[1:])), dtype=batch.dtype)
        try:
            space.encode(strange)
        except MisfitError:
            return
        hold(False, f'"{subject.name}" encodes {list(strange.shape)} where it was made for {list(batch.shape)}')


def its_record_is_json(subject: Subject) -> None:
    """Its facts and the versions of its packages can be written down."""
    __tracebackhide__ = True
    generator = subject.make()
    with generator.open() as space:
        try:
            json.dumps(dict(space.facts), allow_nan=False)
        except (TypeError, ValueError) as error:
            hold(False, f'"{subject.name}": its facts are not plain values: {error}')
    versions = generator.versions()
    told = versions and all(isinstance(text, str) and text for pair in versions.items() for text in pair)
    hold(told, f'"{subject.name}" does not tell its versions as text by distribution: {versions!r}')


def _taken(subject: Subject, space: LatentSpace) -> Batch:
    """Return those of the author's samples that it takes, at least three."""
    __tracebackhide__ = True
    for group in grouped(samples(subject)):
        batch = np.stack(group)
        try:
            space.encode(batch)
        except MisfitError:
            continue
        if len(batch) > 2:
            return batch
    hold(False, f'"{subject.name}" takes no three of the samples: give Examples(samples=…) of the shape it is made for')
    raise AssertionError


def _alike(subject: Subject, verb: str, call: Any, given: Batch | FloatArray, made: Any) -> None:
    __tracebackhide__ = True
    backwards = call(given[::-1].copy())[::-1]
    hold(same(np.ascontiguousarray(backwards), made), f'"{subject.name}": {verb} depends on the order of a batch')
    for row in range(len(given)):
        alone = call(given[row : row + 1])
        hold(same(alone[0], made[row]), f'"{subject.name}": {verb} depends on what else is in the batch')
    many = call(np.concatenate([given] * 23))
    hold(same(many[: len(given)], made), f'"{subject.name}": {verb} depends on the size of the batch')


PROMISES = (
    its_codes_are_flat,
    a_code_depends_on_its_sample_alone,
    a_sample_depends_on_its_code_alone,
    opened_again_it_is_the_same,
    its_spread_is_positive,
    a_strange_shape_is_a_misfit,
    its_record_is_json,
)
