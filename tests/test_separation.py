"""The separation: exact whatever computes it, and what may be said of codes within it."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dltf.errors import MisfitError, UsageError
from dltf.feature import bytes as whole
from dltf.feature import products, scan
from dltf.feature.nearest import distances_to_others, nearest_labels
from dltf.feature.norms import NORMS, lengths
from dltf.feature.separation import closest, ordered, separation

NEAREST = [3532, 33406]  # of all pictures of MNIST; benchmarks/separation.py measures all of them
some_cases = settings(deadline=None, max_examples=40)
norms = st.sampled_from(NORMS)


def by_definition(codes, labels, reference, reference_labels, norm):
    """Distances and rows, one point at a time, by nothing but subtraction."""
    deltas, rows = [], []
    other = np.array([hash(label) for label in reference_labels])
    for code, label in zip(codes, labels, strict=True):
        apart = lengths(np.float64(code) - np.float64(reference), norm)
        apart[other == hash(label)] = np.inf
        deltas.append(apart.min())
        rows.append(apart.argmin())
    return np.array(deltas), np.array(rows)


@st.composite
def labelled(draw, least=2, most=60):
    """Codes on several scales, with ties, duplicates and an offset that the expanded formula would drown in."""
    count, width = draw(st.integers(least, most)), draw(st.integers(1, 6))
    values = st.one_of(st.integers(-3, 3).map(float), st.floats(-10, 10, allow_subnormal=False, width=32))
    codes = draw(hnp.arrays(np.float64, (count, width), elements=values))
    codes = codes * draw(st.sampled_from([1.0, 1e-6, 1e6])) + draw(st.sampled_from([0.0, 1.0, 1e8]))
    labels = draw(st.lists(st.sampled_from("abc"), min_size=count, max_size=count))
    assume(len(set(labels)) > 1)
    return codes, labels


def test_a_case_worked_by_hand():
    codes = np.array([[0.0, 0.0], [1.0, 1.0], [3.0, 4.0], [3.0, 0.0], [10.0, 0.0]])
    labels = [0, 0, 1, 1, 2]
    found = separation(codes, labels)
    assert found.nearest.tolist() == [3, 3, 1, 1, 3]
    assert found.deltas.tolist() == [3.0, 5.0**0.5, 13.0**0.5, 5.0**0.5, 7.0]
    assert found.r == 5.0**0.5 / 2
    assert found.by_class() == {0: 5.0**0.5 / 2, 1: 5.0**0.5 / 2, 2: 3.5}
    assert found.suspects(3).tolist() == [1, 3, 0]
    names, least = found.pairs()
    assert names == [0, 1, 2]
    assert least[0, 1] == 5.0**0.5 / 2
    assert least[1, 2] == 3.5
    assert least[2, 0] == 82.0**0.5 / 2
    assert np.isnan(np.diag(least)).all()


def test_the_norms_worked_by_hand():
    codes, labels = np.array([[0.0, 0.0], [3.0, 4.0]]), ["a", "b"]
    assert [separation(codes, labels, norm).deltas.tolist() for norm in NORMS] == [[7.0, 7.0], [5.0, 5.0], [4.0, 4.0]]


@some_cases
@given(labelled(), norms)
def test_every_distance_is_the_definition_s_bit_for_bit(case, norm):
    codes, labels = case
    deltas, rows = by_definition(codes, labels, codes, labels, norm)
    found = separation(codes, labels, norm)
    assert found.deltas.tobytes() == deltas.tobytes()
    assert found.nearest.tolist() == rows.tolist()


@some_cases
@given(st.data(), st.sampled_from([np.uint8, np.int16]), norms)
def test_integers_are_exact(data, dtype, norm):
    count = data.draw(st.integers(2, 40))
    samples = data.draw(hnp.arrays(dtype, (count, 3, 2), elements=st.integers(0, 255)))
    labels = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    assume(len(set(labels)) > 1)
    flat = samples.reshape(count, -1)
    deltas, rows = by_definition(flat, labels, flat, labels, norm)
    found = separation(samples, labels, norm)
    assert (found.deltas.tolist(), found.nearest.tolist()) == (deltas.tolist(), rows.tolist())
    assert closest(samples, labels, samples, labels, norm) == deltas.min()


def test_bytes_that_are_nearly_as_far_apart_as_can_be_are_not_taken_for_the_farthest() -> None:
    samples = np.zeros((32, 6), dtype=np.uint8)
    samples[31, 0] = 254
    found = separation(samples, [0] * 31 + [1], "linf")
    assert found.deltas.tolist() == [254.0] * 32


@some_cases
@given(labelled(), norms, st.data())
def test_block_sizes_threads_and_the_order_of_rows_change_no_bit(case, norm, data):
    codes, labels = case
    plain = separation(codes, labels, norm, threads=1)
    with pytest.MonkeyPatch.context() as patch:
        for searcher in (products.Products, scan.Scan, whole.Bytes):
            patch.setattr(searcher, "block", data.draw(st.integers(1, 9)))
        patch.setattr(products, "_WIDE", data.draw(st.integers(1, 20)))
        patch.setattr(products, "_ROWS", data.draw(st.integers(1, 5)))
        patch.setattr(products, "_COPIED", data.draw(st.integers(1, 20)))
        patch.setattr(products, "_GROUP", data.draw(st.integers(1, 5)))
        patch.setattr(products, "_MANY", data.draw(st.integers(0, 2)))
        patch.setattr(products, "_PAIRS", data.draw(st.integers(1, 5)))
        patch.setattr(scan, "_FEW", 1)
        patch.setattr(scan, "_VALUES", 1)
        patch.setattr(scan, "_FIRST", 1)
        other = separation(codes, labels, norm, threads=data.draw(st.integers(1, 3)))
        assert other.deltas.tobytes() == plain.deltas.tobytes()
        assert other.nearest.tolist() == plain.nearest.tolist()
    order = np.array(data.draw(st.permutations(range(len(codes)))))
    turned = separation(codes[order], [labels[row] for row in order], norm)
    assert turned.deltas.tobytes() == plain.deltas[order].tobytes()


@some_cases
@given(labelled(), norms, st.data())
def test_no_code_within_a_radius_has_another_label_as_near_as_its_seed_s(case, norm, data):
    codes, labels = case
    found = separation(codes, labels, norm)
    row = data.draw(st.integers(0, len(codes) - 1))
    away = data.draw(hnp.arrays(np.float64, codes.shape[1], elements=st.floats(-1, 1)))
    far = float(lengths(away[None], norm)[0])
    assume(far > 1e-9 and found.radii[row] > 0)
    code = codes[row] + away / far * found.radii[row] * data.draw(st.floats(0, 0.99))
    move = lengths((code - codes[row])[None], norm)[0]
    assume(move < found.radii[row])  # the addition may have rounded it outward
    apart = lengths(code - codes, norm)
    other = np.array([label != labels[row] for label in labels])
    assert (apart[other] > move).all()


@some_cases
@given(labelled(), norms)
def test_balls_of_different_labels_do_not_meet(case, norm):
    codes, labels = case
    found = separation(codes, labels, norm)
    for row, label in enumerate(labels):
        apart = lengths(codes[row] - codes, norm)
        other = np.array([label != one for one in labels])
        assert (found.deltas[row] <= apart[other]).all()
        assert (found.radii[row] + found.radii[other] <= apart[other]).all()


@some_cases
@given(labelled(), norms)
def test_pairs_of_labels_hold_the_least_distance_between_them(case, norm):
    codes, labels = case
    names, least = separation(codes, labels, norm).pairs()
    mine = np.array(labels)
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            apart = [lengths(code - codes[mine == other], norm).min() for code in codes[mine == one]]
            assert np.isnan(least[i, j]) if i == j else least[i, j] == min(apart) / 2


@some_cases
@given(labelled(least=6), norms, st.data())
def test_without_some_points_it_is_that_of_the_others(case, norm, data):
    codes, labels = case
    drop = data.draw(st.lists(st.integers(0, len(codes) - 1), max_size=4))
    kept = [row for row in range(len(codes)) if row not in drop]
    assume(len({labels[row] for row in kept}) > 1)
    fewer = separation(codes, labels, norm).without(drop)
    anew = separation(codes[kept], [labels[row] for row in kept], norm)
    assert fewer.rows.tolist() == kept
    assert fewer.deltas.tobytes() == anew.deltas.tobytes()
    assert fewer.nearest.tolist() == anew.nearest.tolist()


@some_cases
@given(labelled(), labelled(), norms)
def test_seeds_outside_the_reference_are_measured_among_it(case, others, norm):
    codes, labels = others
    reference, reference_labels = case
    width = min(codes.shape[1], reference.shape[1])
    codes, reference = codes[:, :width], reference[:, :width]
    deltas, rows = by_definition(codes, labels, reference, reference_labels, norm)
    found = distances_to_others(codes, labels, reference, reference_labels, norm)
    assert (found[0].tolist(), found[1].tolist()) == (deltas.tolist(), rows.tolist())
    told, places, distances = nearest_labels(codes, reference, reference_labels, norm)
    plain = [lengths(code - reference, norm) for code in codes]
    assert places.tolist() == [int(apart.argmin()) for apart in plain]
    assert distances.tolist() == [apart.min() for apart in plain]
    assert told == [reference_labels[place] for place in places]


@pytest.mark.parametrize("norm", NORMS)
def test_near_duplicates_far_from_the_origin_keep_their_digits(norm):
    stream = np.random.default_rng(0)
    codes = 1e9 + stream.normal(size=(400, 8)) * 1e4
    codes[200:] = codes[:200] + stream.normal(size=(200, 8)) * 1e-3  # ‖a‖² + ‖b‖² − 2a·b is off by about 1000 here
    codes[-1] = 1e12
    labels = [0] * 200 + [1] * 200
    deltas, rows = by_definition(codes, labels, codes, labels, norm)
    found = separation(codes, labels, norm)
    assert 0 < found.r < 1
    assert found.deltas.tobytes() == deltas.tobytes()
    assert found.nearest.tolist() == rows.tolist()


@pytest.mark.parametrize("norm", NORMS)
def test_many_codes_that_float32_cannot_tell_apart_are_told_apart(norm):
    codes = np.concatenate([1 + np.random.default_rng(1).random((2500, 4)) * 1e-9, [[1e3] * 4]])
    labels = [number % 3 for number in range(2501)]
    deltas, rows = by_definition(codes, labels, codes, labels, norm)
    found = separation(codes, labels, norm)
    assert found.deltas.tobytes() == deltas.tobytes()
    assert found.nearest.tolist() == rows.tolist()


@pytest.mark.parametrize("norm", NORMS)
def test_more_codes_than_a_block_agree_with_the_definition_on_some(norm):
    stream = np.random.default_rng(2)
    codes, labels = stream.normal(size=(6000, 12)).astype(np.float32), stream.integers(0, 4, 6000).tolist()
    some = stream.permutation(6000)[:100]
    found = separation(codes, labels, norm)
    deltas, rows = by_definition(codes[some], [labels[row] for row in some], codes, labels, norm)
    assert found.deltas[some].tobytes() == deltas.tobytes()
    assert found.nearest[some].tolist() == rows.tolist()
    assert found.r == closest(codes, labels, codes, labels, norm) / 2


def test_the_lowest_of_rows_that_are_equally_near_is_told():
    codes = np.array([[0.0], [2.0], [-2.0], [2.0]])
    assert separation(codes, ["a", "c", "b", "b"]).nearest.tolist() == [1, 3, 0, 1]


def test_no_more_than_its_share_has_less_than_the_trimmed_radius():
    codes = np.concatenate([np.zeros((1, 1)), np.arange(1.0, 200.0)[:, None] ** 2])
    found = separation(codes, [number % 2 for number in range(200)])
    for share in (0.0, 0.01, 0.1, 0.5):
        below = np.count_nonzero(found.radii < found.trimmed(share))
        assert below <= share * 200
    assert found.trimmed(0.0) == found.r


def test_duplicates_under_two_labels_are_named_and_told_of():
    codes = np.random.default_rng(3).normal(size=(150, 3))
    codes[90] = codes[10]
    labels = [0] * 75 + [1] * 75
    found = separation(codes, labels)
    assert found.r == 0
    assert sorted(found.suspects(2).tolist()) == [10, 90]
    assert "2 points lie where one of another label lies" in found.doubts()[0]
    assert "trimmed" in found.doubts()[0]
    fewer = found.without(found.suspects(2))
    assert fewer.r > 0
    assert fewer.doubts() == []


def test_few_points_and_single_ones_raise_doubts():
    codes = np.arange(12.0)[:, None]
    doubts = separation(codes, ["a"] * 6 + ["b"] * 5 + ["c"]).doubts()
    assert "only 12 reference points" in doubts[0]
    assert "a single reference point for c" in doubts[1]


@pytest.mark.parametrize(
    ("codes", "labels", "told"),
    [
        (np.zeros((3, 2)), [7, 7, 7], "one label alone, 7"),
        (np.zeros((0, 2)), [], "no samples"),
        (np.zeros((3, 2)), [1, None, 2], "1 of 3 reference samples have no label"),
        (np.array([[0.0], [np.nan]]), [0, 1], "nan"),
        (np.array([[0.0], [np.inf]]), [0, 1], "inf"),
        (np.zeros((3, 2)), [1, 2], "3 points and 2 labels"),
    ],
)
def test_what_cannot_be_measured_is_refused(codes, labels, told):
    with pytest.raises(MisfitError, match=told):
        separation(codes, labels)


def test_points_of_another_width_and_unknown_norms_are_refused():
    with pytest.raises(MisfitError, match="points have 3 values each, reference points 2"):
        distances_to_others(np.zeros((1, 3)), [0], np.zeros((2, 2)), [0, 1])
    with pytest.raises(UsageError, match='no norm "l3"'):
        separation(np.zeros((2, 2)), [0, 1], "l3")
    with pytest.raises(MisfitError, match="nothing of another label than 0"):
        distances_to_others(np.zeros((1, 2)), [0], np.zeros((2, 2)), [0, 0])


def test_labels_are_told_in_an_order_of_their_own():
    assert ordered([10, 9, 10, 2]) == [2, 9, 10]
    assert ordered(["b", 2, "a", (1, 2), 1]) == [1, 2, "a", "b", (1, 2)]


def test_progress_ends_with_all_points():
    told = []
    separation(np.arange(300.0)[:, None], [0, 1] * 150, "linf", told=lambda *one: told.append(one))
    assert told[-1] == ("distances", 300, 300)


@pytest.fixture(scope="module")
def mnist():
    file = Path(os.environ.get("DLTF_DATA", "")) / "mnist.npz"
    if "DLTF_DATA" not in os.environ or not file.is_file():
        pytest.skip("needs mnist.npz: set DLTF_DATA to a folder that has it")
    with np.load(file) as arrays:
        return {name: arrays[name] for name in arrays.files}


def test_the_published_separation_of_mnist_in_pixels(mnist):
    train, labels = mnist["x_train"], mnist["y_train"].tolist()
    test, test_labels = mnist["x_test"], mnist["y_test"].tolist()
    assert closest(test, test_labels, train, labels, "linf") == 207
    some = np.union1d(NEAREST, np.arange(8000))
    assert separation(train[some], [labels[row] for row in some], "linf").deltas.min() == 188
