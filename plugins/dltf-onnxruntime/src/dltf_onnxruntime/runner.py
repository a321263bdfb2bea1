"""Running batches through an open session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.plugin import RuntimeFailedError
from dltf_onnxruntime.reason import reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from numpy.typing import NDArray

    from dltf_onnxruntime.layout import Layout


class SessionRunner:
    """An open ONNX model; leaving its block lets go of the session."""

    def __init__(self, session: Any, layout: Layout, notes: tuple[str, ...]) -> None:
        self.inputs = layout.inputs
        self.outputs = layout.outputs
        self.notes = notes
        self._batch = layout.batch
        self._names = [spec.name for spec in layout.outputs]
        self._session: Any = session

    def __enter__(self) -> SessionRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session = None

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        if self._session is None:
            raise RuntimeFailedError("the model has been closed", hint="run it inside its `with` block")
        n = len(next(iter(inputs.values()), ()))
        try:
            answers = self._run(dict(inputs)) if self._batch is None else self._run_in_chunks(inputs, n, self._batch)
        except Exception as error:  # its exceptions have no common base
            raise RuntimeFailedError(f"ONNX Runtime failed on a batch of {n}: {reason(error)}") from error
        for name, answer in zip(self._names, answers, strict=True):
            if answer.shape[:1] != (n,):
                raise RuntimeFailedError(
                    f'the model gave "{name}" the shape {answer.shape} for a batch of {n}',
                    hint="the first axis of every output has to be the batch: export the model with an open one, or 1",
                )
        return dict(zip(self._names, answers, strict=True))

    def _run(self, feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        answers: list[NDArray[Any]] = self._session.run(self._names, feed)
        return answers

    def _run_in_chunks(self, inputs: Mapping[str, NDArray[Any]], n: int, size: int) -> list[NDArray[Any]]:
        if n == size:
            return self._run(dict(inputs))
        chunks = [
            self._run({name: _fill(array[start : start + size], size) for name, array in inputs.items()})
            for start in range(0, n, size)
        ]
        return [np.concatenate(pieces)[:n] for pieces in zip(*chunks, strict=True)]


def _fill(rows: NDArray[Any], size: int) -> NDArray[Any]:
    """Repeat the last row until there are `size`."""
    short = size - len(rows)
    return np.concatenate([rows, np.repeat(rows[-1:], short, axis=0)]) if short else rows
