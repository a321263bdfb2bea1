"""Which of a model's outputs a decoder reads."""

from __future__ import annotations

from collections.abc import Sequence

from dltf.plugin import MisfitError, TensorSpec


def pick_output(specs: Sequence[TensorSpec], name: str) -> TensorSpec:
    """Return the output of this name; an empty name is a model's only output."""
    named = {spec.name: spec for spec in specs}
    if name in named:
        return named[name]
    if not name and len(specs) == 1:
        return specs[0]
    have = ", ".join(f'"{spec.name}" ({spec})' for spec in specs)
    what = f'has no output "{name}"' if name else f"has {len(specs)} outputs"
    raise MisfitError(f"the model {what}", hint=f"set `output` to one of: {have}")
