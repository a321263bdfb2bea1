"""What domains promise: files, distances and previews of samples, and their way into a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dltf.errors import MisfitError, SeedError
from dltf.testing.fakes import stream
from dltf.testing.promise import Subject, grouped, hold, same, samples, survives
from dltf.values import TensorSpec

if TYPE_CHECKING:
    from dltf.contracts import Codec, Preprocess
    from dltf.values import Sample

_MOST_PARTS = 31
_GARBAGE = (b"", b"\0", b"\0" * 64, bytes(range(256)), b"\xff\xfe no such file \r\n", b"{not: a file}\n")


# --- codec -------------------------------------------------------------------------------------------------------


def its_files_have_a_suffix(subject: Subject) -> None:
    """People open the files, so that their names end with a suffix."""
    __tracebackhide__ = True
    domain = subject.make()
    for part, suffix in (("codec", domain.codec.suffix), ("preview", domain.preview.suffix)):
        hold(suffix.startswith(".") and len(suffix) > 1, f'the suffix of the {part} of "{subject.name}" is {suffix!r}')


def a_file_gives_the_sample_back(subject: Subject) -> None:
    """Encoding and decoding gives the same sample, bit for bit, and the same bytes each time."""
    __tracebackhide__ = True
    codec = subject.make().codec
    for sample in samples(subject):
        data = codec.encode(sample)
        hold(isinstance(data, bytes), f'"{subject.name}" encodes to {type(data).__name__}, not to bytes')
        hold(data == codec.encode(sample), f'"{subject.name}" encodes one sample to different bytes')
        back = codec.decode(data)
        made, taken = f"{back.dtype}{list(back.shape)}", f"{sample.dtype}{list(sample.shape)}"
        hold(same(back, sample), f'"{subject.name}": {taken} comes back from its file as another {made}')


def garbage_is_a_seed_error(subject: Subject) -> None:
    """Bytes that are no such file raise `SeedError`, so that a campaign skips and names them."""
    __tracebackhide__ = True
    codec = subject.make().codec
    for data in _GARBAGE:
        hold(not _readable(codec, data), f'"{subject.name}" decodes garbage without complaint: {data!r}')


def a_damaged_file_is_at_worst_a_seed_error(subject: Subject) -> None:
    """A file that was cut or altered gives a sample or `SeedError`, and no other exception."""
    __tracebackhide__ = True
    codec = subject.make().codec
    files = [codec.encode(sample) for sample in samples(subject)]

    @settings(max_examples=200, deadline=None, derandomize=True, database=None)
    @given(st.sampled_from(files), st.integers(0, 2**32), st.binary(max_size=4), st.booleans())
    def damage(data: bytes, place: int, bits: bytes, cut: bool) -> None:
        at = place % (len(data) + 1)
        _readable(codec, data[:at] + bits + (b"" if cut else data[at + len(bits) :]))

    damage()


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
    """0 for equal samples (1 for a similarity), something else for samples that differ."""
    __tracebackhide__ = True
    geometry = subject.make().geometry
    seeds, mutants = _pairs(subject)
    apart = geometry.distances(seeds, mutants)
    for name, values in geometry.distances(seeds, seeds).items():
        hold(
            (values == 0).all() or (values == 1).all(),
            f'"{subject.name}": "{name}" of a sample and itself is {values}, not 0 (or 1, for a similarity)',
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
        for t, ends in ((0.0, seeds), (1.0, partners)):
            told = f'"{subject.name}": at t = {t:g} a path is not at its sample'
            hold(same(between(seeds, partners, np.full(n, t)), ends), told)
        shares = np.linspace(0.2, 0.8, n)
        made = between(seeds, partners, shares)
        for row in range(n):
            alone = between(seeds[row : row + 1], partners[row : row + 1], shares[row : row + 1])
            hold(same(alone[0], made[row]), f'"{subject.name}": a path depends on those beside it')
            hold(survives(domain.codec, made[row]), f'"{subject.name}": what is on a path does not survive its file')


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


# --- tensors -----------------------------------------------------------------------------------------------------


def input_settings_have_defaults(subject: Subject) -> None:
    """The table `[models.*.input]` may be left out: its attrs class can be made from nothing."""
    __tracebackhide__ = True
    kind = subject.make().tensors.settings
    hold(isinstance(kind, type) and attrs.has(kind), f'"{subject.name}": tensors.settings is no attrs class: {kind!r}')
    needed = [field.name for field in attrs.fields(kind) if field.init and field.default is attrs.NOTHING]
    hold(not needed, f'"{subject.name}": the input settings {", ".join(needed)} have no default')
    kind()


def a_foreign_input_is_a_misfit(subject: Subject) -> None:
    """An input that takes none of the domain's samples raises `MisfitError`."""
    __tracebackhide__ = True
    domain, strange = subject.make(), TensorSpec("strange", (None, 1, 2, 3, 4, 5, 6, 7), "float32")
    try:
        for _ in domain.tensors.bind([strange], domain.tensors.settings())(samples(subject)):
            pass
    except MisfitError:
        return
    hold(False, f'"{subject.name}" prepares samples for {strange} without complaint')


