"""The speech domain: what the host has to know of clips."""

from __future__ import annotations

from typing import ClassVar

from attrs import Factory, field, frozen

from dltf_speech.codec import WavCodec
from dltf_speech.features.tensors import Features
from dltf_speech.geometry import SpeechGeometry
from dltf_speech.preview import SpeechPreview
from dltf_speech.rate import DEFAULT_HZ, known_rate


@frozen
class SpeechDomain:
    """Clips: a sample is int16 [length], mono. All clips of a campaign are of one rate."""

    preset: ClassVar[str] = "speech.natural"  # of a comparison that names no operators

    rate_hz: int = field(default=DEFAULT_HZ, validator=known_rate)

    codec: WavCodec = field(default=Factory(lambda domain: WavCodec(domain.rate_hz), takes_self=True), init=False)
    tensors: Features = field(default=Factory(lambda domain: Features(domain.rate_hz), takes_self=True), init=False)
    geometry: SpeechGeometry = field(
        default=Factory(lambda domain: SpeechGeometry(domain.rate_hz), takes_self=True), init=False
    )
    preview: SpeechPreview = field(
        default=Factory(lambda domain: SpeechPreview(domain.rate_hz), takes_self=True), init=False
    )
