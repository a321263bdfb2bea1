"""Saved as a JPEG file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import MisfitError
from dltf_image.operators.randomness import below, uniform_rows
from dltf_image.operators.strength import blend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Batch, Draws, FloatArray, Sample, Stream

_MAX_SIDE = 65_500  # pixels: libjpeg's own limit


def _not_below_min(operator: JpegCompression, attribute: Any, value: int) -> None:
    if value < operator.min_quality:
        raise ValueError(f"'{attribute.name}' must not be below min_quality, {operator.min_quality}: {value}")


@frozen
class JpegCompression:
    """What is left after a JPEG file of a drawn quality, each from min_quality to max_quality equally likely.

    Colour is stored at half the resolution (4:2:0), as cameras and the web do. Qualities are whole numbers, and a file
    of quality 100 is no copy either; so the strength blends the sample with what its file gives: 0 is the sample, and 1
    what the file gives.
    """

    min_quality: int = field(default=20, validator=[validators.ge(1), validators.le(100)])
    max_quality: int = field(default=90, validator=[validators.ge(1), validators.le(100), _not_below_min])

    def draw(self, samples: Batch, streams: Sequence[Stream]) -> Draws:
        steps = below(uniform_rows(streams, 1)[:, 0], self.max_quality - self.min_quality + 1)
        return {"quality": self.min_quality + steps}

    def apply(self, samples: Batch, draws: Draws, strengths: FloatArray) -> Batch:
        height, width = samples.shape[1:3]
        if max(height, width) > _MAX_SIDE:
            raise MisfitError(
                f"a picture of {height}×{width} cannot be a JPEG file, whose sides are {_MAX_SIDE:,} pixels at most",
                hint="leave out image.jpeg_compression, or smaller pictures",
            )
        full = np.empty_like(samples)
        for row, quality in enumerate(draws["quality"].tolist()):
            full[row] = _through_a_file(samples[row], quality)
        return blend(samples, full, strengths)


def _through_a_file(sample: Sample, quality: int) -> Sample:
    import cv2

    colour = sample.shape[2] == 3
    picture = sample[:, :, ::-1] if colour else sample  # OpenCV writes BGR
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done, "a picture of one or three channels can be written"
    read = cv2.imdecode(data, cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
    assert read is not None, "what was written can be read"
    return read[:, :, ::-1] if colour else read.reshape(sample.shape)
