"""The image domain: what the host has to know of pictures."""

from __future__ import annotations

from typing import ClassVar

from attrs import field, frozen

from dltf_image.codec import PngCodec
from dltf_image.geometry import ImageGeometry
from dltf_image.preview import ImagePreview
from dltf_image.tensors.bind import ImageTensors


@frozen
class ImageDomain:
    """Pictures: a sample is uint8 [height, width, channels], with 1 channel (grey) or 3 (RGB). No settings."""

    preset: ClassVar[str] = "image.natural"  # of a comparison that names no operators

    codec: PngCodec = field(factory=PngCodec, init=False)
    tensors: ImageTensors = field(factory=ImageTensors, init=False)
    geometry: ImageGeometry = field(factory=ImageGeometry, init=False)
    preview: ImagePreview = field(factory=ImagePreview, init=False)
