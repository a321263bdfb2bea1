"""The generator `latent.torch`: an encoder and a decoder that were made elsewhere, as two exported programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from attrs.validators import ge

from dltf.plugin import ModelFileError
from dltf_vae.pair import Ends, Layout, file_digests, increasing, open_pair
from dltf_vae.recipe import Device

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf_vae.latent import PairSpace


@frozen
class TorchPair:
    """Two .pt2 files, of one input and one output each. Only your own: `torch.export.load` may run what a file brings.

    From strangers take ONNX files, which bring no code.
    """

    encoder: Path  # pictures [n, …] to codes, flattened
    decoder: Path  # codes, in the shape that it says, to pictures
    range: tuple[float, float] = field(default=(-1.0, 1.0), validator=increasing)  # what 0 and 255 stand for
    layout: Layout = "nchw"  # where the channels are
    inactive: tuple[int, ...] = ()  # dimensions of the flat code that tell nothing
    device: Device = "cpu"  # "auto": cuda where there is one
    threads: int = field(default=1, validator=ge(1))  # within an operator

    def open(self) -> PairSpace:
        encoder, takes = self._program(self.encoder)
        decoder, decodes = self._program(self.decoder)
        ends = Ends(encoder, takes, decoder, decodes)
        return open_pair(ends, self.range, self.layout, self.inactive, file_digests(self.encoder, self.decoder))

    def versions(self) -> Mapping[str, str]:
        return {"dltf-vae": version("dltf-vae"), "torch": version("torch")}

    def _program(self, file: Path) -> tuple[Callable[[NDArray[Any]], NDArray[Any]], tuple[int | None, ...]]:
        """Return the program as a function, and the shape of what it takes."""
        import torch

        from dltf_vae.devices import device_of, steady

        if not file.is_file():
            raise ModelFileError(f"there is no {file}", hint="check the path; a relative one starts at the profile")
        device = device_of(self.device)
        try:
            program = torch.export.load(str(file))
            module: Any = program.module().to(device)
        except Exception as error:  # its exceptions have no common base
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise ModelFileError(
                f"PyTorch cannot load {file}: {reason}", hint="save it with torch.export.save"
            ) from error
        names = program.graph_signature.user_inputs
        taken = [node.meta["val"] for node in program.graph.nodes if node.name in names]
        if len(taken) != 1 or taken[0].dtype != torch.float32:
            raise ModelFileError(f"{file} takes {len(taken)} inputs", hint="it has to take one tensor of float32")
        shape = tuple(size if isinstance(size, int) else None for size in taken[0].shape)

        def run(rows: NDArray[Any]) -> NDArray[Any]:
            with steady(self.threads), torch.inference_mode():
                given = module(torch.from_numpy(rows).to(device))
                tensor = given[0] if isinstance(given, (tuple, list)) else given
                made: NDArray[Any] = tensor.cpu().numpy()
                return made

        return run, shape
