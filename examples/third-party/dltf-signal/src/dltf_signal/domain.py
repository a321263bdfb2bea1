"""The domain: one-dimensional signals of any length, float32 [length]."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from attrs import frozen

from dltf_signal.codec import Column
from dltf_signal.tensors import Channel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.plugin import Batch, FloatArray, IntArray, Sample, Stream


class Amplitudes:
    """How much the values of two signals differ; beyond its end a signal is silent."""

    units: ClassVar[Mapping[str, str]] = MappingProxyType({"rms": "amplitude", "max": "amplitude"})
    across_shapes: ClassVar[bool] = True  # signals of different lengths can be mixed and compared

    def distances(self, seeds: Sequence[Sample], mutants: Sequence[Sample]) -> Mapping[str, FloatArray]:
        changes = [_change(seed, mutant) for seed, mutant in zip(seeds, mutants, strict=True)]
        return {
            "rms": _each(changes, lambda change: np.sqrt(np.mean(change**2))),
            "max": _each(changes, lambda change: np.max(np.abs(change))),
        }

    # What follows lets a search go along paths, and findings be shrunk and amplified; a domain may leave it out.

    def interpolate(self, seeds: Batch, partners: Batch, t: FloatArray) -> list[Sample]:
        length, share = max(seeds.shape[1], partners.shape[1]), t[:, None]
        mixed = ((1 - share) * _lengthened(seeds, length) + share * _lengthened(partners, length)).astype(np.float32)
        ends = {0.0: seeds, 1.0: partners}
        return [ends[at][row] if at in ends else mixed[row] for row, at in enumerate(t.tolist())]

    def embed(self, samples: Batch) -> NDArray[np.float32]:
        spectrum = np.abs(np.fft.rfft(samples, axis=1)) ** 2 / samples.shape[1]
        bands = np.array_split(spectrum, 8, axis=1)
        return np.stack([band.mean(axis=1) for band in bands], axis=1).astype(np.float32)

    def rounded(self, values: FloatArray, rounding: FloatArray | float) -> Batch:
        return values.astype(np.float32)

    def size(self, changes: FloatArray) -> FloatArray:
        return np.asarray(np.sqrt(np.mean(changes**2, axis=1)))

    def parts(self, shape: tuple[int, ...], shifted: bool) -> IntArray:
        length = -(-shape[0] // 16)
        return (np.arange(shape[0]) + (length // 2 if shifted else 0)) // length

    def patch(self, shape: tuple[int, ...], stream: Stream) -> FloatArray:
        length = max(1, shape[0] // 16)
        start = int(stream.integers(shape[0] - length + 1))
        drawn = np.zeros(shape)
        drawn[start : start + length] = 0.1 * stream.standard_normal(length)
        return drawn


class Plot:
    """The seed in grey, the mutant in blue over it."""

    suffix: ClassVar[str] = ".svg"

    def render(self, seed: Sample, mutant: Sample) -> bytes:
        top = max(float(np.abs(seed).max()), float(np.abs(mutant).max()), 1e-6)
        curves = "".join(_curve(signal, top, colour) for signal, colour in ((seed, "#999"), (mutant, "#06c")))
        size = max(len(seed), len(mutant))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -50 {size} 100" width="640" height="160" '
            f'preserveAspectRatio="none">{curves}</svg>\n'
        ).encode()


@frozen
class Signal:
    """One-dimensional signals of any length."""

    codec: ClassVar[Column] = Column()
    tensors: ClassVar[Channel] = Channel()
    geometry: ClassVar[Amplitudes] = Amplitudes()
    preview: ClassVar[Plot] = Plot()


def _lengthened(signals: Batch, length: int) -> Batch:
    return np.pad(signals, [(0, 0), (0, length - signals.shape[1])])


def _change(seed: Sample, mutant: Sample) -> FloatArray:
    length = max(len(seed), len(mutant))
    ours, theirs = (_lengthened(one[np.newaxis], length)[0].astype(np.float64) for one in (seed, mutant))
    return np.asarray(ours - theirs)


def _each(changes: Sequence[FloatArray], measure: Callable[[FloatArray], float]) -> FloatArray:
    return np.fromiter((measure(change) for change in changes), dtype=np.float64, count=len(changes))


def _curve(signal: Sample, top: float, colour: str) -> str:
    points = " ".join(f"{place},{-48 * value / top:.2f}" for place, value in enumerate(signal.tolist()))
    return f'<polyline fill="none" stroke="{colour}" vector-effect="non-scaling-stroke" points="{points}"/>'
