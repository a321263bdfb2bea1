"""What a model's further inputs get: constants, and columns of the seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from calling import call, small_demo, summary_of
from odd_models import with_two_inputs
from PIL import Image

from dltf.errors import MisfitError
from dltf.feed import Feed, bind
from dltf.plugin import TensorSpec

X, T = TensorSpec("x", (None, 4), "float32"), TensorSpec("t", (None, 2, None), "float32")
N = TensorSpec("n", (None,), "int64")


def test_a_number_fills_the_input_and_an_array_fits_it():
    feeds, left = bind({"t": Feed(value=0.5), "n": Feed(value=3)}, [X, T, N])
    assert left == [X]
    fed = feeds.batch(3, None)
    assert fed["t"].shape == (3, 2, 1)
    assert fed["t"].dtype == np.float32
    assert (fed["t"] == 0.5).all()
    assert fed["n"].tolist() == [3, 3, 3]
    wide, _ = bind({"t": Feed(value=[[1, 2, 3], [4, 5, 6]])}, [X, T])
    assert wide.batch(1, None)["t"].tolist() == [[[1, 2, 3], [4, 5, 6]]]


def test_a_column_gives_each_row_its_own():
    feeds, _ = bind({"n": Feed(column="length")}, [X, N])
    assert feeds.batch(2, [{"length": 4}, {"length": 9}])["n"].tolist() == [4, 9]


@pytest.mark.parametrize(
    ("feeds", "told"),
    [
        ({"m": Feed(value=1)}, 'the model has no input "m"'),
        ({"t": Feed(value=[1, 2, 3])}, "the input t float32[?×2×?] cannot get [1, 2, 3]"),
        ({"n": Feed(value=1.5)}, "the input n int64[?] cannot get 1.5"),
        ({"n": Feed(value="many")}, "cannot get 'many'"),
        ({"n": Feed(file=Path("nowhere.npy"))}, "nowhere.npy, which the input n int64[?] gets, is no array"),
    ],
)
def test_what_does_not_fit_is_told_with_the_input(feeds, told):
    with pytest.raises(MisfitError) as caught:
        bind(feeds, [X, T, N])
    assert told in str(caught.value)


def test_a_seed_without_the_column_is_a_misfit():
    feeds, _ = bind({"n": Feed(column="length")}, [X, N])
    with pytest.raises(MisfitError, match=r'no column "length", which .*did you mean "lenght"'):
        feeds.batch(1, [{"lenght": 4}])


def test_exactly_one_way_is_taken():
    with pytest.raises(ValueError, match="give one of value, file and column"):
        Feed(value=1, column="length")


# --- through the command line ------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The demo, its candidate with a second input by which its scores are multiplied."""
    small_demo(tmp_path)
    with_two_inputs(tmp_path / "digits-int8.onnx", tmp_path / "two.onnx")
    return tmp_path


TWO = ("--set", "models.candidate.file=two.onnx")


def test_a_model_of_two_inputs_asks_for_the_second(folder: Path) -> None:
    called = call("run", "profile.toml", *TWO, cwd=folder)
    assert called.status == 2
    assert "the model has 2 inputs (picture float32[?×8×8×1], temperature float32[?×10])" in called.err
    assert "say in [models.*.feed] what the others get" in called.err


def test_a_constant_is_fed_and_recorded(folder: Path) -> None:
    called = call(
        "run", "profile.toml", *TWO, "--set", "models.candidate.feed.temperature=1.0", "--out", "a", cwd=folder
    )
    assert called.status == 0, called.err
    plain = call("run", "profile.toml", "--out", "b", cwd=folder)
    assert plain.status == 0
    same = "findings_sha256"
    assert summary_of(folder / "a")[same] == summary_of(folder / "b")[same]
    assert call("run", "a", "--resume", cwd=folder).status == 0  # its profile has the feed, too


def test_a_dry_run_feeds_the_columns_of_the_seeds(folder: Path) -> None:
    (folder / "pictures").mkdir()
    rows = ["file,heat"]
    for row, values in enumerate(np.random.default_rng(3).integers(0, 256, (40, 8, 8), dtype=np.uint8)):
        Image.fromarray(values).save(folder / "pictures" / f"{row:02d}.png")
        rows.append(f"{row:02d}.png,{1 + row % 3}")
    (folder / "pictures" / "manifest.csv").write_text("\n".join(rows))
    feed = ("--candidate-input", "feed.temperature.column=heat", "--input", "range=[0,1]")
    two = ("compare", "digits.onnx", "two.onnx", "--seeds", "pictures", "--queries", 20, *feed)
    called = call(*two, "--dry-run", cwd=folder)
    assert called.status == 0, called.err
    assert "queries a second" in called.out
    assert call(*two, "--out", "run", cwd=folder).status == 0
    assert summary_of(folder / "run")["screened"]["seeds"] == 40


def test_a_file_is_fed(folder: Path) -> None:
    np.save(folder / "cold.npy", np.full(10, -1.0, dtype=np.float32))
    feed = ("--set", "models.candidate.feed.temperature.file=cold.npy", "--set", "search.max_queries=0")
    assert call("run", "profile.toml", *TWO, *feed, "--out", "a", cwd=folder).status == 1  # its gate does not hold
    assert summary_of(folder / "a")["screened"]["natural"] == 30  # the least likely class wins
