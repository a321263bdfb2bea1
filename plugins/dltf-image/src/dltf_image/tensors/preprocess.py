"""The work itself: group, convert, resize, look up.

Everything up to the last step stays uint8; the last step is one look-up of every value in a table, which gives the same
bits whatever the batch, and is as fast as a copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.plugin import MisfitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dltf.plugin import Batch, IntArray, Sample, TensorSpec
    from dltf_image.tensors.plan import Plan


@frozen(eq=False)
class ImagePreprocess:
    """One variant's preparation of pictures, bound to one model input.

    Resizing is OpenCV's, on 8-bit grey levels (without anti-aliasing, except for "area"); grey is Rec. 601 luma, as
    Pillow computes it. Colours are converted before the size.
    """

    settings: Mapping[str, Any]
    _spec: TensorSpec
    _plan: Plan
    _table: NDArray[Any]  # [1 or channels, 256]

    def __call__(self, samples: Sequence[Sample]) -> list[tuple[IntArray, Mapping[str, NDArray[Any]]]]:
        """Return one group for each size that the model is given: one, unless it takes any size."""
        prepared: dict[tuple[int, ...], list[tuple[IntArray, Batch]]] = {}
        for rows, batch in _by_shape(samples):
            fitted = self._fitted(batch)
            prepared.setdefault(fitted.shape[1:], []).append((rows, fitted))
        return [self._tensor(parts) for parts in prepared.values()]

    def _fitted(self, batch: Batch) -> Batch:
        """Return pictures with the model's channels, in its order, and of its size."""
        shape = batch.shape[1:]
        height, width = self._plan.height or shape[0], self._plan.width or shape[1]
        if shape[2] != self._plan.channels and not self._plan.converts:
            asked = "grey" if self._plan.channels == 1 else "RGB"
            raise self._misfit(shape, "channels", f'add colour = "{asked}" to the model\'s input table to convert it')
        if shape[:2] != (height, width) and self._plan.resize is None:
            wish = f'resize = "bilinear" (with size = [{height}, {width}])'
            raise self._misfit(shape, "size", f"add {wish} to the model's input table to resize it")
        batch = _coloured(batch, self._plan.colour)
        if shape[:2] != (height, width):
            batch = _resized(batch, height, width, str(self._plan.resize))
        return batch

    def _tensor(self, parts: list[tuple[IntArray, Batch]]) -> tuple[IntArray, Mapping[str, NDArray[Any]]]:
        rows, batch = parts[0]
        if len(parts) > 1:
            rows = np.concatenate([part[0] for part in parts])
            batch = np.concatenate([part[1] for part in parts])
        return rows, {self._spec.name: _looked_up(batch, self._table, self._plan.layout)}

    def _misfit(self, shape: tuple[int, ...], what: str, hint: str) -> MisfitError:
        sizes = "×".join(map(str, shape))
        return MisfitError(f"a picture of {sizes} does not fit {self._spec}: its {what} differs", hint=hint)


def _by_shape(samples: Sequence[Sample]) -> list[tuple[IntArray, Batch]]:
    shapes = {sample.shape for sample in samples}
    if len(shapes) == 1:
        return [(np.arange(len(samples)), np.array(samples))]
    rows: dict[tuple[int, ...], list[int]] = {}
    for row, sample in enumerate(samples):
        rows.setdefault(sample.shape, []).append(row)
    return [(np.array(group), np.array([samples[row] for row in group])) for group in rows.values()]


def _coloured(batch: Batch, colour: str) -> Batch:
    if batch.shape[3] == 1:
        return batch if colour == "grey" else batch.repeat(3, axis=3)
    if colour == "grey":
        weighted = batch.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32)
        return ((weighted + 0x8000) >> 16).astype(np.uint8)[..., np.newaxis]
    return batch if colour == "RGB" else batch[..., ::-1]


def _resized(batch: Batch, height: int, width: int, how: str) -> Batch:
    import cv2

    method = {
        "nearest": cv2.INTER_NEAREST,
        "bilinear": cv2.INTER_LINEAR,
        "bicubic": cv2.INTER_CUBIC,
        "area": cv2.INTER_AREA,
    }[how]
    resized = [cv2.resize(np.ascontiguousarray(picture), (width, height), interpolation=method) for picture in batch]
    return np.stack(resized).reshape(len(batch), height, width, batch.shape[3])


def _looked_up(batch: Batch, table: NDArray[Any], layout: str) -> NDArray[Any]:
    """Return every value's entry in its channel's table, C-contiguous, in the table's dtype."""
    import cv2

    pixels = np.ascontiguousarray(batch.transpose(0, 3, 1, 2) if layout == "NCHW" else batch)
    entries = table.view(np.uint16) if table.dtype == np.float16 else table  # OpenCV looks up no float16
    if len(table) == 1:
        found: Any = cv2.LUT(pixels.reshape(len(pixels), -1), entries[0])
    elif layout == "NHWC":
        found = cv2.LUT(pixels.reshape(-1, pixels.shape[2], len(table)), np.ascontiguousarray(entries.T)[np.newaxis])
    else:
        planes = pixels.reshape(len(pixels), len(table), -1)
        found = np.empty(planes.shape, entries.dtype)
        for channel, entry in enumerate(entries):
            found[:, channel] = cv2.LUT(planes[:, channel], entry)
    tensor: NDArray[Any] = found.view(table.dtype).reshape(pixels.shape)
    return tensor
