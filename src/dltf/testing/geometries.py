"""What the geometry and the preview of a domain promise: distances, paths, changes, and what people see."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.testing.fakes import stream
from dltf.testing.promise import Subject, grouped, hold, same, samples, survives

if TYPE_CHECKING:
    from dltf.values import Batch, Sample

_MOST_PARTS = 31


# --- geometry and preview ----------------------------------------------------------------------------------------


def each_distance_has_a_unit(subject: Subject) -> None:
    """The units and the distances go by the same names."""
    __tracebackhide__ = True
    geometry = subject.make().geometry
    named, units = set(geometry.distances(*_pairs(subject))), set(geometry.units)
    hold(units, f'"{subject.name}" names no distance in `units`')
    hold(named == units, f'"{subject.name}" gives the distances {sorted(named)}, and units for {sorted(units)}')


def distances_are_one_float_for_each_pair(subject: Subject) -> None:
    """float64 [n], finite, and each of its own pair alone; pairs may differ in shape."""
    __tracebackhide__ = True
    geometry = subject.make().geometry
    seeds, mutants = _pairs(subject)
    for name, values in geometry.distances(seeds, mutants).items():
        hold(
            values.shape == (len(seeds),),
            f'"{subject.name}": "{name}" has the shape {values.shape} of {len(seeds)} pairs',
        )
        hold(values.dtype == np.float64, f'"{subject.name}": "{name}" is {values.dtype}, not float64')
        hold(np.isfinite(values).all(), f'"{subject.name}": "{name}" is not finite: {values}')
        alone = [geometry.distances([a], [b])[name][0] for a, b in zip(seeds, mutants, strict=True)]
        hold(same(np.array(alone), values), f'"{subject.name}": "{name}" of a pair depends on the pairs beside it')


def a_sample_is_at_distance_0_from_itself(subject: Subject) -> None:
    """0 for equal samples, or, for a similarity, the most that it can be; something else for samples that differ."""
    __tracebackhide__ = True
    geometry = subject.make().geometry
    seeds, mutants = _pairs(subject)
    apart = geometry.distances(seeds, mutants)
    for name, values in geometry.distances(seeds, seeds).items():
        hold(
            (values == 0).all() or ((values == values[0]).all() and values[0] >= apart[name].max()),
            f'"{subject.name}": "{name}" of a sample and itself is {values}, not 0 (or the most, for a similarity)',
        )
        hold((apart[name] != values).any(), f'"{subject.name}": "{name}" does not tell different samples apart')


def a_preview_shows_something(subject: Subject) -> None:
    """A seed beside a mutant, as the bytes of a file."""
    __tracebackhide__ = True
    preview = subject.make().preview
    for seed, mutant in zip(*_pairs(subject), strict=True):
        shown = preview.render(seed, mutant)
        hold(isinstance(shown, bytes) and shown, f'"{subject.name}" renders {shown!r}, not the bytes of a preview')


# --- paths, where the domain offers them -----------------------------------------------------------------------------


def paths_lead_from_sample_to_sample(subject: Subject) -> None:
    """A path begins and ends with its samples, each row goes its own way, and all on it survive their files."""
    __tracebackhide__ = True
    domain = subject.make()
    between: Any = getattr(domain.geometry, "interpolate", None)
    for group in grouped(samples(subject)) if between is not None else ():
        seeds, partners = np.stack(group), np.stack([*group[1:], group[0]])
        n = len(group)
        _lead_to_their_ends(subject, seeds, partners)
        shares = np.linspace(0.2, 0.8, n)
        made = between(seeds, partners, shares)
        for row in range(n):
            alone = between(seeds[row : row + 1], partners[row : row + 1], shares[row : row + 1])
            hold(same(alone[0], made[row]), f'"{subject.name}": a path depends on those beside it')
            hold(survives(domain.codec, made[row]), f'"{subject.name}": what is on a path does not survive its file')


def paths_lead_across_shapes(subject: Subject) -> None:
    """A geometry with `across_shapes` has paths and comparable vectors between samples of any two shapes."""
    __tracebackhide__ = True
    domain = subject.make()
    geometry: Any = domain.geometry
    groups = grouped(samples(subject)) if getattr(geometry, "across_shapes", False) else []
    for ours, theirs in permutations(groups, 2):
        seeds, partners = np.stack(ours[:1]), np.stack(theirs[:1])
        _lead_to_their_ends(subject, seeds, partners)
        for point in geometry.interpolate(seeds, partners, np.array([0.4])):
            hold(survives(domain.codec, point), f'"{subject.name}": what is on a path does not survive its file')
    widths = {geometry.embed(np.stack(group)).shape[1] for group in groups}
    hold(len(widths) < 2, f'"{subject.name}" embeds samples of different shapes in vectors of the lengths {widths}')


def _lead_to_their_ends(subject: Subject, seeds: Batch, partners: Batch) -> None:
    between: Any = getattr(subject.make().geometry, "interpolate", None)
    for t, ends in ((0.0, seeds), (1.0, partners)):
        made = between(seeds, partners, np.full(len(seeds), t))
        there = len(made) == len(ends) and all(same(one, end) for one, end in zip(made, ends, strict=True))
        hold(there, f'"{subject.name}": at t = {t:g} a path is not at its sample')


# --- shrinking and amplifying, where the domain offers them --------------------------------------------------------


def a_change_is_as_large_as_its_first_distance(subject: Subject) -> None:
    """`size` of the difference of two samples is their first distance; a `patch` has a size."""
    __tracebackhide__ = True
    geometry = subject.make().geometry
    if not hasattr(geometry, "size"):
        return
    name = next(iter(geometry.units))
    for seed, mutant in zip(*_pairs(subject), strict=True):
        change = (mutant.astype(np.float64) - seed)[np.newaxis]
        size, distance = geometry.size(change), geometry.distances([seed], [mutant])[name]
        told = f'"{subject.name}": a change of the distance {distance[0]} ({name}) has the size {size}'
        hold(size.shape == (1,) and np.allclose(size, distance, rtol=1e-6), told)
        if hasattr(geometry, "patch"):
            drawn = [geometry.patch(seed.shape, stream()) for _ in range(2)]
            hold(drawn[0].shape == seed.shape, f'"{subject.name}": a patch for {seed.shape} is {drawn[0].shape}')
            hold(same(*drawn), f'"{subject.name}": two patches from equal streams differ')
            hold(geometry.size(drawn[0][np.newaxis])[0] > 0, f'"{subject.name}": a patch changes nothing')


def rounding_gives_samples(subject: Subject) -> None:
    """A sample is rounded to itself, and anything to a sample that its file gives back; whatever is beside it."""
    __tracebackhide__ = True
    domain = subject.make()
    rounded: Any = getattr(domain.geometry, "rounded", None)
    for group in grouped(samples(subject)) if rounded is not None else ():
        whole = np.stack(group)
        hold(same(rounded(whole.astype(np.float64), 0.5), whole), f'"{subject.name}" does not round a sample to itself')
        far = whole.astype(np.float64) * 3.7 - 11.3
        made = rounded(far, np.full(far.shape, 0.3))
        hold(made.dtype == whole.dtype, f'"{subject.name}" rounds to {made.dtype}, and its samples are {whole.dtype}')
        for one, values in zip(made, far, strict=True):
            hold(survives(domain.codec, one), f'"{subject.name}" rounds to what its file does not give back')
            hold(same(rounded(values[np.newaxis], 0.3)[0], one), f'"{subject.name}" rounds a sample by its neighbours')


def parts_are_few_and_numbered(subject: Subject) -> None:
    """`parts` numbers every value of a sample: int64, from 0 on without a gap, 31 parts at most."""
    __tracebackhide__ = True
    parts: Any = getattr(subject.make().geometry, "parts", None)
    for sample in samples(subject) if parts is not None else ():
        for shifted in (False, True):
            numbers = parts(sample.shape, shifted)
            told = f"{numbers.dtype} {list(numbers.shape)} for a sample {list(sample.shape)}"
            hold(numbers.dtype == np.int64 and numbers.shape == sample.shape, f'"{subject.name}" gives parts as {told}')
            used = np.unique(numbers).tolist()
            hold(used == list(range(len(used))), f'"{subject.name}" numbers its parts {used}, not from 0 on')
            hold(len(used) <= _MOST_PARTS, f'"{subject.name}" has {len(used)} parts, and {_MOST_PARTS} is the most')


def _pairs(subject: Subject) -> tuple[list[Sample], list[Sample]]:
    """Pair each sample with the next of its shape."""
    __tracebackhide__ = True
    groups = grouped(samples(subject))
    seeds = [sample for group in groups for sample in group]
    mutants = [sample for group in groups for sample in (*group[1:], group[0])]
    told = "give Examples(samples=…) with two different samples of one shape"
    hold(any(not same(a, b) for a, b in zip(seeds, mutants, strict=True)), told)
    return seeds, mutants


PROMISES = (
    each_distance_has_a_unit,
    distances_are_one_float_for_each_pair,
    a_sample_is_at_distance_0_from_itself,
    a_preview_shows_something,
    paths_lead_from_sample_to_sample,
    paths_lead_across_shapes,
    a_change_is_as_large_as_its_first_distance,
    rounding_gives_samples,
    parts_are_few_and_numbered,
)
