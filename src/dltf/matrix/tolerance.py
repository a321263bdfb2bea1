"""How far outputs may be apart before it counts as drift."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import asdict, field, frozen, validators

from dltf.errors import UsageError, nearest


@frozen
class Tolerance:
    """A value may be off by `absolute + relative × |reference| + of_range × range of the reference's output`."""

    relative: float = field(default=1e-5, validator=validators.ge(0.0))
    absolute: float = field(default=1e-6, validator=validators.ge(0.0))
    of_range: float = field(default=0.0, validator=validators.ge(0.0))  # the largest value less the smallest

    def as_dict(self) -> dict[str, float]:
        return asdict(self)

    def __str__(self) -> str:
        parts = [f"{self.absolute:g}"] if self.absolute else []
        parts += [f"{self.relative:g} of the value"] if self.relative else []
        parts += [f"{self.of_range:.2g} of the output's range"] if self.of_range else []
        return " + ".join(parts) or "0"


TOLERANCES: Mapping[str, Tolerance] = {
    "float64": Tolerance(1e-9, 1e-12),
    "float32": Tolerance(1e-5, 1e-6),
    "float16": Tolerance(1e-2, 1e-3),  # 11 bits, through the layers of a network
    "bfloat16": Tolerance(1e-2, 1e-2),  # 8 bits
    "int8": Tolerance(0.0, 1e-6, 2 / 255),  # two steps of 8 bits that just hold the reference's outputs
}
"""By the least precise type that a variant computes in."""


def tolerance_of(precision: str) -> Tolerance:
    """Return the default for a precision: "float32", "f16", "bf16", "int8", …; raise `UsageError` for another."""
    short = {"f": "float", "bf": "bfloat", "fp": "float"}
    letters = precision.rstrip("0123456789")
    name = short.get(letters, letters) + precision[len(letters) :]
    name = {"uint8": "int8"}.get(name, name)
    if name not in TOLERANCES:
        raise UsageError(f'no tolerance is known for the precision "{precision}"{nearest(precision, TOLERANCES)}')
    return TOLERANCES[name]
