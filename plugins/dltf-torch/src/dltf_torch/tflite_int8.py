"""TFLite files to 8 bits, by ai-edge-quantizer."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from attrs import field, frozen, validators

from dltf.plugin import ConversionError, ModelFileError
from dltf_torch.interpreters import Elsewhere

if TYPE_CHECKING:
    from dltf.plugin import Calibration

_QUANTISER = Elsewhere("quantise", ("ai-edge-quantizer", "ai-edge-litert"), "tflite-int8")
_MARK, _MARK_AT = b"TFL3", 4  # what a TFLite file has at this byte


@frozen
class DynamicInt8:
    """Weights in int8, one scale for each output channel; activations stay float32 in the file.

    With "dynamic", kernels round activations to int8 as they come; with "weight_only", they compute in float32.
    """

    scheme: Literal["dynamic", "weight_only"] = "dynamic"
    python: Path | None = None  # of an environment that has ai-edge-quantizer; else DLTF_LITERT_PYTHON, else this one

    reads: ClassVar[tuple[str, ...]] = (".tflite",)
    writes: ClassVar[str] = ".tflite"
    needs_seeds: ClassVar[bool] = False

    def convert(self, source: Path, out: Path, calibration: Calibration | None) -> Mapping[str, Any]:
        return _run(self.python, f"{self.scheme}_wi8_afp32", source, out, None)

    def versions(self) -> Mapping[str, str]:
        return _QUANTISER.versions(self.python)


@frozen
class StaticInt8:
    """Weights in int8 and activations with fixed scales, of 8 or 16 bits; inputs and outputs of the file as well."""

    activation_bits: int = field(default=8, validator=validators.in_((8, 16)))
    python: Path | None = None  # of an environment that has ai-edge-quantizer; else DLTF_LITERT_PYTHON, else this one

    reads: ClassVar[tuple[str, ...]] = (".tflite",)
    writes: ClassVar[str] = ".tflite"
    needs_seeds: ClassVar[bool] = True

    def convert(self, source: Path, out: Path, calibration: Calibration | None) -> Mapping[str, Any]:
        _check(source)
        seeds = [] if calibration is None else list(calibration())
        if not seeds:
            raise ConversionError(
                f"int8 with fixed scales needs seeds to calibrate with, and {source.name} is given none"
            )
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "seeds.npz"
            arrays = {f"{number}/{name}": array for number, one in enumerate(seeds) for name, array in one.items()}
            np.savez(file, **arrays)  # type: ignore[arg-type]
            facts = _run(self.python, f"static_wi8_ai{self.activation_bits}", source, out, file)
        return {**facts, "calibrated_on": len(seeds)}

    def versions(self) -> Mapping[str, str]:
        return _QUANTISER.versions(self.python)


def _run(python: Path | None, recipe: str, source: Path, out: Path, seeds: Path | None) -> dict[str, Any]:
    _check(source)
    job = {"source": str(source.absolute()), "out": str(out.absolute()), "recipe": recipe}
    return _QUANTISER.run(python, source, {**job, "seeds": "" if seeds is None else str(seeds)})


def _check(source: Path) -> None:
    try:
        with source.open("rb") as file:
            head = file.read(_MARK_AT + len(_MARK))
    except OSError as error:
        raise ModelFileError(f"{source} cannot be read: {error}") from error
    if head[_MARK_AT:] != _MARK:
        raise ModelFileError(f"{source} is no TFLite file", hint="it has TFL3 at its fifth byte; download it again")
