"""The generator `latent.onnx`: an encoder and a decoder that were made elsewhere, in two ONNX files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from attrs.validators import ge

from dltf.plugin import MissingPackageError, ModelFileError
from dltf_vae.pair import Ends, Layout, file_digests, increasing, open_pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf_vae.latent import PairSpace


@frozen
class OnnxPair:
    """One input and one output each is used, the first. ONNX Runtime runs them on the processor."""

    encoder: Path  # pictures [n, …] to codes, flattened
    decoder: Path  # codes, in the shape that it says, to pictures
    range: tuple[float, float] = field(default=(-1.0, 1.0), validator=increasing)  # what 0 and 255 stand for
    layout: Layout = "nchw"  # where the channels are
    inactive: tuple[int, ...] = ()  # dimensions of the flat code that tell nothing
    threads: int = field(default=1, validator=ge(1))  # within an operator

    def open(self) -> PairSpace:
        encoder, takes = self._session(self.encoder)
        decoder, decodes = self._session(self.decoder)
        ends = Ends(encoder, takes, decoder, decodes)
        return open_pair(ends, self.range, self.layout, self.inactive, file_digests(self.encoder, self.decoder))

    def versions(self) -> Mapping[str, str]:
        found = {"dltf-vae": version("dltf-vae")}
        with suppress(PackageNotFoundError):  # opening says so
            found["onnxruntime"] = version("onnxruntime")
        return found

    def _session(self, file: Path) -> tuple[Callable[[NDArray[Any]], NDArray[Any]], tuple[int | None, ...]]:
        """Return the model as a function, and the shape of what it takes."""
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingPackageError(
                f"latent.onnx cannot import its package: {error}", hint="pip install 'dltf-vae[onnx]'"
            ) from error
        if not file.is_file():
            raise ModelFileError(f"there is no {file}", hint="check the path; a relative one starts at the profile")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base
            reason = str(error).splitlines()[0]
            raise ModelFileError(f"ONNX Runtime cannot read {file}: {reason}", hint="is it an ONNX model?") from error
        taken = session.get_inputs()
        if len(taken) != 1 or taken[0].type != "tensor(float)":
            told = ", ".join(f"{one.name} {one.type}" for one in taken)
            raise ModelFileError(f"{file} takes {told or 'nothing'}", hint="it has to take one tensor of float32")
        name, output = taken[0].name, session.get_outputs()[0].name
        shape = tuple(size if isinstance(size, int) and size > 0 else None for size in taken[0].shape)
        return lambda rows: session.run([output], {name: rows})[0], shape
