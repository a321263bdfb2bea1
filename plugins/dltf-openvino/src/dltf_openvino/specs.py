"""From a model's ports to specs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from dltf.plugin import Quantisation, TensorSpec

_DTYPES = {
    "boolean": "bool",
    "f16": "float16",
    "f32": "float32",
    "f64": "float64",
    "i8": "int8",
    "i16": "int16",
    "i32": "int32",
    "i64": "int64",
    "u8": "uint8",
    "u16": "uint16",
    "u32": "uint32",
    "u64": "uint64",
}
_SINK = "/sink_port_0"


def read_specs(ports: Sequence[Any], declared: Mapping[str, Quantisation]) -> list[TensorSpec | None]:
    """Return a spec for each port; None where no numpy type fits, or the number of axes is open."""
    names = _unique(_name(port) for port in ports)
    return [_spec(port, name, declared) for port, name in zip(ports, names, strict=True)]


def sizes(port: Any) -> tuple[int | None, ...]:
    """Return the shape, None where a size is open."""
    return tuple(size.get_length() if size.is_static else None for size in port.get_partial_shape())


def _spec(port: Any, name: str, declared: Mapping[str, Quantisation]) -> TensorSpec | None:
    dtype = _DTYPES.get(port.get_element_type().get_type_name())
    if dtype is None or port.get_partial_shape().rank.is_dynamic:
        return None
    quantisation = declared.get(name) if np.dtype(dtype).kind in "iu" else None
    return TensorSpec(name, sizes(port), dtype, quantisation)


def _name(port: Any) -> str:
    """Return the name that the source model had for it; a tensor may have several."""
    own = str(port.get_node().get_friendly_name()).removesuffix(_SINK)
    names = sorted(port.get_names())
    return own if own in names or not names else str(names[0])


def _unique(names: Iterable[str]) -> list[str]:
    taken: list[str] = []
    for name in names:
        count, chosen = 1, name
        while chosen in taken:
            count += 1
            chosen = f"{name}_{count}"
        taken.append(chosen)
    return taken
