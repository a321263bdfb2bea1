"""Earlier or later in the clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from dltf_speech.operators.pcm import change_each
from dltf_speech.operators.randomness import between, uniform_rows
from dltf_speech.operators.ranges import not_below
from dltf_speech.operators.transforms import transform
from dltf_speech.rate import DEFAULT_HZ, known_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Stream
    from dltf_speech.operators.pcm import Reals


def _leaves_something(_: object, attribute: Any, value: float) -> None:
    if not -1 < value < 1:
        raise ValueError(
            f"'{attribute.name}' must be above -1 and below 1, or all of the clip would be shifted out: {value}"
        )


def _a_fade(_: object, attribute: Any, value: float) -> None:
    if not (value == 0 or 0.25 <= value <= 1000):
        raise ValueError(f"'{attribute.name}' must be 0, for none, or from 0.25 to 1000 ms: {value}")


@frozen
class TimeShift:
    """A move by a drawn part of the clip, later where it is positive (DFlare, section 6.1; audiomentations' range).

    With `rollover`, what leaves the clip at one end comes in at the other; else silence comes in. The stitch is faded
    over `fade_ms`. The strength scales the move, in whole values; at least one value of the clip always stays in it.
    """

    min_shift: float = field(default=-0.5, validator=_leaves_something)  # of the clip's length
    max_shift: float = field(default=0.5, validator=[_leaves_something, not_below("min_shift")])
    rollover: bool = True
    fade_ms: float = field(default=5.0, validator=_a_fade)
    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        shift = between(uniform_rows(streams, 1)[:, 0], self.min_shift, self.max_shift)
        return {"shift_values": shift * samples.shape[1]}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        shifts = draws["shift_values"].tolist()
        most = samples.shape[1] - 1

        def move(row: int, clip: Reals, strength: float) -> Reals:
            values = max(-most, min(most, round(strength * shifts[row])))
            return self._moved(clip, values) if values else clip

        return change_each(samples, strengths, move)

    def amounts(self, draws: Draws, strengths: FloatArray) -> tuple[FloatArray, str]:
        """Return how far the sound moves, either way."""
        return abs(draws["shift_values"]) * strengths * 1000 / self.rate_hz, "ms"

    def _moved(self, clip: Reals, values: int) -> Reals:
        fade_s = self.fade_ms / 1000 if self.fade_ms * self.rate_hz >= 1000 else 0.0  # a fade of one value is none
        settings = {"shift_unit": "samples", "rollover": self.rollover, "fade_duration": fade_s}
        moved: Reals = transform("shift", "Shift", {"shift_amount": values}, **settings).apply(clip, self.rate_hz)
        return moved
