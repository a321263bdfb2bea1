"""From a runtime's tensor details to specs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from dltf.plugin import Quantisation, TensorSpec

NUMBERS = "biufc"  # numpy's kinds


def read_spec(detail: Mapping[str, Any], name: str, batch: int | None) -> TensorSpec:
    """Return the spec of one tensor whose first axis is the batch."""
    shape = open_shape(detail)
    return TensorSpec(name, (batch, *shape[1:]), np.dtype(detail["dtype"]).name, _quantisation(detail))


def open_shape(detail: Mapping[str, Any]) -> tuple[int | None, ...]:
    """Return the declared shape, None where the file leaves a size open."""
    signature = detail.get("shape_signature", ())
    sizes = signature if len(signature) else detail["shape"]
    return tuple(None if size < 0 else int(size) for size in sizes)


def unique(names: Iterable[str]) -> list[str]:
    """Return the names, those that are empty or taken numbered: `scores`, `scores_2`."""
    taken: list[str] = []
    for position, name in enumerate(names):
        wanted = name or f"tensor_{position}"
        count, chosen = 1, wanted
        while chosen in taken:
            count += 1
            chosen = f"{wanted}_{count}"
        taken.append(chosen)
    return taken


def _quantisation(detail: Mapping[str, Any]) -> Quantisation | None:
    scales = detail["quantization_parameters"]["scales"]
    if len(scales) != 1 or not scales[0] or np.dtype(detail["dtype"]).kind not in "iu":
        return None  # none, or (never seen on an input or output) one for each channel
    return Quantisation(float(scales[0]), int(detail["quantization_parameters"]["zero_points"][0]))
