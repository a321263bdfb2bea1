"""Running batches through a compiled model, in as many requests at a time as it has streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.plugin import RuntimeFailedError
from dltf_openvino.reason import reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from numpy.typing import NDArray

    from dltf_openvino.layout import Layout


class CompiledRunner:
    """An open model; leaving its block lets go of it."""

    def __init__(self, compiled: Any, layout: Layout, streams: int, notes: tuple[str, ...]) -> None:
        self.inputs = layout.inputs
        self.outputs = layout.outputs
        self.notes = notes
        self._layout = layout
        self._requests: list[Any] = [compiled.create_infer_request() for _ in range(streams)]

    def __enter__(self) -> CompiledRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._requests = []  # a request holds the model

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        if not self._requests:
            raise RuntimeFailedError("the model has been closed", hint="run it inside its `with` block")
        arrays = self._checked(inputs)
        n = len(arrays[0])
        chunks = self._chunks(arrays, n)
        try:
            pieces = [
                piece
                for start in range(0, len(chunks), len(self._requests))
                for piece in self._at_once(chunks[start : start + len(self._requests)])
            ]
        except Exception as error:  # OpenVINO's exceptions have no common base
            raise RuntimeFailedError(f"OpenVINO failed on a batch of {n}: {reason(error)}") from error
        columns = pieces[0] if len(pieces) == 1 else [np.concatenate(column) for column in zip(*pieces, strict=True)]
        answers = {}
        for spec, column in zip(self.outputs, columns, strict=True):
            if self._layout.batch is None and len(column) != n:
                raise RuntimeFailedError(
                    f'the model gave "{spec.name}" the shape {column.shape} for a batch of {n}',
                    hint="the first axis of every output has to be the batch: export the model with an open one, or 1",
                )
            answers[spec.name] = column[:n]
        return answers

    def _checked(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the inputs in order; OpenVINO itself takes arrays of any type and some of other shapes, in silence."""
        names = [spec.name for spec in self.inputs]
        if set(inputs) != set(names):
            raise RuntimeFailedError(f"the model takes {names}, not {list(inputs)}")
        for spec in self.inputs:
            given = inputs[spec.name]
            if given.dtype != spec.dtype or not _fits(given.shape, spec.shape):
                raise RuntimeFailedError(f"the model takes {spec}, and was given {given.dtype}{list(given.shape)}")
        return [inputs[name] for name in names]

    def _chunks(self, arrays: list[NDArray[Any]], n: int) -> list[list[NDArray[Any]]]:
        size = self._layout.batch
        if size is None:  # each stream gets an equal share
            size = max(1, -(-n // len(self._requests)))
            return [[array[start : start + size] for array in arrays] for start in range(0, max(n, 1), size)]
        return [[_fill(array[start : start + size], size) for array in arrays] for start in range(0, n, size)]

    def _at_once(self, chunks: list[list[NDArray[Any]]]) -> list[list[NDArray[Any]]]:
        started = list(zip(self._requests, chunks, strict=False))
        if len(started) == 1:
            started[0][0].infer(chunks[0])
        else:
            for request, chunk in started:
                request.start_async(chunk)
            for request, _ in started:
                request.wait()
        return [[request.get_output_tensor(i).data.copy() for i in self._layout.kept] for request, _ in started]


def _fits(given: tuple[int, ...], declared: tuple[int | None, ...]) -> bool:
    return len(given) == len(declared) and all(
        size in {None, length} for size, length in zip(declared[1:], given[1:], strict=True)
    )


def _fill(rows: NDArray[Any], size: int) -> NDArray[Any]:
    """Repeat the last row until there are `size`."""
    short = size - len(rows)
    return np.concatenate([rows, np.repeat(rows[-1:], short, axis=0)]) if short else rows
