"""Any encoder and any decoder of pictures, made into one generator."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import frozen

from dltf.plugin import ModelFileError
from dltf_vae.latent import CHUNK, PairSpace, as_bytes

if TYPE_CHECKING:
    from attrs import Attribute
    from numpy.typing import NDArray

Layout = Literal["nchw", "nhwc"]
Shape = tuple["int | None", ...]


@frozen(eq=False)
class Ends:
    """Two models as functions of float32 arrays, and the shapes that they take, None for a size left open."""

    encoder: Callable[[NDArray[Any]], NDArray[Any]]
    takes: Shape
    decoder: Callable[[NDArray[Any]], NDArray[Any]]
    decodes: Shape


def open_pair(
    ends: Ends, limits: tuple[float, float], layout: Layout, inactive: Sequence[int], facts: Mapping[str, Any]
) -> PairSpace:
    """Put both ends together; raise `ModelFileError` where one does not take what the other gives."""
    shape, code = _picture_shape(ends.takes, layout), _code_shape(ends.decodes)
    length, chunk = int(np.prod(code)), _chunk(ends.takes, ends.decodes)
    low, high = limits

    def encode(pictures: NDArray[Any]) -> NDArray[Any]:
        values = pictures.astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)
        turned = values.transpose(0, 3, 1, 2) if layout == "nchw" else values
        return ends.encoder(np.ascontiguousarray(turned)).reshape(len(pictures), -1)

    def decode(codes: NDArray[Any]) -> NDArray[Any]:
        made = ends.decoder(codes.astype(np.float32).reshape(-1, *code))
        return as_bytes(made.transpose(0, 2, 3, 1) if layout == "nchw" else made, low, high)

    given = encode(np.zeros((chunk, *shape), np.uint8))
    if given.shape != (chunk, length):
        raise ModelFileError(
            f"the encoder gives codes of {given.size // chunk} numbers, and the decoder takes {length}",
            hint="give the two halves of one model; the encoder's output is the mean alone",
        )
    made = decode(np.zeros((chunk, length)))
    if made.shape != (chunk, *shape):
        raise ModelFileError(
            f"the decoder gives pictures {_told(made.shape[1:])}, and the encoder takes {_told(shape)}",
            hint='give the two halves of one model; or is layout = "nhwc"?',
        )
    active = np.ones(length, np.bool_)
    if any(not 0 <= dimension < length for dimension in inactive):
        raise ModelFileError(f"inactive = {list(inactive)}: codes have {length} dimensions", hint="count them from 0")
    active[list(inactive)] = False
    told = {
        "shape": list(shape),
        "dtype": "uint8",
        "range": [0, 255],
        "latent": length,
        "active": int(active.sum()),
        "collapsed": sorted(inactive),
        **facts,
    }
    return PairSpace(encode, decode, shape=shape, active=active, facts=told, chunk=chunk)


def file_digests(encoder: Path, decoder: Path) -> dict[str, str]:
    """Return the sha256 of both files, and one of the two together as that of the weights."""
    each = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (encoder, decoder)]
    return {"encoder": each[0], "decoder": each[1], "weights": hashlib.sha256(" ".join(each).encode()).hexdigest()}


def increasing(_: object, attribute: Attribute[Any], limits: tuple[float, float]) -> None:
    """Refuse limits of which the first is not the lower one."""
    if not limits[0] < limits[1]:
        raise ValueError(f"'{attribute.name}' must be two numbers, the lower one first: {list(limits)}")


def _picture_shape(takes: Shape, layout: Layout) -> tuple[int, int, int]:
    sizes = takes[1:] if layout == "nhwc" or len(takes) != 4 else (*takes[2:], takes[1])
    if len(sizes) != 3 or None in sizes or sizes[2] not in (1, 3):
        raise ModelFileError(
            f'the encoder takes {_told(takes)}, which are no pictures of one size in layout = "{layout}"',
            hint="export it for [batch, 1 or 3, height, width], the batch alone open",
        )
    return sizes  # type: ignore[return-value]  # no size is None


def _code_shape(decodes: Shape) -> tuple[int, ...]:
    if len(decodes) < 2 or None in decodes[1:]:
        raise ModelFileError(
            f"the decoder takes {_told(decodes)}: the length of a code is open",
            hint="export it for codes of one length, the batch alone open",
        )
    return decodes[1:]  # type: ignore[return-value]  # no size is None


def _chunk(takes: Shape, decodes: Shape) -> int:
    fixed = {shape[0] for shape in (takes, decodes)} - {None}
    if len(fixed) > 1:
        raise ModelFileError(
            f"the encoder takes batches of {takes[0]}, the decoder of {decodes[0]}", hint="leave the batch open in both"
        )
    return next(iter(fixed), CHUNK) or CHUNK


def _told(shape: Sequence[int | None]) -> str:
    return f"[{'×'.join('?' if size is None else str(size) for size in shape)}]"
