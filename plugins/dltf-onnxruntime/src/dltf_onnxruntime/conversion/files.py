"""Reading and writing the ONNX files of converters."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

from dltf.plugin import MissingPackageError, ModelFileError
from dltf_onnxruntime.providers import DISTRIBUTIONS
from dltf_onnxruntime.reason import reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INSTALL = 'pip install "dltf-onnxruntime[convert]"'
QUANTISERS = (*DISTRIBUTIONS, "onnx", "numpy")
"""What quantises, by distribution name, where it is installed."""

LARGEST = 1_900_000_000
"""So many bytes of tensors go into one file (protobuf takes 2 GiB); those of a larger model lie beside it."""


def onnx_package() -> Any:
    """Import onnx, or say how to install it."""
    try:
        import onnx
    except ImportError as error:
        raise MissingPackageError(f"converters of ONNX files need a package: {error}", hint=INSTALL) from error
    return onnx


def read(source: Path) -> Any:
    """Return the `ModelProto`, with the weights that lie outside; raise `ModelFileError` where it is none."""
    onnx = onnx_package()
    if not source.is_file():
        raise ModelFileError(f"there is no model file {source}")
    try:
        model = onnx.load(str(source))
    except Exception as error:  # those of protobuf, onnx and the file system have no common base
        raise ModelFileError(f"{source} cannot be read as ONNX: {reason(error)}") from error
    if not model.graph.node:
        raise ModelFileError(f"{source} holds no operators ({source.stat().st_size} bytes): is it an ONNX file?")
    return model


def write(model: Any, out: Path) -> None:
    """Write the model, the same bytes for equal models; the tensors of a large one go to a file beside it."""
    if not is_large(model):
        out.write_bytes(model.SerializeToString(deterministic=True))
        return
    beside = out.with_name(f"{out.stem}.weights")
    beside.unlink(missing_ok=True)  # onnx would append to it
    onnx_package().save_model(
        model, str(out), save_as_external_data=True, location=beside.name, size_threshold=1024, convert_attribute=False
    )


def is_large(model: Any) -> bool:
    """Tell whether its tensors are too many for one file."""
    return bool(sum(tensor.ByteSize() for tensor in model.graph.initializer) > LARGEST)


def versions(*names: str) -> Mapping[str, str]:
    """Return the versions of those of these distributions that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