def each_sample_gets_one_row(subject: Subject) -> None:
    """The groups of tensors hold each sample that fits once; the settings are told with their defaults."""
    __tracebackhide__ = True
    for spec, prepare in _bound(subject):
        hold(
            isinstance(prepare.settings, Mapping), f'"{subject.name}" for {spec}: no mapping of settings for the record'
        )
        fitting = [sample for sample in samples(subject) if _tensor(prepare, sample) is not None]
        hold(fitting, f'"{subject.name}" prepares none of the samples for {spec}')
        seen: list[int] = []
        for rows, named in prepare(fitting):
            tensor = named.get(spec.name, np.zeros(0))
            hold(set(named) == {spec.name}, f'"{subject.name}" for {spec}: tensors for {sorted(named)}')
            hold(rows.dtype == np.int64, f'"{subject.name}" for {spec}: the rows are {rows.dtype}, not int64')
            hold(
                len(rows) == len(tensor),
                f'"{subject.name}" for {spec}: {len(rows)} rows with a tensor of {tensor.shape}',
            )
            seen += rows.tolist()
        hold(
            sorted(seen) == list(range(len(fitting))),
            f'"{subject.name}" for {spec}: {len(fitting)} samples gave the rows {seen}',
        )


def preparation_looks_at_one_sample(subject: Subject) -> None:
    """The tensor of a sample is the same alone and among others."""
    __tracebackhide__ = True
    for spec, prepare in _bound(subject):
        alone = {i: _tensor(prepare, sample) for i, sample in enumerate(samples(subject))}
        fitting = [i for i, tensor in alone.items() if tensor is not None]
        for order in (fitting, fitting[::-1]):
            for rows, named in prepare([samples(subject)[i] for i in order]):
                for row, values in zip(rows, named[spec.name], strict=True):
                    hold(
                        same(values, alone[order[row]]),
                        f'"{subject.name}" for {spec}: the tensor of sample {order[row]} depends on its neighbours',
                    )


# --- helpers -----------------------------------------------------------------------------------------------------


def _readable(codec: Codec, data: bytes) -> bool:
    try:
        return isinstance(codec.decode(data), np.ndarray)
    except SeedError:
        return False


def _pairs(subject: Subject) -> tuple[list[Sample], list[Sample]]:
    """Pair each sample with the next of its shape."""
    __tracebackhide__ = True
    groups = grouped(samples(subject))
    seeds = [sample for group in groups for sample in group]
    mutants = [sample for group in groups for sample in (*group[1:], group[0])]
    told = "give Examples(samples=…) with two different samples of one shape"
    hold(any(not same(a, b) for a, b in zip(seeds, mutants, strict=True)), told)
    return seeds, mutants


def _bound(subject: Subject) -> Sequence[tuple[TensorSpec, Preprocess]]:
    __tracebackhide__ = True
    hold(
        subject.examples.inputs, f'there is nothing to prepare samples of "{subject.name}" for: give Examples(inputs=…)'
    )
    tensors = subject.make().tensors
    return [(spec, tensors.bind([spec], tensors.settings())) for spec in subject.examples.inputs]


def _tensor(prepare: Preprocess, sample: Sample) -> Any:
    """Return the tensor of this sample alone, or None where it does not fit."""
    try:
        return next(tensor[0] for _, named in prepare([sample]) for tensor in named.values())
    except MisfitError:
        return None


PROMISES = (
    its_files_have_a_suffix,
    a_file_gives_the_sample_back,
    garbage_is_a_seed_error,
    a_damaged_file_is_at_worst_a_seed_error,
    each_distance_has_a_unit,
    distances_are_one_float_for_each_pair,
    a_sample_is_at_distance_0_from_itself,
    a_preview_shows_something,
    paths_lead_from_sample_to_sample,
    a_change_is_as_large_as_its_first_distance,
    rounding_gives_samples,
    parts_are_few_and_numbered,
    input_settings_have_defaults,
    a_foreign_input_is_a_misfit,
    each_sample_gets_one_row,
    preparation_looks_at_one_sample,
)
