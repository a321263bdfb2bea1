"""Waveforms above log spectrograms, drawn with Pillow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf_speech.spectrum import levels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dltf.plugin import FloatArray

_WIDTH, _LEFT, _RIGHT = 900, 48, 12  # pixels
_TITLE, _WAVE, _SPECTRUM, _GAP, _AXIS = 22, 56, 104, 8, 40
_TEXT, _SMALL = 13, 12  # pixels, of letters
_INK, _FAINT, _PAPER = (40, 46, 56), (208, 213, 220), (255, 255, 255)
_RANGE_DB = 70.0  # from the brightest to black, or to where all is silence
_HEADROOM_DB = 10.0  # the loudest few are as bright as what is softer by this: speech is seen better
_LEAST_DB = 30.0
_COLOURS = 128  # of the file, which is a third of the size for it
_HEAT = (
    (0, 0, 0),
    (40, 11, 84),
    (101, 21, 110),
    (159, 42, 99),
    (212, 72, 66),
    (245, 125, 21),
    (250, 193, 39),
    (252, 255, 164),
)


@frozen(eq=False)
class Panel:
    """One sound, its title, the colour of its waveform, and by how much that is enlarged."""

    title: str
    sound: FloatArray
    colour: tuple[int, int, int]
    gain: int = 1


@frozen
class Plot:
    """Panels below each other, on a time axis of `length` samples; `peak` fills the height of a waveform."""

    rate_hz: int
    length: int
    peak: float

    def draw(self, panels: Sequence[Panel]) -> Any:
        """Return a Pillow picture."""
        from PIL import Image, ImageDraw

        each = _TITLE + _WAVE + _SPECTRUM + _GAP
        picture = Image.new("RGB", (_WIDTH, each * len(panels) + _AXIS), _PAPER)
        pen = ImageDraw.Draw(picture)
        measured = [levels(panel.sound, self.rate_hz) for panel in panels]
        top_db = max(_LEAST_DB, *(float(one.max()) for one in measured)) - _HEADROOM_DB
        for number, (panel, level) in enumerate(zip(panels, measured, strict=True)):
            top = number * each
            pen.text((_LEFT, top + 4), panel.title, fill=_INK, font=_font(_TEXT))
            self._wave(pen, panel, top + _TITLE)
            picture.paste(self._spectrum(level, top_db, len(panel.sound)), (_LEFT, top + _TITLE + _WAVE))
            self._kilohertz(pen, top + _TITLE + _WAVE)
        bottom = each * len(panels) - _GAP
        self._seconds(pen, bottom)
        told = f"spectrograms: one scale for all, {min(_RANGE_DB, top_db):.0f} dB from black to white"
        pen.text((_WIDTH - _RIGHT, bottom + 26), told, fill=_INK, font=_font(_SMALL), anchor="ra")
        return picture.quantize(_COLOURS)

    @property
    def _across(self) -> int:
        return _WIDTH - _LEFT - _RIGHT

    def _wave(self, pen: Any, panel: Panel, top: int) -> None:
        """Draw, for each column of pixels, what the sound reaches there."""
        middle, half = top + _WAVE // 2, _WAVE // 2 - 2
        pen.line([(_LEFT, middle), (_WIDTH - _RIGHT, middle)], fill=_FAINT)
        for column in range(self._columns(len(panel.sound))):
            first = column * self.length // self._across
            last = max(first + 1, -(-(column + 1) * self.length // self._across))
            part = panel.sound[first:last] * (panel.gain * half / self.peak)
            if len(part):
                ends = [(_LEFT + column, middle - round(float(end))) for end in (part.max(), part.min())]
                pen.line(ends, fill=panel.colour)

    def _spectrum(self, level: FloatArray, top_db: float, length: int) -> Any:
        """Return the picture of these levels [frames, bins], low frequencies at the bottom."""
        from PIL import Image

        share = np.clip(1 + (level.T[::-1] - top_db) / min(_RANGE_DB, top_db), 0, 1)
        grey = Image.fromarray(np.rint(share * 255).astype(np.uint8))
        shown = np.asarray(grey.resize((max(1, self._columns(length)), _SPECTRUM), Image.Resampling.BILINEAR))
        return Image.fromarray(_heat()[shown])

    def _kilohertz(self, pen: Any, top: int) -> None:
        half_khz = self.rate_hz / 2000
        bottom = top + _SPECTRUM - 1
        for mark in _marks(half_khz, 4):
            at = bottom - round(mark / half_khz * (_SPECTRUM - 1))
            pen.line([(_LEFT - 4, at), (_LEFT - 1, at)], fill=_INK)
            unit = " kHz" if mark == 0 else ""
            where = min(max(at, top + _SMALL // 2), bottom - _SMALL // 2)
            pen.text((_LEFT - 7, where), f"{mark:g}{unit}", fill=_INK, font=_font(_SMALL), anchor="rm")

    def _seconds(self, pen: Any, top: int) -> None:
        whole_s = self.length / self.rate_hz
        for mark in _marks(whole_s, 8):
            at = _LEFT + round(mark / whole_s * (self._across - 1))
            pen.line([(at, top), (at, top + 4)], fill=_INK)
            anchor = "la" if mark == 0 else "ra" if at > _WIDTH - 2 * _RIGHT else "ma"
            pen.text(
                (at, top + 7), f"{mark:g}{' s' if mark == 0 else ''}", fill=_INK, font=_font(_SMALL), anchor=anchor
            )

    def _columns(self, length: int) -> int:
        """Return how many columns of pixels a sound takes."""
        return -(-length * self._across // self.length)


def _marks(most: float, about: int) -> list[float]:
    """Return round numbers from 0 to `most`, `about` so many: steps of 1, 2 or 5 and a power of ten."""
    rough = most / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return [round(number * step, 10) for number in range(int(most / step * 1.000001) + 1)]


def _heat() -> NDArray[np.uint8]:
    """Return 256 colours, from black by purple and orange to light yellow."""
    places = np.linspace(0, 255, len(_HEAT))
    channels = [np.interp(np.arange(256), places, channel) for channel in zip(*_HEAT, strict=True)]
    colours: NDArray[np.uint8] = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    return colours


def _font(size: int) -> Any:
    """Return the font that Pillow brings along: none is asked of the machine."""
    from PIL import ImageFont

    return ImageFont.load_default(size)
