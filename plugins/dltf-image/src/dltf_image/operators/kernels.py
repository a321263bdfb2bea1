"""What the blurs share: a size drawn for each sample, and a filter run picture by picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dltf_image.operators.randomness import below, uniform_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dltf.plugin import Batch, Draws, IntArray, Sample, Stream


def any_sizes(_: object, attribute: Any, sizes: tuple[int, ...]) -> None:
    """Check a list of kernel sizes."""
    if not sizes or min(sizes) < 1 or max(sizes) > 255:
        raise ValueError(f"'{attribute.name}' must be one or more sizes from 1 to 255 pixels: {list(sizes)}")


def odd_sizes(owner: object, attribute: Any, sizes: tuple[int, ...]) -> None:
    """Check a list of kernel sizes that have a middle."""
    any_sizes(owner, attribute, sizes)
    if any(size % 2 == 0 for size in sizes):
        raise ValueError(f"'{attribute.name}' must be odd sizes, such as [1, 3, 5]: {list(sizes)}")


def draw_sizes(sizes: Sequence[int], streams: Sequence[Stream]) -> Draws:
    """Draw one of the sizes for each sample, all equally likely."""
    choice = below(uniform_rows(streams, 1)[:, 0], len(sizes))
    return {"kernel": np.asarray(sizes, np.int64)[choice]}


def filter_each(samples: Batch, sizes: IntArray, blur: Callable[[Sample, int], Any]) -> Batch:
    """Return every sample blurred with its own size; size 1 leaves it as it is."""
    blurred = samples.copy()
    for row, size in enumerate(sizes.tolist()):
        if size > 1:
            blurred[row] = blur(samples[row], size).reshape(samples.shape[1:])
    return blurred
