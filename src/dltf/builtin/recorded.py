"""Outputs that were recorded elsewhere (on a phone, in a lab) as a model that answers for its seeds alone."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from attrs import frozen

from dltf.plugin import (
    NATIVE,
    MisfitError,
    ModelFileError,
    RuntimeFailedError,
    Target,
    TargetUnavailableError,
    TensorSpec,
    digest_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGESTS = "sha256"
_HOW = "record them with dltf record; docs/how-to/models-that-are-no-files.md says how elsewhere"


@frozen
class Recorded:
    """Reads an .npz file: `sha256`, one hexadecimal digest for each sample, and arrays [n, …] of outputs by name.

    The digest is that of the sample's `dtype.str`, `str(shape)` and bytes, so that outputs of other seeds are noticed.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".npz",)
    seeds_only: ClassVar[bool] = True

    def targets(self) -> Sequence[Target]:
        return [Target("recorded", "Looks the answers up.")]

    def versions(self) -> Mapping[str, str]:
        return {"numpy": np.__version__}

    def open(self, file: Path, target: str) -> RecordedRunner:
        if target != "recorded":
            raise TargetUnavailableError(f'recorded outputs have no target "{target}"; there is "recorded"')
        try:
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        except (OSError, ValueError, EOFError, AttributeError, KeyError, zipfile.BadZipFile) as error:
            raise ModelFileError(f"{file} is no archive of recorded outputs: {error}", hint=_HOW) from error
        digests = arrays.pop(DIGESTS, None)
        if digests is None or digests.ndim != 1 or digests.dtype.kind not in "SU":
            raise ModelFileError(f'{file} has no text array "{DIGESTS}" that says whose its outputs are', hint=_HOW)
        wrong = [name for name, values in arrays.items() if values.shape[:1] != digests.shape]
        if wrong or not arrays:
            told = f"{wrong[0]} has the shape {list(arrays[wrong[0]].shape)}" if wrong else "no array beside it"
            raise ModelFileError(f"{file} has {len(digests)} digests and {told}", hint=_HOW)
        for name, values in arrays.items():
            if values.dtype.kind not in "biufU":
                raise ModelFileError(
                    f'{file} has the output "{name}" as {values.dtype}: neither numbers nor texts', hint=_HOW
                )
        return RecordedRunner(file.name, _row_of(file, [_text(digest) for digest in digests], arrays), arrays)


class RecordedRunner:
    """Recorded outputs, by the digests of their samples."""

    def __init__(self, name: str, row_of: Mapping[str, int], arrays: Mapping[str, NDArray[Any]]) -> None:
        self.inputs: tuple[TensorSpec, ...] = ()
        self.outputs = tuple(
            TensorSpec(key, (None, *values.shape[1:]), values.dtype.name) for key, values in arrays.items()
        )
        self.notes = (f"its outputs were recorded for {len(row_of)} samples, and it was not run",)
        self._name = name
        self._row_of = row_of
        self._arrays: Mapping[str, NDArray[Any]] | None = arrays

    def __enter__(self) -> RecordedRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._arrays = None

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        if self._arrays is None:
            raise RuntimeFailedError(f"{self._name} has been closed", hint="ask it inside its `with` block")
        samples = inputs[NATIVE]
        rows = [self._row_of.get(digest_of(sample), -1) for sample in samples]
        if -1 in rows:
            raise MisfitError(
                f"{self._name} has no outputs for {rows.count(-1)} of {len(rows)} samples: no digest matches",
                hint="were they recorded for other seeds, or for other versions of them?",
            )
        return {name: values[rows] for name, values in self._arrays.items()}


def _row_of(file: Path, digests: Sequence[str], arrays: Mapping[str, NDArray[Any]]) -> dict[str, int]:
    """Return the row of each digest; raise `ModelFileError` where one sample has two different answers."""
    rows: dict[str, int] = {}
    for row, digest in enumerate(digests):
        first = rows.setdefault(digest, row)
        if first != row and any(values[first].tobytes() != values[row].tobytes() for values in arrays.values()):
            raise ModelFileError(
                f"{file} has two different answers to one sample: rows {first} and {row} have the digest {digest}",
                hint="record each sample once",
            )
    return rows


def _text(digest: Any) -> str:
    """Return a digest as ours are written: in lower case."""
    return (digest.decode("ascii", "replace") if isinstance(digest, bytes) else str(digest)).lower()
