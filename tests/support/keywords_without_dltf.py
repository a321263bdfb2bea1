"""Judge exported clips with plain LiteRT: `python keywords_without_dltf.py MANIFEST REFERENCE.tflite CANDIDATE.tflite`.

The front end is MLPerf Tiny's, written down from its description. Prints how many clips get the labels that the
manifest tells and which do not, with their best two scores; exits with 1 unless all deviate as told. Imports no dltf.
"""

from __future__ import annotations

import json
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

RATE_HZ, WINDOW, HOP, FFT, BANDS, KEPT = 16000, 480, 320, 512, 40, 10


def read(file: Path) -> Any:
    """Return a clip, its largest value at 1, cut or filled up with silence to one second."""
    with wave.open(str(file), "rb") as clip:
        assert (clip.getnchannels(), clip.getsampwidth(), clip.getframerate()) == (1, 2, RATE_HZ)
        sound = np.frombuffer(clip.readframes(clip.getnframes()), dtype="<i2").astype(float)
    if sound.max() > 0:
        sound /= sound.max()
    second = np.zeros(RATE_HZ)
    second[: len(sound)] = sound[:RATE_HZ]
    return second


def mel(hertz: Any) -> Any:
    return 1127 * np.log1p(hertz / 700)


def triangles() -> Any:
    """Return the weight of each bin in each band: 40 triangles over mels, from 20 to 4000 Hz."""
    places, peaks = mel(np.fft.rfftfreq(FFT, 1 / RATE_HZ)), np.linspace(mel(20), mel(4000), BANDS + 2)
    weights = [np.interp(places, peaks[band : band + 3], [0, 1, 0]) for band in range(BANDS)]
    return np.transpose(weights)


def cepstra(sound: Any) -> Any:
    """Return [1, 49, 10, 1]: Hann windows, magnitudes, bands, their logarithms, and the first ten of a DCT-II."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    starts = range(0, len(sound) - WINDOW + 1, HOP)
    magnitudes = np.abs([np.fft.fft(sound[start : start + WINDOW] * window, FFT)[: FFT // 2 + 1] for start in starts])
    logs = np.log(magnitudes @ triangles() + 1e-6)
    waves = [np.cos(np.pi * order * (np.arange(BANDS) + 0.5) / BANDS) for order in range(KEPT)]
    return (logs @ np.transpose(waves) * np.sqrt(2 / BANDS))[None, :, :, None]


class Model:
    """One file, run on one clip at a time."""

    def __init__(self, file: str) -> None:
        self._interpreter = Interpreter(file, num_threads=1)
        self._interpreter.allocate_tensors()
        [self._takes], [self._gives] = self._interpreter.get_input_details(), self._interpreter.get_output_details()

    def scores(self, values: Any) -> Any:
        scale, zero = self._takes["quantization"]
        if scale:
            values = np.clip(np.rint(values / scale) + zero, -128, 127)
        self._interpreter.set_tensor(self._takes["index"], values.astype(self._takes["dtype"]))
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._gives["index"])[0]


def main(manifest: Path, *files: str) -> int:
    models = [Model(file) for file in files]
    findings = json.loads(manifest.read_text(encoding="utf-8"))["findings"]
    deviating = 0
    for finding in findings:
        values = cepstra(read(manifest.parent / finding["finding"]))
        scores = [model.scores(values) for model in models]
        heard = [int(one.argmax()) for one in scores]
        told = [finding[role]["decision"] for role in ("reference", "candidate")]
        if heard == told and heard[0] != heard[1]:
            deviating += 1
        else:
            print(f"{finding['finding']}: {heard}, told {told}; {[np.sort(one)[-2:].tolist() for one in scores]}")
    assert not any(name.split(".")[0].startswith("dltf") for name in sys.modules)
    print(f"{deviating} of {len(findings)} deviate")
    return 0 if findings and deviating == len(findings) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
