"""DFlare's sets of operators: what its paper lists, and what its release does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from dltf_image.operators.average_blur import AverageBlur
from dltf_image.operators.gaussian_blur import GaussianBlur
from dltf_image.operators.gaussian_noise import GaussianNoise
from dltf_image.operators.median_blur import MedianBlur
from dltf_image.operators.multiplicative_noise import MultiplicativeNoise
from dltf_image.operators.pixel_change import PixelChange
from dltf_image.operators.salt_and_pepper import SaltAndPepper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dltf.plugin import MutationOperator


@frozen
class DflareReleased:
    """The seven operators of DFlare's release (Tian et al., TOSEM 2023): noise wraps around at black and white."""

    def operators(self) -> Mapping[str, MutationOperator]:
        """Return the operators by name, in a fixed order."""
        return {
            "image.gaussian_noise": GaussianNoise(overflow="wrap"),
            "image.salt_and_pepper": SaltAndPepper(),
            "image.multiplicative_noise": MultiplicativeNoise(overflow="wrap"),
            "image.pixel_change": PixelChange(),
            "image.average_blur": AverageBlur(),
            "image.gaussian_blur": GaussianBlur(),
            "image.median_blur": MedianBlur(),
        }


@frozen
class DflarePaper:
    """The six operators of DFlare's table 3, with the release's ranges: noise is clipped at black and white."""

    def operators(self) -> Mapping[str, MutationOperator]:
        """Return the operators by name, in a fixed order."""
        return {
            "image.gaussian_noise": GaussianNoise(overflow="clip"),
            "image.multiplicative_noise": MultiplicativeNoise(overflow="clip"),
            "image.pixel_change": PixelChange(),
            "image.average_blur": AverageBlur(),
            "image.gaussian_blur": GaussianBlur(),
            "image.median_blur": MedianBlur(),
        }
