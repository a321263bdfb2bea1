"""Sets of operators that happen to pictures by themselves, and leave what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from dltf_image.operators.brightness import Brightness
from dltf_image.operators.contrast import Contrast
from dltf_image.operators.defocus_blur import DefocusBlur
from dltf_image.operators.gamma import Gamma
from dltf_image.operators.gaussian_noise import GaussianNoise
from dltf_image.operators.haze import Haze
from dltf_image.operators.jpeg_compression import JpegCompression
from dltf_image.operators.motion_blur import MotionBlur
from dltf_image.operators.occlusion import Occlusion
from dltf_image.operators.rotation import Rotation
from dltf_image.operators.scale import Scale
from dltf_image.operators.shear import Shear
from dltf_image.operators.translation import Translation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dltf.plugin import MutationOperator

_SENSOR_VARIANCE = 36.0  # squared grey levels: a sigma of 6, as of a small sensor indoors


@frozen
class Photographic:
    """Light, lens, sensor and file: changes of tone and sharpness, each with its defaults; clipped noise of sigma 6."""

    def operators(self) -> Mapping[str, MutationOperator]:
        """Return the operators by name, in a fixed order."""
        return {
            "image.brightness": Brightness(),
            "image.contrast": Contrast(),
            "image.gamma": Gamma(),
            "image.haze": Haze(),
            "image.defocus_blur": DefocusBlur(),
            "image.motion_blur": MotionBlur(),
            "image.gaussian_noise": GaussianNoise(variance=_SENSOR_VARIANCE, overflow="clip"),
            "image.jpeg_compression": JpegCompression(),
        }


@frozen
class Geometric:
    """Where the camera stood: rotation, translation, scale and shear, each with its defaults."""

    def operators(self) -> Mapping[str, MutationOperator]:
        """Return the operators by name, in a fixed order."""
        return {
            "image.rotation": Rotation(),
            "image.translation": Translation(),
            "image.scale": Scale(),
            "image.shear": Shear(),
        }


@frozen
class Natural:
    """The photographic and the geometric changes, and occlusion."""

    def operators(self) -> Mapping[str, MutationOperator]:
        """Return the operators by name, in a fixed order."""
        return {**Photographic().operators(), **Geometric().operators(), "image.occlusion": Occlusion()}


@frozen
class Wide:
    """Six changes so strong that most pictures lose their answer on the way: the ends of paths.

    Noise, rotation, defocus, contrast, haze and occlusion, for the strategy `bracket`, which goes back along the
    strength of a change to where the answers part.
    """

    def operators(self) -> Mapping[str, MutationOperator]:
        """Return the operators by name, in a fixed order."""
        return {
            "image.gaussian_noise": GaussianNoise(variance=10_000.0, overflow="clip"),
            "image.rotation": Rotation(max_angle_deg=180.0),
            "image.defocus_blur": DefocusBlur(max_radius=0.4),
            "image.contrast": Contrast(max_factor=50.0),
            "image.haze": Haze(max_density=1.0),
            "image.occlusion": Occlusion(max_side=0.9),
        }
