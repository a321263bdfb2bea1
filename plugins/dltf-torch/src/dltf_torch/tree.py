"""Names for the tensors in what a model returns: keys of dictionaries, fields of named tuples, else positions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]


def name(path: Path) -> str:
    """Return "logits" for a key or field, "output_0" for a position, "logits.1" for one inside the other."""
    if not path or isinstance(path[0], int):
        path = (f"output_{path[0] if path else 0}", *path[1:])
    return ".".join(map(str, path))


def flatten(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield what stands at each place of a model's answer."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flatten(inner, (*path, str(key)))
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        for key, inner in zip(value._fields, value, strict=True):
            yield from flatten(inner, (*path, key))
    elif isinstance(value, (tuple, list)):
        for position, inner in enumerate(value):
            yield from flatten(inner, (*path, position))
    else:
        yield path, value


def leaves(spec: Mapping[str, Any], fields: Mapping[str, Sequence[str]], path: Path = ()) -> Iterator[Path]:
    """Yield the place of each leaf in a tree that torch.export has written down."""
    if spec["type"] is None:
        yield path
        return
    children = spec["children_spec"]
    for key, child in zip(_keys(spec, len(children), fields), children, strict=True):
        yield from leaves(child, fields, (*path, key))


def _keys(spec: Mapping[str, Any], size: int, fields: Mapping[str, Sequence[str]]) -> list[str | int]:
    if spec["type"] in fields:
        return list(fields[spec["type"]])
    if spec["type"] in {"builtins.dict", "collections.OrderedDict"}:
        return [str(key) for key in json.loads(spec["context"])]
    return list(range(size))
