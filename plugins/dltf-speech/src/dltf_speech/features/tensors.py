"""From settings and a model's input to the preparation of its clips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from dltf.plugin import MisfitError, only_input
from dltf_speech.features.plan import plan
from dltf_speech.features.settings import SpeechInput
from dltf_speech.features.spectrum import features
from dltf_speech.features.suggest import suggest
from dltf_speech.features.waveform import misfit_of_length, waveforms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dltf.plugin import FloatArray, IntArray, Sample, Suggestion, TensorSpec
    from dltf_speech.features.plan import Plan


@frozen
class Features:
    """Clips of one rate → tensors, under the settings of `[models.*.input]`."""

    rate_hz: int = 16000
    settings: type[SpeechInput] = field(default=SpeechInput, init=False)

    def bind(self, specs: Sequence[TensorSpec], settings: SpeechInput) -> ClipPreprocess:
        """Return the preparation for the one input; raise `MisfitError` where file and settings do not go together."""
        spec = only_input(specs)
        planned = plan(spec, settings, self.rate_hz)
        return ClipPreprocess(planned.record(), spec, planned)

    def suggest(
        self, specs: Sequence[TensorSpec], settings: SpeechInput, samples: Sequence[Sample]
    ) -> Sequence[Suggestion]:
        """Return ways to fill in what is unset, the likeliest first."""
        return suggest(only_input(specs), settings, samples, self.rate_hz)


@frozen(eq=False)
class ClipPreprocess:
    """One variant's preparation of clips, bound to one model input: one group for each length that the model is given.

    A clip's tensor is the same, bit for bit, whatever it is prepared with.
    """

    settings: Mapping[str, Any]
    _spec: TensorSpec
    _plan: Plan

    def __call__(self, samples: Sequence[Sample]) -> list[tuple[IntArray, Mapping[str, NDArray[Any]]]]:
        by_length: dict[int, list[int]] = {}
        for row, sample in enumerate(samples):
            by_length.setdefault(len(sample), []).append(row)
        prepared: dict[int, list[tuple[IntArray, FloatArray]]] = {}
        for rows in by_length.values():
            sound = waveforms(np.stack([samples[row] for row in rows]), self._plan)
            prepared.setdefault(sound.shape[1], []).append((np.array(rows, dtype=np.int64), sound))
        return [self._tensor(parts) for parts in prepared.values()]

    def _tensor(self, parts: list[tuple[IntArray, FloatArray]]) -> tuple[IntArray, Mapping[str, NDArray[Any]]]:
        rows = np.concatenate([rows for rows, _ in parts])
        sound = np.concatenate([sound for _, sound in parts])
        values = sound[:, :, None] if self._plan.kind == "waveform" else features(sound, self._plan)
        self._check(sound.shape[1], values.shape[1])
        return rows, {self._spec.name: self._laid_out(values)}

    def _check(self, samples: int, frames: int) -> None:
        """Raise `MisfitError` where the model takes another number of frames."""
        planned, layout = self._plan, self._plan.layout
        axis = 1 if layout == "flat" else layout.index("T")
        wanted = self._spec.shape[axis]
        steps = frames * planned.width if layout == "flat" else frames
        if wanted in (None, steps):
            return
        if planned.kind == "waveform":
            raise misfit_of_length(samples, wanted, planned, 'short = "pad_end", long = "cut_end"')
        count = wanted // planned.width if layout == "flat" else wanted
        least = (count - 1) * planned.hop + (planned.frame if planned.wants.centring == "none" else 0)
        raise MisfitError(
            f"a clip of {samples} samples at {planned.rate_hz} Hz makes {frames} frames; {self._spec} takes {count}",
            hint=f"frames begin every {planned.hop} samples (hop_samples); with samples = {least}, "
            'short = "pad_end" and long = "cut_end" each clip makes that many',
        )

    def _laid_out(self, values: FloatArray) -> NDArray[Any]:
        """Return [n, time, features] in the model's layout and dtype, C-contiguous."""
        layout = self._plan.layout
        if layout == "flat":
            return values.reshape(len(values), -1).astype(self._plan.dtype)
        axes = ["NTF".index(axis) for axis in layout if axis != "C" and (axis != "F" or values.ndim == 3)]
        if self._plan.kind == "waveform":
            values, axes = values[:, :, 0], [0, 1]
        tensor = values.transpose(axes)
        if "C" in layout:
            tensor = np.expand_dims(tensor, layout.index("C"))
        return np.ascontiguousarray(tensor, dtype=self._plan.dtype)
