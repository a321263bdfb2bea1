"""What time stretching and pitch shifting share: the methods, and clips that are shorter than a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from attrs import validators

from dltf_speech.operators.pcm import padded

if TYPE_CHECKING:
    from dltf_speech.operators.pcm import Reals

Method = Literal["signalsmith", "phase_vocoder"]

known_method = validators.in_(get_args(Method))

TRANSFORM_METHODS = {"signalsmith": "signalsmith_stretch", "phase_vocoder": "librosa_phase_vocoder"}

_FRAME = 2048  # values: librosa's, which warns of clips that are shorter; Signalsmith's stretch takes any


def whole_frame(clip: Reals, method: Method) -> Reals:
    """Return the clip, with silence after it where the method wants more than it has."""
    return padded(clip, _FRAME) if method == "phase_vocoder" else clip
