"""Running batches through interpreters of fixed sizes.

An interpreter made anew costs as much as eight runs of LeNet-5, so there is one for each power of two up to the
largest, and a batch goes through as a sum of them: 35 = 16 + 16 + 2 + 1. No row is made up, so none can leak.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.plugin import RuntimeFailedError
from dltf_tflite.reason import reason

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

    from dltf_tflite.build import Build, Ready
    from dltf_tflite.probe import Layout

LARGEST = 16  # measured on LeNet-5, ResNets and MobileNet: 16 and 32 are about equal, 64 and 128 up to 38 % slower
_MOST = 16  # interpreters kept; only models whose inputs differ in shape come near it


class InterpreterRunner:
    """An open TFLite model; leaving its block lets go of its interpreters."""

    def __init__(self, build: Build, layout: Layout, ready: Mapping[int, Ready]) -> None:
        self.inputs = layout.inputs
        self.outputs = layout.outputs
        self.notes = layout.notes
        self._build: Build | None = build
        self._layout = layout
        self._names = [spec.name for spec in layout.inputs]
        self._ready: dict[tuple[Any, ...], Ready] = {(size,): interpreter for size, interpreter in ready.items()}

    def __enter__(self) -> InterpreterRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._build = None
        self._ready.clear()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        if self._build is None:
            raise RuntimeFailedError("the model has been closed", hint="run it inside its `with` block")
        if set(inputs) != set(self._names):
            raise RuntimeFailedError(f"the model takes {self._names}, not {list(inputs)}")
        arrays = [inputs[name] for name in self._names]
        n = len(arrays[0])
        try:
            pieces = [self._chunk(arrays, start, size) for start, size in self._chunks(n)]
            columns = (
                pieces[0] if len(pieces) == 1 else [np.concatenate(column) for column in zip(*pieces, strict=True)]
            )
            return {spec.name: column[:n] for spec, column in zip(self.outputs, columns, strict=True)}
        except (IndexError, RuntimeError, ValueError) as error:
            raise RuntimeFailedError(f"TensorFlow Lite failed on a batch of {n}: {reason(error)}") from error

    def _chunks(self, n: int) -> Iterator[tuple[int, int]]:
        """Yield the first row and the size of each chunk."""
        if self._layout.batch is not None:
            yield from ((start, self._layout.batch) for start in range(0, n, self._layout.batch))
            return
        start, size = 0, LARGEST
        while start < n:
            while size > n - start:
                size //= 2
            yield start, size
            start += size

    def _chunk(self, arrays: list[NDArray[Any]], start: int, size: int) -> list[NDArray[Any]]:
        rows = [_fill(array[start : start + size], size) for array in arrays]
        outputs = self._interpreter(rows, size)(rows)
        kept = [outputs[i] for i in self._layout.kept]
        if any(output.shape[:1] != (size,) for output in kept):
            shapes = [output.shape for output in kept]
            raise RuntimeError(f"{size} inputs gave outputs of the shapes {shapes}")
        return kept

    def _interpreter(self, rows: list[NDArray[Any]], size: int) -> Ready:
        layout = self._layout
        key = (size, *(rows[i].shape for i in layout.open_inputs))
        ready = self._ready.get(key)
        if ready is None:
            ready = self._build_for(rows)
            if len(self._ready) >= _MOST:
                del self._ready[next(iter(self._ready))]
            self._ready[key] = ready
        return ready

    def _build_for(self, rows: list[NDArray[Any]]) -> Ready:
        assert self._build is not None
        wrong = [
            f"{array.shape} for {spec}"
            for array, spec in zip(rows, self.inputs, strict=True)
            if len(array.shape) != len(spec.shape)
            or any(size not in {None, given} for given, size in zip(array.shape, spec.shape, strict=True))
        ]
        if wrong:
            raise ValueError(f"inputs of other shapes: {', '.join(wrong)}")
        shapes = [array.shape for array in rows]
        return self._build.ready(dict(zip(self._layout.indices, shapes, strict=True)))


def _fill(rows: NDArray[Any], size: int) -> NDArray[Any]:
    """Repeat the last row until there are `size`."""
    short = size - len(rows)
    return np.concatenate([rows, np.repeat(rows[-1:], short, axis=0)]) if short else rows
