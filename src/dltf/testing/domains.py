"""What domains promise: files, distances and previews of samples, and their way into a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dltf.errors import MisfitError, SeedError
from dltf.testing import geometries
from dltf.testing.promise import Subject, hold, same, samples
from dltf.values import TensorSpec

if TYPE_CHECKING:
    from dltf.contracts import Codec, Preprocess
    from dltf.values import Sample

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
    input_settings_have_defaults,
    a_foreign_input_is_a_misfit,
    each_sample_gets_one_row,
    preparation_looks_at_one_sample,
    *geometries.PROMISES,
)
