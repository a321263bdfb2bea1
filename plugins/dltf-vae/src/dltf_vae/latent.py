"""An opened encoder and decoder, and how batches go through them.

Kernels may sum in another order for another batch size, so everything runs in chunks of one size, the last one filled
up by repetition: a code depends on its sample alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.plugin import MisfitError, RuntimeFailedError
from dltf_vae.samples import shown

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

    from dltf.plugin import Batch, BoolArray, FloatArray
    from dltf_vae.generator import Vae

Function = Callable[["NDArray[Any]"], "NDArray[Any]"]
CHUNK = 64


class PairSpace:
    """An encoder and a decoder of uint8 [h, w, c]; `encoder` takes pictures as bytes, `decoder` gives them back.

    Both are functions of whole chunks: uint8 [chunk, h, w, c] to float [chunk, k], and float64 [chunk, k] to uint8.
    """

    def __init__(
        self,
        encoder: Function,
        decoder: Function,
        *,
        shape: tuple[int, ...],
        active: BoolArray,
        facts: Mapping[str, Any],
        chunk: int = CHUNK,
    ) -> None:
        self.active = active
        self.facts = facts
        self._encoder: Function | None = encoder
        self._decoder: Function | None = decoder
        self._shape = shape
        self._chunk = chunk

    def __enter__(self) -> PairSpace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._encoder = self._decoder = None

    def encode(self, samples: Batch) -> FloatArray:
        return self._codes(self._encoder, samples)

    def decode(self, codes: FloatArray) -> Batch:
        if codes.ndim != 2 or codes.shape[1] != len(self.active):
            raise MisfitError(
                f"the decoder takes codes [n, {len(self.active)}], and these are {shown(codes)}",
                hint="codes are those that encode of the same generator gives",
            )
        if not len(codes):
            return np.empty((0, *self._shape), np.uint8)
        return self._by_chunks(self._decoder, np.ascontiguousarray(codes, np.float64))

    def _codes(self, function: Function | None, samples: Batch) -> FloatArray:
        if samples.dtype != np.uint8 or samples.shape[1:] != self._shape:
            wanted = "×".join(map(str, self._shape))
            raise MisfitError(
                f"the generator was made for uint8[n×{wanted}] from 0 to 255, and these samples are {shown(samples)}",
                hint="use the seeds that it was trained on, or train one on these: dltf vae train",
            )
        if not len(samples):
            return np.empty((0, len(self.active)))
        codes: FloatArray = self._by_chunks(function, samples).astype(np.float64)
        if not np.isfinite(codes).all():
            raise RuntimeFailedError("the encoder gave codes that are not finite", hint="is it trained to its end?")
        return codes

    def _by_chunks(self, function: Function | None, rows: NDArray[Any]) -> NDArray[Any]:
        if function is None:
            raise RuntimeFailedError("the generator has been closed", hint="use it inside its `with` block")
        pieces = [
            function(_filled(rows[at : at + self._chunk], self._chunk)) for at in range(0, len(rows), self._chunk)
        ]
        return np.concatenate(pieces)[: len(rows)]


class VaeSpace(PairSpace):
    """A pair whose encoder tells how sure it is: `deviations` gives the posterior's standard deviations."""

    def __init__(self, encoder: Function, decoder: Function, deviations: Function, **more: Any) -> None:
        super().__init__(encoder, decoder, **more)
        self._deviations: Function = deviations

    def spread(self, samples: Batch) -> FloatArray:
        return self._codes(self._encoder and self._deviations, samples)

    def __enter__(self) -> VaeSpace:
        return self


def open_vae(vae: Vae) -> VaeSpace:
    """Read the artefact and put it where the settings say; raise `ModelFileError` where there is none that tells."""
    import torch

    from dltf_vae.artefact import INACTIVE, check_active, load_artefact
    from dltf_vae.devices import device_of, steady

    artefact = load_artefact(vae.file)
    check_active(artefact, vae.file)
    device = device_of(vae.device)
    network = artefact.network().on(device)

    def told(pictures: NDArray[Any]) -> tuple[Any, Any]:
        with steady(vae.threads), torch.inference_mode():
            mean, log_variance = network.encode(network.pixels(torch.from_numpy(pictures).to(device)))
            return mean.cpu().numpy(), torch.exp(log_variance / 2).cpu().numpy()

    def pictures(codes: NDArray[Any]) -> NDArray[Any]:
        with steady(vae.threads), torch.inference_mode():
            made = network.decode(torch.from_numpy(codes).to(device, torch.float32))
            return as_bytes(made.permute(0, 2, 3, 1).cpu().numpy(), -1.0, 1.0)

    return VaeSpace(
        lambda rows: told(rows)[0],
        pictures,
        lambda rows: told(rows)[1],
        shape=artefact.shape,
        active=np.asarray(artefact.variances > INACTIVE),
        facts=artefact.facts,
    )


def as_bytes(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return uint8, where `low` stands for 0 and `high` for 255: rounded, and clipped."""
    levels = (values.astype(np.float64) - low) * (255 / (high - low))
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def _filled(rows: NDArray[Any], size: int) -> NDArray[Any]:
    """Repeat the last row until there are `size`."""
    short = size - len(rows)
    whole = np.concatenate([rows, np.repeat(rows[-1:], short, axis=0)]) if short > 0 else rows
    return np.ascontiguousarray(whole)
