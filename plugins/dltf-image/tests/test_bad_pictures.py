"""A folder as one finds it, in a campaign: what is no picture is skipped, counted and named; the rest is converted."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from calling import call, small_demo, summary_of
from PIL import Image

from dltf_image.seeds.digits import Digits
from dltf_image.seeds.folder import Folder

SEEDS = '[seeds]\nuse = "image.folder"\npath = "pictures"\n'


@pytest.fixture
def pictures(tmp_path):
    """Make the demo take its seeds from a folder, in any size and colour, and put three digits there."""
    profile = small_demo(tmp_path)
    text = profile.read_text().replace('[seeds]\nuse = "image.digits"\nsplit = "test"\ncount = 30\n', SEEDS)
    assert SEEDS in text
    profile.write_text(text)
    (tmp_path / "pictures").mkdir()
    for number in range(3):
        Image.fromarray(digit(number)).save(tmp_path / "pictures" / f"{number}.png")
    return tmp_path / "pictures"


def digit(number):
    return Digits().open()[number].sample[:, :, 0]


def put_broken(folder: Path) -> set[str]:
    """Write files that are no pictures, and return their names."""
    good = (folder / "0.png").read_bytes()
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8))
    noise.save(folder / "whole.jpg")
    contents = {
        "zero.png": b"",
        "short.png": good[:60],
        "half.jpg": (folder / "whole.jpg").read_bytes()[:700],
        "text.png": b"this is a text\n" * 20,
        "archive.gif": b"PK\x03\x04 an archive",
        "bomb.png": b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)),
    }
    (folder / "whole.jpg").unlink()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    Image.fromarray(np.zeros((8, 8), np.float32)).save(folder / "floats.tif")
    return {*contents, "floats.tif"}


def put_odd(folder: Path) -> set[str]:
    """Write pictures that have to be converted, and return their names."""
    picture = Image.fromarray(digit(3))
    frames = {"save_all": True, "append_images": [Image.fromarray(digit(4))]}
    picture.save(folder / "animated.gif", **frames)
    picture.save(folder / "animated.png", **frames)
    picture.convert("RGB").save(folder / "animated.webp", lossless=True, **frames)
    Image.fromarray(digit(3).astype(np.uint16) * 257).save(folder / "sixteen.png")
    picture.convert("CMYK").save(folder / "print.jpg", quality=100)
    picture.convert("RGB").quantize(16).save(folder / "palette.png")
    picture.convert("RGBA").save(folder / "clear.png")
    picture.save(folder / "misnamed.jpg", "PNG")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.rotate(90).save(folder / "turned.png", exif=exif)
    odd = ("animated.gif", "animated.png", "animated.webp", "sixteen.png", "print.jpg", "palette.png", "clear.png")
    return {*odd, "misnamed.jpg", "turned.png"}


def test_broken_pictures_are_skipped_counted_and_named_and_odd_ones_are_seeds(pictures):
    broken, odd = put_broken(pictures), put_odd(pictures)
    inputs = [f"models.{model}.input.colour=grey" for model in ("reference", "candidate")]
    told = call("run", "profile.toml", "--out", "run", *_set(inputs), cwd=pictures.parent)
    assert told.status == 0, told
    summary = summary_of(pictures.parent / "run")
    assert summary["skipped"] == len(broken)
    assert summary["screened"]["seeds"] == 3 + len(odd)
    assert {reason.partition(":")[0] for reason in summary["skipped_because"]} == broken


def test_odd_pictures_show_what_a_viewer_shows(pictures):
    odd = put_odd(pictures)
    seeds = Folder(pictures).open()
    samples = {seed.name: seed.sample for seed in (seeds[index] for index in range(len(seeds))) if seed.name in odd}
    assert set(samples) == odd
    for name, sample in samples.items():
        away = np.abs(sample.astype(int) - digit(3)[:, :, np.newaxis])
        assert away.max() <= (12 if name == "print.jpg" else 0), name


def _set(settings):
    return [argument for setting in settings for argument in ("--set", setting)]


def _chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
