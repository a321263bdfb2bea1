"""Samples ↔ PNG files."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from attrs import field, frozen

from dltf_image.pictures import read_picture, to_pillow

if TYPE_CHECKING:
    from dltf.plugin import Sample


@frozen
class PngCodec:
    """PNG, which loses nothing: one channel is a grey picture, three are RGB."""

    suffix: str = field(default=".png", init=False)

    def encode(self, sample: Sample) -> bytes:
        file = BytesIO()
        to_pillow(sample).save(file, "PNG")
        return file.getvalue()

    def decode(self, data: bytes) -> Sample:
        return read_picture(data, "the PNG data", formats=("PNG",))
