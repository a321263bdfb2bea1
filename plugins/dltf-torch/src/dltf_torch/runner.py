"""Running batches through an open model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.plugin import RuntimeFailedError
from dltf_torch.devices import runtime
from dltf_torch.reason import reason
from dltf_torch.rules import Rules, in_force

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

    from dltf_torch.network import Network


@frozen
class Manner:
    """How a model is run: where, under which rules, on how many threads, and in which precision."""

    device: Any
    rules: Rules
    threads: int
    precision: str

    def autocast(self) -> AbstractContextManager[Any]:
        """Let PyTorch choose which operators run in the lower precision, where there is one."""
        if self.precision == "float32":
            return nullcontext()
        torch = runtime()
        context: AbstractContextManager[Any] = torch.autocast(self.device.type, dtype=getattr(torch, self.precision))
        return context


class NetworkRunner:
    """An open model; leaving its block lets go of it."""

    def __init__(self, network: Network, manner: Manner, notes: tuple[str, ...]) -> None:
        self.inputs = network.inputs
        self.outputs = network.outputs
        self.notes = notes
        self._network: Network | None = network
        self._manner = manner

    def __enter__(self) -> NetworkRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._network = None

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        network = self._network
        if network is None:
            raise RuntimeFailedError("the model has been closed", hint="run it inside its `with` block")
        arrays, n = self._checked(inputs)
        try:
            with in_force(self._manner.rules, self._manner.threads), runtime().inference_mode():
                pieces = [
                    self._answers(network, [_fill(array[start : start + size], size) for array in arrays])
                    for start, size in network.sizes.chunks(n)
                ]
        except Exception as error:  # its exceptions have no common base
            raise RuntimeFailedError(f"PyTorch failed on a batch of {n}: {reason(error)}", hint=_cure(error)) from error
        columns = pieces[0] if len(pieces) == 1 else [np.concatenate(column) for column in zip(*pieces, strict=True)]
        answers = {spec.name: column[:n] for spec, column in zip(self.outputs, columns, strict=True)}
        for name, answer in answers.items():
            if answer.shape[:1] != (n,):
                raise RuntimeFailedError(
                    f'the model gave "{name}" the shape {answer.shape} for a batch of {n}',
                    hint="the first axis of every output has to be the batch",
                )
        return answers

    def _answers(self, network: Network, rows: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        torch = runtime()
        device = self._manner.device
        fed = [  # copied: what a model does to them is its own affair
            torch.tensor(array, dtype=dtype, device=device) for array, dtype in zip(rows, network.dtypes, strict=True)
        ]
        with self._manner.autocast():
            outputs = network.call(fed)
        dtypes = [getattr(torch, spec.dtype) for spec in self.outputs]
        return [
            tensor.detach().to("cpu", dtype, copy=True).contiguous().numpy()
            for tensor, dtype in zip(outputs, dtypes, strict=True)
        ]

    def _checked(self, inputs: Mapping[str, NDArray[Any]]) -> tuple[list[NDArray[Any]], int]:
        """Return the arrays in the model's order; they are refused here, where it can be said what was expected."""
        names = [spec.name for spec in self.inputs]
        if set(inputs) != set(names):
            raise RuntimeFailedError(f"the model takes {names}, not {list(inputs)}")
        arrays = [np.ascontiguousarray(inputs[name]) for name in names]
        n = len(arrays[0]) if arrays[0].ndim else 0
        for array, spec in zip(arrays, self.inputs, strict=True):
            fits = array.ndim == len(spec.shape) and all(
                told in {None, size} for told, size in zip(spec.shape[1:], array.shape[1:], strict=True)
            )
            if not fits or array.dtype != spec.dtype or len(array) != n:
                raise RuntimeFailedError(f"the model takes {spec}, not {array.dtype}{list(array.shape)}")
        return arrays, n


def _fill(rows: NDArray[Any], size: int) -> NDArray[Any]:
    """Repeat the last row until there are `size`."""
    short = size - len(rows)
    return np.concatenate([rows, np.repeat(rows[-1:], short, axis=0)]) if short > 0 else rows


def _cure(error: Exception) -> str:
    text = str(error)
    if "out of memory" in text or "can't allocate memory" in text or type(error).__name__ == "OutOfMemoryError":
        return 'give it fewer inputs at a time (campaign.batch), free memory of the device, or use target = "cpu"'
    if "deterministic" in text:
        return "deterministic = false allows operators whose sums depend on timing"
    if "on device" in text or "on the same device" in text:
        return "the model makes tensors on a device of its own: make them on that of its input"
    return ""
