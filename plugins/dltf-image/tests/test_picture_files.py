"""Picture files of every kind: what they become, and what is refused with a reason."""

from __future__ import annotations

import struct
import subprocess
import zlib
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from dltf.plugin import SeedError
from dltf_image.pictures import read_picture

RED = (200, 10, 30)


def saved(picture, kind="PNG", **options):
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def read(data):
    return read_picture(data, "a.png")


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.new("L", (3, 2), 77), [77]),
        (Image.new("1", (3, 2), 1), [255]),
        (Image.new("LA", (3, 2), (77, 0)), [77]),
        (Image.new("RGB", (3, 2), RED), RED),
        (Image.new("RGBA", (3, 2), (*RED, 0)), RED),
        (Image.new("RGB", (3, 2), RED).quantize(4), RED),
    ],
    ids=["grey", "black-and-white", "grey-alpha", "rgb", "rgb-alpha", "palette"],
)
def test_every_mode_becomes_grey_or_rgb(picture, expected):
    sample = read(saved(picture))
    assert (sample.dtype, sample.shape) == (np.dtype(np.uint8), (2, 3, len(expected)))
    assert (sample == expected).all()


def test_a_palette_with_transparency_keeps_its_colours():
    picture = Image.new("P", (3, 2), 1)
    picture.putpalette([0, 0, 0, *RED])
    assert (read(saved(picture, transparency=b"\x00\x80")) == RED).all()


def test_sixteen_bits_are_rounded_to_eight():
    values = np.array([[0, 128, 129, 32896, 65535]], np.uint16)
    assert read(saved(Image.fromarray(values))).ravel().tolist() == [0, 0, 1, 128, 255]


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_of_a_colour_give_their_upper_byte(suffix):
    values = np.array([[[0, 255, 256], [32895, 32896, 65535]]], np.uint16)
    written, data = cv2.imencode(suffix, values[:, :, ::-1])
    assert written
    assert read(bytes(data)).tolist() == [[[0, 0, 1], [128, 128, 255]]]


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_becomes_rgb(kind):
    sample = read(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), kind))
    assert sample.shape == (8, 8, 3)
    assert (sample[0, 0] == [255, 0, 0]).all()


@pytest.mark.parametrize(
    ("kind", "options"),
    [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("MPO", {})],
    ids=["gif", "apng", "webp", "tiff of several pages", "pair of jpegs"],
)
def test_of_several_pictures_the_first_is_taken(kind, options):
    frames = [Image.new("RGB", (8, 8), (level, level, level)) for level in (50, 100, 150)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert Image.open(BytesIO(data)).n_frames == 3
    assert (read(data) == 50).all()


def test_a_picture_for_viewers_that_know_no_animation_is_taken_before_the_frames():
    frames = [Image.new("L", (4, 4), level) for level in (100, 150)]
    data = saved(Image.new("L", (4, 4), 50), save_all=True, append_images=frames, default_image=True)
    assert (read(data) == 50).all()


# Where the top left corner of what the sensor saw belongs (row, column), for each way to hold a camera, and the size.
TURNED = {
    1: ((0, 0), (2, 3)),
    2: ((0, 2), (2, 3)),
    3: ((1, 2), (2, 3)),
    4: ((1, 0), (2, 3)),
    5: ((0, 0), (3, 2)),
    6: ((0, 1), (3, 2)),
    7: ((2, 1), (3, 2)),
    8: ((2, 0), (3, 2)),
}


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", TURNED)
def test_a_cameras_orientation_is_applied(orientation, kind):
    picture = Image.new("RGB", (3, 2))
    picture.putpixel((0, 0), RED)
    exif = Image.Exif()
    exif[0x0112] = orientation
    sample = read(saved(picture, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {})))
    corner, size = TURNED[orientation]
    assert sample.shape == (*size, 3)
    assert np.argwhere(sample[:, :, 0]).tolist() == [list(corner)]
    assert tuple(sample[corner].tolist()) == RED


def test_what_is_inside_counts_and_not_the_suffix():
    assert read(saved(Image.new("RGB", (4, 2), RED), "BMP")).shape == (2, 4, 3)


def test_an_empty_file_is_refused():
    with pytest.raises(SeedError, match=r"a\.png: the file is empty"):
        read(b"")


def test_a_file_that_is_no_picture_is_refused():
    with pytest.raises(SeedError, match=r"a\.png: these bytes are no picture"):
        read(b"PK\x03\x04 an archive under a picture's name")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "JPEG2000"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_truncated_picture_is_refused(kind, share):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    data = saved(Image.fromarray(noise), kind)
    with pytest.raises(SeedError, match=r"a\.png: .*(broken or cut short|no picture)"):
        read(data[: int(len(data) * share)])


def test_files_that_start_a_program_are_not_opened(monkeypatch):
    started = []
    monkeypatch.setattr(subprocess, "check_call", lambda *told, **_: started.append(told))
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    assert Image.open(BytesIO(postscript)).format == "EPS"
    with pytest.raises(SeedError, match="no picture of a known kind"):
        read(postscript)
    assert not started


def test_values_of_32_bits_are_refused():
    with pytest.raises(SeedError, match=r"a\.png: its values are 32-bit \(mode F\)"):
        read(saved(Image.fromarray(np.zeros((2, 2), np.float32)), "TIFF"))


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_bomb_is_refused_before_it_unpacks(side):
    with pytest.raises(SeedError, match=r"a\.png: it would unpack to more than [\d,]+ pixels"):
        read(_png_that_claims(side))


def test_a_bomb_of_another_kind_is_refused_as_well():
    header = b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHH", 0, 0, 60_000, 60_000) + b"\0\x02\x02\x44\x01\0;"
    with pytest.raises(SeedError, match="it would unpack to more than"):
        read(header + frame)


def _png_that_claims(side):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )
