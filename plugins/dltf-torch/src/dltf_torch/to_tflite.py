"""An exported program to TFLite, by litert-torch."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import field, frozen, validators

from dltf.plugin import ConversionError
from dltf_torch.interpreters import Elsewhere
from dltf_torch.portable import cannot, open_portable

if TYPE_CHECKING:
    from dltf.plugin import Calibration, TensorSpec

_LITERT = Elsewhere("convert", ("litert-torch", "litert-converter", "torch"), "tflite")


@frozen
class ToTFLite:
    """The same graph for a fixed number of inputs: litert-torch takes no open batch."""

    batch: int = field(default=1, validator=validators.ge(1))
    python: Path | None = None  # of an environment that has litert-torch; else DLTF_LITERT_PYTHON, else this one

    reads: ClassVar[tuple[str, ...]] = (".pt2",)
    writes: ClassVar[str] = ".tflite"
    needs_seeds: ClassVar[bool] = False

    def convert(self, source: Path, out: Path, calibration: Calibration | None) -> Mapping[str, Any]:
        portable = open_portable(source)
        least, most = portable.sizes.least, portable.sizes.most
        if self.batch < least or (most is not None and self.batch > most):
            raise ConversionError(
                f"{source.name} takes no batch of {self.batch}",
                hint=f"set batch = {most or least}, or export the program with an open batch",
            )
        with tempfile.TemporaryDirectory() as folder:
            cleaned = Path(folder) / "model.pt2"
            try:
                portable.save(cleaned)
            except Exception as error:  # its exceptions have no common base
                raise cannot(source, "torch.export", error) from error
            job = {
                "source": str(cleaned),
                "out": str(out.absolute()),
                "batch": self.batch,
                "inputs": [self._input(spec, source) for spec in portable.inputs],
            }
            return _LITERT.run(self.python, source, job)

    def versions(self) -> Mapping[str, str]:
        return _LITERT.versions(self.python)

    def _input(self, spec: TensorSpec, source: Path) -> tuple[str, list[int], str]:
        if None in spec.shape[1:]:
            raise ConversionError(
                f'{source.name} leaves sizes of "{spec.name}" open beside the batch, and TFLite files fix all of them'
            )
        return spec.name, [self.batch, *(int(size or 0) for size in spec.shape[1:])], spec.dtype
