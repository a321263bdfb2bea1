"""Picture files of any kind → samples, by one documented rule for each kind (the table in the plugin's README).

8-bit grey and RGB stay as they are; everything else becomes one of the two. Black-and-white, grey with alpha and 16-bit
grey (v / 257, rounded) become grey; palette, CMYK, YCbCr, Lab, RGB with alpha and 16-bit colour (its upper byte: Pillow
reads no more) become RGB. Alpha is dropped, as most training code does. An animation or a file of several pages gives
its first picture. A camera's EXIF orientation is applied. What is inside counts, whatever the file is called.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.plugin import SeedError

if TYPE_CHECKING:
    from PIL.Image import Image

    from dltf.plugin import Sample

# What `formats` may be, and no more: others start programs (EPS, Ghostscript), draw (WMF) or are no pictures of things.
_FORMATS = ("PNG", "JPEG", "MPO", "GIF", "BMP", "WEBP", "AVIF", "TIFF", "PPM", "JPEG2000", "TGA")
_GREY = ("1", "L", "LA", "La")
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
_PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}


def read_picture(data: bytes, name: str, formats: tuple[str, ...] | None = None) -> Sample:
    """Return the picture as uint8 [height, width, 1 or 3]; raise `SeedError` with the name and the reason."""
    if not data:
        raise SeedError(f"{name}: the file is empty", hint="replace it or remove it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of metadata that nobody reads here
        warnings.filterwarnings("error", category=_bomb_warning())
        try:
            return _pixels(_opened(data, formats))
        except SeedError as error:
            raise SeedError(f"{name}: {error.message}", hint=error.hint) from None
        except Exception as error:  # Pillow's decoders raise whatever their parsers meet in broken bytes
            raise _refusal(error, name) from error


def _bomb_warning() -> type[Warning]:
    from PIL import Image

    return Image.DecompressionBombWarning


def _opened(data: bytes, formats: tuple[str, ...] | None) -> Image:
    from PIL import Image, ImageOps

    Image.init()
    known = [name for name in formats or _FORMATS if name in Image.OPEN]  # this Pillow may have been built without one
    picture = Image.open(BytesIO(data), formats=known)
    picture.load()
    return ImageOps.exif_transpose(picture)


def _pixels(picture: Image) -> Sample:
    mode: str = picture.mode
    if mode in _SIXTEEN_BITS or (mode == "I" and picture.format in ("PNG", "PPM")):
        return _from_sixteen_bits(np.asarray(picture))
    if mode in ("I", "F"):
        raise SeedError(
            f"its values are 32-bit (mode {mode}), and nothing says which are black and white",
            hint="save it as an 8-bit or 16-bit picture",
        )
    if mode in _PREMULTIPLIED:
        picture = picture.convert(_PREMULTIPLIED[mode])
    if mode in _GREY:
        return np.array(picture.convert("L"))[:, :, np.newaxis]
    if mode in ("P", "PA"):
        picture = picture.convert("RGBA")  # a palette's transparency, dropped with the alpha below
    return np.array(picture.convert("RGB"))


def _from_sixteen_bits(values: Any) -> Sample:
    levels: Sample = (values.astype(np.uint32) + 128) // 257
    return levels.astype(np.uint8)[:, :, np.newaxis]


def _refusal(error: Exception, name: str) -> SeedError:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return SeedError(f"{name}: these bytes are no picture of a known kind", hint="replace it or remove it")
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return SeedError(
            f"{name}: it would unpack to more than {Image.MAX_IMAGE_PIXELS:,} pixels", hint="make it smaller"
        )
    return SeedError(f"{name}: the picture is broken or cut short: {error}", hint="replace it or remove it")
