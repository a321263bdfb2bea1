"""Clips ↔ WAV files."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen

from dltf.plugin import SeedError
from dltf_speech.rate import DEFAULT_HZ, known_rate
from dltf_speech.riff import PCM, WavHeader, read_header

if TYPE_CHECKING:
    from dltf.plugin import Sample

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_AGAIN = "the sound files of a campaign are 16-bit PCM, mono; a seed source reads other ones, and converts them"


@frozen
class WavCodec:
    """WAV: 16-bit PCM, mono, of one rate."""

    suffix: str = field(default=".wav", init=False)
    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)

    def encode(self, sample: Sample) -> bytes:
        data = np.ascontiguousarray(sample, dtype="<i2").tobytes()
        told = (b"fmt ", 16, PCM, 1, self.rate_hz, 2 * self.rate_hz, 2, 16)
        return _HEADER.pack(b"RIFF", 36 + len(data), b"WAVE", *told, b"data", len(data)) + data

    def decode(self, data: bytes) -> Sample:
        header = read_header(io.BytesIO(data), len(data))
        if header is None:
            raise SeedError(f"these {len(data)} bytes are no WAV file with sound in it", hint=_AGAIN)
        self._check(header)
        values = np.frombuffer(data, "<i2", count=header.present // 2, offset=header.begins)
        return values.astype(np.int16)

    def _check(self, header: WavHeader) -> None:
        form = (header.encoding, header.channels, header.bits)
        if form != (PCM, 1, 16):
            what = f"format {header.encoding}, {header.channels} channels of {header.bits} bits"
            raise SeedError(f"the WAV data are {what}, not 16-bit PCM (format {PCM}), mono", hint=_AGAIN)
        if header.rate_hz != self.rate_hz:
            raise SeedError(
                f"the clip was recorded at {header.rate_hz} Hz, and the campaign's clips at {self.rate_hz} Hz",
                hint=f"set rate_hz = {header.rate_hz} in [domain], or resample the clip",
            )
        if header.truncated:
            told = f"the header states {header.stated} bytes of sound, and {header.present} are there"
            raise SeedError(f"the WAV data are truncated: {told}", hint="copy the file again")
        if header.present < 2:
            raise SeedError("the WAV data hold no sound: their length is 0", hint="leave this clip out")
        if header.present % 2:
            raise SeedError(f"the WAV data end amid a value: {header.present} bytes of 16-bit sound", hint=_AGAIN)
