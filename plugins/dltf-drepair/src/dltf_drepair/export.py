"""A repaired candidate as files: one ONNX file, or for TFLite the head beside it with a script that runs both."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dltf.plugin import ConversionError, Shipped
from dltf_drepair.beside import HEAD, SCRIPT, written_beside
from dltf_drepair.compose import Joint, composed
from dltf_drepair.fitted import load
from dltf_drepair.int8 import eight_bits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dltf.plugin import Shipping

ONNX, TFLITE = (".onnx",), (".tflite", ".lite")


def export(shipping: Shipping, folder: Path) -> Shipped:
    """Write the repaired candidate into a folder, by its format; raise `ConversionError` for any other."""
    joint = Joint(shipping.output.name, shipping.scores, shipping.label_offset)
    candidate, suffix = shipping.candidate, shipping.candidate.suffix.lower()
    with _head(shipping) as head:
        if suffix in ONNX:
            name = f"{candidate.stem}-repaired.onnx"
            (folder / name).write_bytes(composed(candidate, head, shipping.threshold, joint))
            return Shipped(name, head.stat().st_size)
        if suffix in TFLITE:
            written_beside(candidate, head, shipping.threshold, joint, folder)
            return Shipped(candidate.name, (folder / HEAD).stat().st_size, SCRIPT)
    raise ConversionError(
        f"{candidate.name} is neither ONNX nor TFLite, and a head goes into or beside these",
        hint="convert the candidate, and repair what comes of it",
    )


@contextmanager
def _head(shipping: Shipping) -> Iterator[Path]:
    """Yield the head's file, with the weights that are asked for."""
    if shipping.weights == "float":
        yield shipping.head
        return
    with TemporaryDirectory(prefix="dltf-head-") as folder:
        file = Path(folder) / "head.onnx"
        eight_bits(load(shipping.head)).save(file)
        yield file
