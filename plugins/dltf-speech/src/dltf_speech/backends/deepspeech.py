"""Mozilla DeepSpeech 0.7 to 0.9 (0.9.3 and 0.8.2 are those of DFlare's speech study), from their `.tflite` files.

The files could not be had where this was built: it is made to the interface that the project documents in its sources
(training/deepspeech_training/train.py and native_client of github.com/mozilla/DeepSpeech), and tested on a small graph
of the same signature that runs the same feature kernels. The released files themselves have not been run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import RuntimeFailedError, Target, TensorSpec
from dltf_speech.backends import litert
from dltf_speech.backends.clips import check_rate, clips_of, ctc_settings, in_unit_range

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

    from dltf_speech.backends.clips import Floats
    from dltf_speech.backends.deepspeech_graph import Parts

OUTPUT = "logits"


@frozen
class DeepSpeech:
    """Runs DeepSpeech's graph as its client does, clip by clip: features, then 16 windows at a time, state kept.

    It takes clips as they are. The output is the graph's own `logits`, float32 [n, windows, 29], which are
    probabilities (the graph ends in a softmax) of a space, a to z, an apostrophe and the blank, in this order: for the
    decoder `ctc`. There is a window for each 20 ms, and one for what is left; beyond the clip there is silence.
    """

    rate_hz: int = field(default=16000, validator=validators.gt(0))  # of the clips; the graph says which it takes
    threads: int = field(default=1, validator=validators.ge(1))

    suffixes: ClassVar[tuple[str, ...]] = ()  # .tflite is what other graphs are called, too: it is asked for by name

    def targets(self) -> Sequence[Target]:
        return litert.targets()

    def open(self, file: Path, target: str) -> DeepSpeechRunner:
        from dltf_speech.backends.deepspeech_graph import open_parts

        parts = open_parts(file, litert.resolver(target), self.threads)
        check_rate(file, parts.rate_hz, self.rate_hz)
        return DeepSpeechRunner(parts)

    def versions(self) -> Mapping[str, str]:
        return litert.version()


class DeepSpeechRunner:
    """An open DeepSpeech graph; leaving its block lets go of its interpreters."""

    inputs: tuple[TensorSpec, ...] = ()

    def __init__(self, parts: Parts) -> None:
        self.outputs: tuple[TensorSpec, ...] = (TensorSpec(OUTPUT, (None, None, parts.classes), "float32"),)
        self.notes: tuple[str, ...] = ("the model takes one clip at a time: one by one",)
        if parts.alphabet is not None:
            self.notes += (ctc_settings(parts.alphabet, "last"),)
        self._parts: Parts | None = parts

    def __enter__(self) -> DeepSpeechRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parts = None

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        if self._parts is None:
            raise RuntimeFailedError("the model has been closed", hint="run it inside its `with` block")
        parts = self._parts
        clips = in_unit_range(clips_of(inputs))
        heard = [_probabilities(parts, _features(parts, clip)) for clip in clips]
        windows = len(windows_of(np.zeros(clips.shape[1], dtype=np.float32), parts.window, parts.step))
        return {OUTPUT: np.stack(heard) if heard else np.zeros((0, windows, parts.classes), dtype=np.float32)}


def windows_of(clip: Floats, window: int, step: int) -> Floats:
    """Return the windows [k, window] that features are taken of, as the streaming client cuts them.

    Each full window, a step apart, and then what the client's buffer still holds: at least the part that the next
    window would share with the last one, filled up with zeros. (Mozilla's TFLite client leaves in the rest of the last
    one whatever its memory holds; its TensorFlow client has zeros.)
    """
    full = (len(clip) - window) // step + 1 if len(clip) >= window else 0
    filled = np.zeros(full * step + window, dtype=np.float32)
    rest = min(len(clip), len(filled))
    filled[:rest] = clip[:rest]
    return np.stack([filled[start : start + window] for start in range(0, full * step + 1, step)])


def _features(parts: Parts, clip: Floats) -> Floats:
    """Return the cepstral coefficients of each window, [k, coefficients], by the graph's own kernels."""
    windows = windows_of(clip, parts.window, parts.step)
    rows = [parts.features(input_samples=window)["mfccs"].reshape(parts.coefficients) for window in windows]
    return np.stack(rows)


def _probabilities(parts: Parts, features: Floats) -> Floats:
    """Return [k, classes]: each window with its context (zeros beyond the clip), some at a time, the state kept."""
    k, width = len(features), 2 * parts.context + 1
    padded = np.pad(features, ((parts.context, parts.context), (0, 0)))
    in_context = np.stack([padded[start : start + width] for start in range(k)])
    state_c = state_h = np.zeros((1, parts.state), dtype=np.float32)
    pieces = []
    for start in range(0, k, parts.steps):
        some = in_context[start : start + parts.steps]
        filled = np.zeros((1, parts.steps, width, parts.coefficients), dtype=np.float32)
        filled[0, : len(some)] = some
        answer = parts.acoustic(input_node=filled, previous_state_c=state_c, previous_state_h=state_h)
        state_c, state_h = answer["new_state_c"], answer["new_state_h"]
        pieces.append(answer[OUTPUT].reshape(parts.steps, parts.classes)[: len(some)])
    return np.concatenate(pieces)
