"""What a model's further inputs get: the same for all, or from a column of the seed (`[models.*.feed]`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from dltf.errors import MisfitError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.values import TensorSpec

    Columns = Mapping[str, Any]


@frozen
class Feed:
    """What one further input gets: exactly one of these."""

    value: Any = None  # a number, a boolean, or lists of them
    file: Path | None = None  # an array in a .npy file
    column: str | None = None  # of the seed; a mutant gets its seed's

    def __attrs_post_init__(self) -> None:
        if sum(given is not None for given in (self.value, self.file, self.column)) != 1:
            raise ValueError("give one of value, file and column")


@frozen(eq=False)
class Feeds:
    """The further inputs of one model, bound: arrays for a batch, by name."""

    constants: Mapping[str, NDArray[Any]] = field(factory=dict)  # one row each, or a scalar for a scalar input
    columns: Mapping[str, tuple[str, TensorSpec]] = field(factory=dict)

    def batch(self, size: int, given: Sequence[Columns] | None) -> dict[str, NDArray[Any]]:
        """Return what these inputs get beside a batch; raise `MisfitError` where a seed has no such column."""
        fed = {name: _rows(constant, size) for name, constant in self.constants.items()}
        for name, (column, spec) in self.columns.items():
            assert given is not None, "who judges samples hands over the columns of their seeds"
            fed[name] = np.stack([_shaped(_cell(columns, column), spec) for columns in given])
        return fed


def bind(feeds: Mapping[str, Feed], specs: Sequence[TensorSpec]) -> tuple[Feeds, list[TensorSpec]]:
    """Return what is fed, and the inputs that are left for the samples."""
    named = {spec.name: spec for spec in specs}
    for name in feeds:
        if name not in named:
            raise MisfitError(f'the model has no input "{name}"{nearest(name, named)}', hint="see [models.*.feed]")
    constants = {name: _constant(feed, named[name]) for name, feed in feeds.items() if feed.column is None}
    columns = {name: (feed.column, named[name]) for name, feed in feeds.items() if feed.column is not None}
    return Feeds(constants, columns), [spec for spec in specs if spec.name not in feeds]


def _constant(feed: Feed, spec: TensorSpec) -> NDArray[Any]:
    if feed.file is None:
        return _shaped(feed.value, spec)
    try:
        return _shaped(np.load(feed.file, allow_pickle=False), spec)
    except (OSError, ValueError) as error:
        raise MisfitError(
            f"{feed.file}, which the input {spec} gets, is no array: {error}", hint="save one with numpy.save"
        ) from error


def _shaped(value: Any, spec: TensorSpec) -> NDArray[Any]:
    """Return one row of this input, in its dtype; a number fills the whole row."""
    sizes = tuple(1 if size is None else size for size in spec.shape[1:])
    try:
        array = np.asarray(value)
        exact = array.astype(spec.dtype)
        if exact.dtype.kind in "iub" and not np.array_equal(exact, array):
            raise ValueError(f"{value!r} is none of its values")
        if array.ndim == len(sizes) and all(
            size in (None, given) for size, given in zip(spec.shape[1:], array.shape, strict=True)
        ):
            return exact  # as it is, where sizes are open
        return np.ascontiguousarray(np.broadcast_to(exact, sizes))
    except (TypeError, ValueError) as error:
        raise MisfitError(
            f"the input {spec} cannot get {value!r}: {error}", hint="mend [models.*.feed], or the seeds' manifest"
        ) from error


def _cell(columns: Columns, column: str) -> Any:
    if column not in columns:
        raise MisfitError(
            f'the seed has no column "{column}", which an input of the model gets{nearest(column, columns)}',
            hint="add the column to the seeds' manifest",
        )
    return columns[column]


def _rows(constant: NDArray[Any], size: int) -> NDArray[Any]:
    return np.ascontiguousarray(np.broadcast_to(constant, (size, *constant.shape)))
