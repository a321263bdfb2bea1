"""From signals to the tensor of a model: one channel, grouped by length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import MisfitError, TensorSpec, only_input

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import IntArray, Sample


@frozen
class Input:
    """The table `[models.*.input]`."""

    gain: float = field(default=1.0, validator=validators.gt(0))  # what the amplitudes are multiplied by


class Channel:
    """Binds models whose input is [n, length, 1] or [n, 1, length]."""

    settings: ClassVar[type[Input]] = Input

    def bind(self, specs: Sequence[TensorSpec], settings: Input) -> Prepare:
        spec = only_input(specs)
        if len(spec.shape) != 3 or 1 not in spec.shape[1:]:
            raise MisfitError(
                f"the input {spec} takes no signals",
                hint="a model of signals takes float32[?×length×1] or [?×1×length]",
            )
        return Prepare(spec, settings)


class Prepare:
    """Scales signals, and stacks those of one length."""

    def __init__(self, spec: TensorSpec, settings: Input) -> None:
        self.settings: Mapping[str, Any] = attrs.asdict(settings)
        self._spec = spec
        self._channel = 2 if spec.shape[2] == 1 else 1
        self._length = spec.shape[3 - self._channel]
        self._gain = np.float32(settings.gain)

    def __call__(self, samples: Sequence[Sample]) -> Iterator[tuple[IntArray, dict[str, NDArray[Any]]]]:
        rows_of: dict[int, list[int]] = {}
        for row, sample in enumerate(samples):
            if self._length not in (None, len(sample)):
                raise MisfitError(f"a signal of length {len(sample)} does not fit the input {self._spec}")
            rows_of.setdefault(len(sample), []).append(row)
        for rows in rows_of.values():
            stacked = np.stack([samples[row] for row in rows]) * self._gain
            yield np.array(rows, dtype=np.int64), {self._spec.name: np.expand_dims(stacked, self._channel)}
