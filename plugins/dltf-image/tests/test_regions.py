"""Where pictures differ, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dltf_image.geometry import ImageGeometry
from dltf_image.regions import CELLS

GEOMETRY = ImageGeometry()


def where(difference):
    """Name the region of a grey picture that differs by so many grey levels."""
    change = np.asarray(difference, np.uint8)[:, :, np.newaxis]
    (name,) = GEOMETRY.regions([np.full_like(change, 100)], [100 + change])
    return name


def in_cells(cells, side=9):
    """Spread these differences over a picture, each over a ninth of it."""
    return np.kron(np.reshape(cells, (3, 3)), np.ones((side // 3, side // 3), int))


@pytest.mark.parametrize(("cell", "name"), list(enumerate(CELLS)))
@pytest.mark.parametrize("side", [3, 9, 27])
def test_a_difference_in_one_cell_has_its_name(cell, name, side):
    assert where(in_cells(np.eye(9, dtype=int)[cell] * 50, side)) == name


def test_the_grid_reads_as_a_person_reads():
    assert CELLS[:3] == ("top left", "top", "top right")
    assert CELLS[3:6] == ("left", "centre", "right")


def test_equal_pictures_have_no_region():
    assert where(np.zeros((5, 4))) == ""


def test_a_change_of_all_is_everywhere():
    assert where(np.full((28, 28), 20)) == "everywhere"
    assert where(np.full((1, 1), 20)) == "everywhere"


def test_a_cell_needs_six_tenths_of_the_squared_difference():
    # 9 × 6² = 324 in the corner; with 8² × 3 = 192 elsewhere it is 63 %, with 8² × 4 = 256 it is 56 %.
    corner = in_cells([6, 0, 0, 0, 0, 0, 0, 0, 0])
    few, more = corner.copy(), corner.copy()
    few[[8, 7, 4], [8, 0, 8]] = 8
    more[[8, 7, 4, 4], [8, 0, 8, 0]] = 8
    assert where(few) == "top left"
    assert where(more) == "everywhere"  # the upper half has 324 + ½ × 128 of 580: 67 %


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        ([5, 5, 5, 0, 0, 0, 0, 0, 0], "upper half"),
        ([0, 0, 0, 0, 0, 0, 5, 5, 5], "lower half"),
        ([5, 0, 0, 5, 0, 0, 5, 0, 0], "left half"),
        ([0, 0, 5, 0, 0, 5, 0, 0, 5], "right half"),
        ([5, 0, 5, 0, 0, 0, 5, 0, 5], "everywhere"),
        ([0, 0, 0, 5, 5, 5, 0, 0, 0], "everywhere"),  # a level band in the middle: half of it above, half below
    ],
)
def test_what_is_in_no_cell_may_be_in_a_half(cells, name):
    assert where(in_cells(cells)) == name


def test_a_half_needs_eight_tenths():
    halves = np.zeros((8, 8), int)
    halves[:4] = 4  # 32 × 16 = 512
    halves[4:] = 1  # 32 × 1: 94 % are above
    assert where(halves) == "upper half"
    halves[4:] = 3  # 32 × 9 = 288: 64 %
    assert where(halves) == "everywhere"


def test_a_pixel_on_a_line_counts_in_proportion():
    # Of 4 columns a third is 4/3: column 1 lies to a third in the left cell, and to two thirds in the middle one.
    columns = np.zeros((3, 4), int)
    columns[1, 1] = 9
    assert where(columns) == "centre"
    columns[1] = [9, 9, 0, 0]  # 1 + 1/3 of 2 in the left cell: 67 %
    assert where(columns) == "left"
    columns[1] = [0, 9, 9, 0]  # 2 × 2/3 of 2 in the middle: 67 %
    assert where(columns) == "centre"


def test_channels_are_added_and_darker_counts_as_lighter():
    seed = np.full((6, 6, 3), 100, np.uint8)
    mutant = seed.copy()
    mutant[5, 5, 0] = 0  # 100² = 10,000 at the bottom right
    mutant[0, 0] = 150  # 3 × 50² = 7,500 at the top left: 57 %, and 43 %
    assert GEOMETRY.regions([seed], [mutant]) == ["everywhere"]
    mutant[0, 0] = 140  # 4,800: 68 %
    assert GEOMETRY.regions([seed], [mutant]) == ["bottom right"]


def test_pairs_of_several_shapes_go_together():
    seeds = [np.zeros((9, 9, 1), np.uint8), np.zeros((6, 6, 3), np.uint8), np.zeros((1, 1, 1), np.uint8)]
    mutants = [seed.copy() for seed in seeds]
    mutants[0][0, 8], mutants[1][5, 0] = 1, 255
    assert GEOMETRY.regions(seeds, mutants) == ["top right", "bottom left", ""]
    assert GEOMETRY.regions([], []) == []
