"""What DFlare's release and its paper have, and what natural changes there are."""

from __future__ import annotations

from dltf_image.natural_presets import Geometric, Natural, Photographic
from dltf_image.presets import DflarePaper, DflareReleased

NOISES = ("image.gaussian_noise", "image.multiplicative_noise")


def test_the_release_has_seven_operators_and_wraps():
    operators = DflareReleased().operators()
    assert len(operators) == 7
    assert {operators[name].overflow for name in NOISES} == {"wrap"}


def test_the_paper_has_six_operators_of_the_same_ranges_and_clips():
    released, paper = DflareReleased().operators(), DflarePaper().operators()
    assert set(released) - set(paper) == {"image.salt_and_pepper"}
    assert {paper[name].overflow for name in NOISES} == {"clip"}
    assert all(paper[name] == released[name] for name in paper if name not in NOISES)
    assert paper["image.gaussian_noise"].variance == released["image.gaussian_noise"].variance == 0.1


def test_ranges_are_those_of_the_release():
    operators = DflareReleased().operators()
    assert operators["image.salt_and_pepper"].amount == 0.004
    assert operators["image.multiplicative_noise"].max_mean == 0.5
    assert operators["image.multiplicative_noise"].max_variance == 0.05
    assert operators["image.pixel_change"].max_values == 9
    assert operators["image.average_blur"].kernels == (1, 2, 3, 4, 5)
    assert operators["image.gaussian_blur"].kernels == operators["image.median_blur"].kernels == (1, 3, 5, 7)


def test_natural_changes_are_the_photographic_the_geometric_and_occlusion():
    photographic, geometric, natural = (preset().operators() for preset in (Photographic, Geometric, Natural))
    assert (len(photographic), len(geometric)) == (8, 4)
    assert natural == {**photographic, **geometric, "image.occlusion": natural["image.occlusion"]}
    assert natural["image.gaussian_noise"].overflow == "clip"
