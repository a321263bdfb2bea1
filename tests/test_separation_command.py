"""`dltf separation`: what it prints, writes and refuses."""

import json
import re

import numpy as np
import pytest
from calling import call, refused
from installed import install_plugin
from pages import Page

PROFILE = """
[campaign]
name = "digits & more"
domain = "image"

[seeds]
use = "image.npz"
path = "test.npz"

[reference]
use = "image.npz"
path = "train.npz"
order = "given"

[generator]
use = "means"
"""

MEANS = """
from contextlib import AbstractContextManager
import numpy as np
from attrs import frozen

@frozen
class Means:
    broken: bool = False
    def open(self):
        return Space(self.broken)
    def versions(self):
        return {}

class Space(AbstractContextManager):
    def __init__(self, broken):
        self.active = np.array([True, True, False])
        self.facts = {"latent": 3, "weights": "0" * 64}
        self.broken = broken
    def encode(self, samples):
        grey = samples.astype(np.float64).mean(axis=3)
        halves = [grey[:, :4].mean(axis=(1, 2)), grey[:, 4:].mean(axis=(1, 2)), grey.mean(axis=(1, 2)) * 0]
        return np.stack(halves, axis=1) * (np.nan if self.broken else 1.0)
    def __exit__(self, *_):
        return None

@hookimpl
def dltf_generators():
    return [Component("means", "dltf_means:Means", "Means of halves.")]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A profile whose pictures have one grey above and another below: their codes are known."""
    install_plugin(tmp_path / "site", "means", MEANS)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (tmp_path / "profile.toml").write_text(PROFILE)
    greys = np.arange(120)
    pictures(tmp_path / "train.npz", greys, np.where(greys < 60, 0, 40 + greys), greys >= 60)
    pictures(tmp_path / "test.npz", np.array([58, 61]), np.array([0, 101]), np.array([0, 1]))
    return tmp_path


def pictures(file, above, below, labels):
    drawn = np.zeros((len(above), 8, 8), dtype=np.uint8)
    drawn[:, :4], drawn[:, 4:] = above[:, None, None], below[:, None, None]
    np.savez(file, images=drawn, labels=labels.astype(np.int64))


def test_a_latent_space_is_measured_written_and_drawn(folder):
    done = call("separation", "profile.toml", "--out", "out", "--exclude-suspects", "1", cwd=folder)
    assert done.status == 0, done
    assert "120 reference samples, 2 labels, l2 over 2 active dimensions" in done.out
    assert "not about what a person sees" in done.out
    written = json.loads((folder / "out" / "separation.json").read_text())
    # The nearest are (59, 0) and (60, 100).
    assert written["r"] == (1 + 100**2) ** 0.5 / 2
    assert [(one["name"], one["nearest_name"]) for one in written["suspects"][:1]] == [(name(59), name(60))]
    assert written["pairs"]["r"] == [[None, written["r"]], [written["r"], None]]
    assert written["without_suspects"]["excluded"] == [59, 60]
    assert written["without_suspects"]["r"] == (3**2 + 101**2) ** 0.5 / 2
    assert written["seeds"]["samples"] == 2
    assert written["seeds"]["least"] == (2**2 + 100**2) ** 0.5
    with np.load(folder / "out" / "separation.npz") as arrays:
        assert arrays["deltas"].min() == 2 * written["r"]
        assert arrays["nearest"][59] == 60
    page = Page(folder / "out" / "separation.html")
    assert "Latent certificate" in page.source
    assert "data:image/png;base64," in page.source
    assert "<script" not in page.source


def test_suspects_beyond_those_that_are_shown_are_in_a_file(folder):
    done = call("separation", "profile.toml", "--quiet", "--out", "out", cwd=folder)
    more = len(json.loads((folder / "out" / "separation.json").read_text())["suspects"]) - 10
    assert more > 0
    assert f"  and {more} more in out/separation.json\n" in done.out
    assert f"  and {more} more; --out DIR writes all of them\n" in call("separation", "profile.toml", cwd=folder).out
    ten = call("separation", "profile.toml", "--set", "generate.suspects=10", cwd=folder)
    assert not re.search(r"and \d+ more", ten.out)


def name(number):
    return f"train/{number:05d}"


@pytest.mark.parametrize(("norm", "least"), [("linf", 100), ("l1", 32 + 32 * 100)])
def test_pixels_need_no_generator_and_are_whole_numbers(folder, norm, least):
    text = PROFILE.partition("[generator]")[0]
    (folder / "profile.toml").write_text(text)
    done = call("separation", "profile.toml", "--space", "pixels", "--norm", norm, "--out", "out", cwd=folder)
    assert done.status == 0, done
    written = json.loads((folder / "out" / "separation.json").read_text())
    assert (2 * written["r"], written["generator"], written["scale"]) == (least, None, 255)
    assert "Latent certificate" not in done.out
    assert f"{least / 255:.4f}" in done.out


def test_a_sample_under_two_labels_is_named(folder):
    greys = np.arange(120)
    pictures(folder / "train.npz", np.where(greys == 7, 110, greys), greys * 0, greys >= 60)
    done = call("separation", "profile.toml", "--out", "out", cwd=folder)
    assert "! r = 0: 2 points lie where one of another label lies" in done.out
    assert "the same sample" in done.out
    written = json.loads((folder / "out" / "separation.json").read_text())
    assert written["suspects"][0]["same"]
    assert "Samples of different labels lie in one place" in Page(folder / "out" / "separation.html").source


def test_one_label_alone_is_refused(folder):
    greys = np.arange(120)
    pictures(folder / "train.npz", greys, greys, greys * 0)
    assert "label 0" in refused("separation", "profile.toml", "--quiet", cwd=folder)
    told = refused("separation", "profile.toml", "--quiet", "--space", "pixels", cwd=folder)
    assert "one label alone, 0" in told


def test_codes_that_are_not_finite_are_refused(folder):
    told = refused("separation", "profile.toml", "--quiet", "--set", "generator.broken=true", cwd=folder)
    assert "nan" in told.lower()


def test_a_profile_without_samples_says_which_table_is_missing(folder):
    (folder / "profile.toml").write_text('[campaign]\nname = "a"\ndomain = "image"\n')
    assert "[reference] is missing" in refused("separation", "profile.toml", "--space", "pixels", cwd=folder)
    assert "[generator] is missing" in refused("separation", "profile.toml", cwd=folder)
