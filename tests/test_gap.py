"""The boundary gap: crossings that are known by hand, and `dltf gap` on the demo's models."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import onnx
import pytest
from attrs import evolve, frozen
from calling import call, refused
from demo import demo_models
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper
from PIL import Image

from dltf.builtin.callables import CallableRunner
from dltf.builtin.classes import Classes
from dltf.campaign.gap.figures import class_pairs, difference, figures_of, gaps_of, interval
from dltf.campaign.gap.locate import RESOLUTION, Answers, Crossings, Ends, leads, locate
from dltf.campaign.gap.ways import Lines, lines_of, strengths_of
from dltf.plugin import Observations, Target
from dltf.search.engine import stream_of
from dltf.variant import Model, Variant
from dltf_image.domain import ImageDomain
from dltf_image.natural_presets import Natural
from dltf_image.operators.brightness import Brightness

LENGTH = 200  # grey levels from one end of a line to the other
IMAGES = ImageDomain()


@frozen
class Here:
    """A backend of one function of a batch of pictures."""

    function: Callable[[np.ndarray], np.ndarray]

    def targets(self) -> list[Target]:
        return [Target("here", "This interpreter.")]

    def open(self, file: Path, target: str) -> CallableRunner:
        return CallableRunner("function", self.function)


@frozen
class Labels(Classes):
    """As the decoder of classifiers, of labels alone."""

    def decode(self, outputs: Any) -> Observations:
        return evolve(super().decode(outputs), states=None, scorer=None)


def opened(function: Callable[[np.ndarray], np.ndarray], decoder: Classes | None = None) -> Variant:
    """Open a function from grey levels [n] to probabilities [n, classes]; settled on two pictures."""
    variant = Variant(
        "candidate", Model("function", Here(lambda batch: function(batch[:, 0, 0, 0])), None, None, {}), IMAGES.tensors
    )
    variant.__enter__()
    variant.settle(decoder or Classes(), [grey(0), grey(LENGTH)])
    return variant


def grey(level: int) -> np.ndarray:
    return np.full((1, 1, 1), level, dtype=np.uint8)


def above(threshold: float, width: float = 20.0) -> Callable[[np.ndarray], np.ndarray]:
    """Prefer class 1 above a grey level, surely some way from it: two probabilities."""

    def answer(levels: np.ndarray) -> np.ndarray:
        odds = np.exp(np.clip((levels.astype(np.float64) - threshold) / width, -300, 300))
        return np.stack([1 / (1 + odds), odds / (1 + odds)], axis=1).astype(np.float32)

    return answer


def line(count: int = 1) -> Lines:
    """From black to a grey of 200, `count` times."""
    seeds, others = (np.stack([grey(level)] * count) for level in (0, LENGTH))
    rows = np.arange(count)
    lengths = np.full(count, float(LENGTH))
    return Lines(seeds, [{}] * count, others, IMAGES.geometry.interpolate, rows, rows, lengths)


def located(
    function: Callable[[np.ndarray], np.ndarray],
    *,
    near: Crossings | None = None,
    decoder: Classes | None = None,
    answers: tuple[int, int] = (0, 1),
) -> Crossings:
    variant = opened(function, decoder)
    ways = line()
    both = Answers(np.array(answers[:1]), np.array(answers[1:]))
    seen = [leads(variant.observe(list(batch)), both) for batch in (ways.seeds, ways.others)]
    return locate(variant, ways, both, Ends(*seen), near)


# --- crossings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decoder", [Classes(), Labels()], ids=["scores", "labels alone"])
@pytest.mark.parametrize("threshold", [0.5, 99.5, 110.5, 199.5])
def test_a_crossing_lies_between_the_two_pictures_that_are_answered_differently(
    threshold: float, decoder: Classes
) -> None:
    """On a line of 200 grey levels, the answer changes between two of them: where the picture does."""
    found = located(above(threshold), decoder=decoder)
    assert found.low[0] <= threshold / LENGTH <= found.high[0]
    assert found.high[0] - found.low[0] <= RESOLUTION
    assert found.queries <= 10  # 200 pictures: 8 bits, and interpolation may be three behind


@given(st.integers(0, LENGTH - 1), st.floats(0.01, 0.99), st.floats(0.02, 200))
def test_pictures_seen_once_are_not_asked_for_again(level: int, more: float, width: float) -> None:
    asked: list[int] = []

    def remembering(levels: np.ndarray) -> np.ndarray:
        asked.extend(levels.tolist())
        return above(level + more, width)(levels)

    found = located(remembering)
    searched = asked[-found.queries :]
    assert len(set(searched)) == len(searched) == found.queries
    assert round(found.middle[0] * LENGTH, 2) == level + 0.5


def test_a_third_answer_on_the_way_ends_the_first() -> None:
    """Class 2 has its say from 60 to 140: the seed's answer is lost at 60."""

    def answer(levels: np.ndarray) -> np.ndarray:
        scores = np.stack([60.0 - levels, levels - 140.0, np.zeros(len(levels))], axis=1)
        powers = np.exp(scores / 10)
        return powers / powers.sum(axis=1, keepdims=True)

    assert located(answer).middle[0] * LENGTH == pytest.approx(60.5, abs=0.01)  # 60 itself is a tie, and goes to 0


def test_saturated_and_tied_probabilities_are_borne() -> None:
    """As of 8 bits: a probability of 0 or 1 nearly everywhere, and a tie on five levels."""

    def answer(levels: np.ndarray) -> np.ndarray:
        up = np.clip(np.round((levels.astype(np.float64) - 120) / 5) / 2 + 0.5, 0, 1)
        return np.stack([1 - up, up], axis=1)

    found = located(answer)
    assert found.middle[0] * LENGTH == pytest.approx(122.5, abs=0.01)  # a tie goes to the lowest class
    assert found.queries <= 12


def test_a_variant_that_answers_as_the_other_end_does_nowhere_is_not_searched() -> None:
    found = located(above(300))
    assert np.isnan(found.low[0])
    assert found.queries == 0


def test_a_way_with_an_output_that_is_not_finite_is_given_up() -> None:
    def answer(levels: np.ndarray) -> np.ndarray:
        scores = above(100)(levels)
        scores[(levels > 50) & (levels < 150)] = np.nan
        return scores

    assert np.isnan(located(answer).low[0])


def test_a_variant_is_where_itself_is_after_two_questions() -> None:
    first = located(above(99.5))
    again = located(above(99.5), near=first)
    assert (again.low[0], again.high[0]) == (first.low[0], first.high[0])
    assert again.queries == 2


def test_of_several_crossings_the_one_next_to_the_other_variants_is_found() -> None:
    """The answer is lost from 20 to 40, and from 150 on; the reference loses it at 148."""

    def answer(levels: np.ndarray) -> np.ndarray:
        one = ((levels > 20) & (levels < 40)) | (levels >= 150)
        return np.where(one[:, None], [0.1, 0.9], [0.9, 0.1])

    found = located(answer, near=located(above(147.5)))
    assert found.middle[0] * LENGTH == pytest.approx(149.5, abs=0.01)


def test_many_ways_are_located_as_each_alone() -> None:
    variant = opened(above(77.3))
    ways = line(100)
    answers = Answers(np.zeros(100, dtype=np.int64), np.ones(100, dtype=np.int64))
    ends = Ends(np.ones(100), -np.ones(100))
    done: list[int] = []
    found = locate(variant, ways, answers, ends, progressed=done.append)
    alone = locate(variant, line(), answers.take(np.arange(1)), Ends(np.ones(1), -np.ones(1)))
    assert set(found.low.tolist()) == {alone.low[0]}
    assert found.queries == 100 * alone.queries
    assert done[-1] == 100


# --- leads -------------------------------------------------------------------------------------------------------


def seen_as(*rows: list[float], scores: str = "probabilities") -> Observations:
    return Classes(output="y", scores=scores, floor=1e-3).decode({"y": np.array(rows, dtype=np.float32)})


def test_a_lead_is_over_the_best_of_the_others() -> None:
    seen = seen_as([0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0])
    found = leads(seen, Answers(np.zeros(4, dtype=np.int64), np.ones(4, dtype=np.int64)))
    assert found[:3] == pytest.approx([np.log(2), np.log(0.4), np.log(1000)])
    assert 0 < found[3] < 1e-300  # a tie that the answer wins


def test_a_lead_that_ties_and_loses_is_not_above_zero() -> None:
    found = leads(seen_as([0.5, 0.5]), Answers(np.ones(1, dtype=np.int64), np.zeros(1, dtype=np.int64)))
    assert found.tolist() == [0.0]


def test_without_the_states_of_all_the_lead_is_over_the_other_end() -> None:
    seen = evolve(seen_as([0.5, 0.1, 0.4], [0.2, 0.3, 0.5]), states=None)
    found = leads(seen, Answers(np.zeros(2, dtype=np.int64), np.ones(2, dtype=np.int64)))
    assert found == pytest.approx([np.log(5), np.log(0.4)])


def test_labels_alone_lead_by_one() -> None:
    seen = Observations(["a", "b"], np.zeros(2), None, np.zeros(2, dtype=bool), np.ones(2, dtype=bool))
    assert leads(seen, Answers(["a", "a"], ["b", "b"])).tolist() == [1.0, -1.0]


# --- ways --------------------------------------------------------------------------------------------------------


def test_lines_lead_to_the_nearest_that_is_answered_otherwise() -> None:
    levels = [0, 10, 100, 200, 90]
    wide = np.zeros((1, 2, 1), dtype=np.uint8)
    samples = [*map(grey, levels), wide]
    (found,) = lines_of(samples, [{}] * 6, [0, 0, 1, 1, 0, 1], IMAGES.geometry)
    assert found.rows.tolist() == [0, 1, 2, 3, 4]
    assert found.partners.tolist() == [2, 2, 4, 4, 2]
    assert found.lengths.tolist() == [100, 90, 10, 110, 10]


def test_an_operators_strength_is_told_in_its_own_unit() -> None:
    streams = [stream_of(0, case) for case in range(3)]
    (ways,) = strengths_of([grey(100)] * 3, [{}] * 3, streams, Brightness())
    amounts, unit = ways.amounts(np.array([1.0, 0.5, 0.0]))
    changes = np.stack(ways.ends())[:, 0, 0, 0].astype(int) - 100
    assert unit == "grey levels"
    assert amounts[0] == pytest.approx(abs(changes[0]), abs=0.5)
    assert amounts[1] == pytest.approx(abs(changes[1]) / 2, abs=0.5)
    assert amounts[2] == 0


@pytest.mark.parametrize("name", Natural().operators())
def test_amounts_grow_with_the_strength_from_nothing(name: str) -> None:
    operator = Natural().operators()[name]
    samples = np.full((5, 8, 8, 3), 90, dtype=np.uint8)
    draws = operator.draw(samples, [stream_of(1, case) for case in range(5)])
    if not hasattr(operator, "amounts"):
        assert name == "image.jpeg_compression"  # a quality is no strength
        return
    none, half, full = (operator.amounts(draws, np.full(5, strength)) for strength in (0.0, 0.5, 1.0))
    assert set(none[0].tolist()) <= {0.0, 1.0}
    assert (none[0] < half[0]).all()
    assert (half[0] < full[0]).all()
    assert none[1] == full[1] != ""


# --- figures -----------------------------------------------------------------------------------------------------


def crossings(*places: tuple[float, float]) -> Crossings:
    low, high = np.array(places, dtype=np.float64).T
    return Crossings(low, high, np.ones(len(low)), -np.ones(len(low)))


def test_gaps_by_hand() -> None:
    """One below what can be resolved, one of 10, one that differs at the seed, one that stays, one that is lost."""
    nan = float("nan")
    reference = crossings((0.4, 0.5), (0.4, 0.5), (0.4, 0.5), (0.4, 0.5), (0.4, 0.5))
    candidate = crossings((0.4, 0.5), (0.5, 0.6), (nan, nan), (nan, nan), (nan, nan))
    ends = Ends(np.array([1, 1, -1, 1, nan]), np.array([-1, -1, -1, 1, -1]))
    gaps = gaps_of(reference, candidate, ends, np.full(5, 100.0), np.full(5, 7.0))
    assert gaps.values[:4] == pytest.approx([0, 10, 45, 55])
    assert np.isnan(gaps.values[4])
    assert gaps.resolution[:3] == pytest.approx([7, 10, 5])
    assert gaps.unresolved.tolist() == [True, False, False, False, False]
    assert gaps.at_least.tolist() == [False, False, True, True, False]
    assert gaps.first.tolist() == [False, False, True, False, False]
    figures = figures_of(gaps)
    assert figures["mean"] == pytest.approx(27.5)
    assert figures["median"] == pytest.approx(27.5)
    assert (figures["paths"], figures["not_finite"], figures["unresolved"], figures["at_least"]) == (4, 1, 1, 2)
    assert class_pairs(gaps, [0, 0, 1, 1, 1], [1, 1, 0, 0, 0]) == [
        {"from": 1, "to": 0, "paths": 2, "mean": pytest.approx(50)},
        {"from": 0, "to": 1, "paths": 2, "mean": pytest.approx(5)},
    ]
    assert difference(gaps, gaps) == (0.0, (0.0, 0.0))


def test_an_interval_holds_the_mean_and_is_the_same_again() -> None:
    values = np.random.default_rng(3).exponential(2.0, 400)
    low, high = interval(values) or (0.0, 0.0)
    spread = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - spread, values.mean() + spread), rel=0.03)
    assert interval(values) == (low, high)
    assert interval(values[:0]) is None


# --- dltf gap ----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The demo's two models, and one whose weights are all changed by a tenth."""
    for model in demo_models().glob("*.onnx"):
        shutil.copy(model, tmp_path)
    change(tmp_path, "digits-changed.onnx", share=1.0)
    return tmp_path


def change(folder: Path, name: str, *, share: float) -> None:
    """Write digits.onnx with a share of its weights a tenth larger or smaller; with none, one of them."""
    model = onnx.load(folder / "digits.onnx")
    rng = np.random.default_rng(0)
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor).copy()
        if values.ndim > 1:
            values *= np.where(rng.random(values.shape) < share, 1 + 0.1 * rng.choice([-1, 1], values.shape), 1)
            if not share:
                values.flat[np.abs(values).argmax()] *= 1.1
                tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float32), tensor.name))
                break
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float32), tensor.name))
    onnx.save(model, folder / name)


DIGITS = ("--seeds", "image.digits", "--input", "range=[0,1]", "--count", "80")


def measured(folder: Path, *arguments: object) -> dict[str, Any]:
    called = call("gap", *arguments, *DIGITS, "--quiet", "--json", "gap.json", cwd=folder)
    assert called.status == 0, called.err
    assert not called.err
    found: dict[str, Any] = json.loads((folder / "gap.json").read_text())
    return found


def test_candidates_are_ranked_with_intervals_and_told_apart(folder: Path) -> None:
    models = ("digits.onnx", "digits-changed.onnx", "digits-int8.onnx", "digits.onnx")
    called = call("gap", *models, *DIGITS, "--quiet", "--json", "gap.json", "--plot", "gap.svg", cwd=folder)
    assert called.status == 0, called.err
    found = json.loads((folder / "gap.json").read_text())
    assert [one["name"] for one in found["candidates"]] == ["digits.onnx", "digits-int8.onnx", "digits-changed.onnx"]
    for one in found["candidates"][1:]:
        low, high = one["interval"]
        assert 0 < low < one["mean"] < high
        assert one["paths"] == found["paths"] == 80
        assert sum(pair["paths"] for pair in one["class_pairs"]) == 80
    assert found["unit"] == "grey levels"
    assert "digits-int8.onnx is nearer than digits-changed.onnx: difference" in called.out
    assert "digits.onnx: no gap that can be resolved" in called.out
    texts = [text.text for text in ET.parse(folder / "gap.svg").iter("{http://www.w3.org/2000/svg}text")]
    assert {"digits.onnx", "digits-int8.onnx", "gap to digits.onnx, rms grey levels"} <= set(texts)


def test_a_variant_has_no_gap_to_itself_and_few_queries(folder: Path) -> None:
    (itself,) = measured(folder, "digits.onnx", "digits.onnx")["candidates"]
    assert (itself["mean"], itself["interval"], itself["p95"]) == (0.0, [0.0, 0.0], 0.0)
    assert itself["unresolved"] == 80
    assert itself["queries"] <= 80 * 3


def test_one_weight_changed_by_a_tenth_is_seen_or_said_to_be_below_what_can_be_resolved(folder: Path) -> None:
    change(folder, "digits-one.onnx", share=0.0)
    (one,) = measured(folder, "digits.onnx", "digits-one.onnx")["candidates"]
    assert one["mean"] > 0
    assert one["unresolved"] > 40
    assert one["resolution"] > 0


def test_two_runs_measure_the_same(folder: Path) -> None:
    pair = ("digits.onnx", "digits-int8.onnx", "--operators", "image.geometric")
    assert measured(folder, *pair) == measured(folder, *pair)


def test_operators_are_told_in_their_own_units(folder: Path) -> None:
    (one,) = measured(folder, "digits.onnx", "digits-int8.onnx", "--operators", "image.geometric")["candidates"]
    units = {row["operator"]: row["unit"] for row in one["operators"]}
    assert units == {"image.rotation": "°", "image.translation": "px", "image.scale": "×", "image.shear": "°"}
    moved = next(row for row in one["operators"] if row["operator"] == "image.translation")
    assert moved["both"] >= 10
    assert 0 < moved["reference_interval"][0] <= moved["reference"] <= moved["reference_interval"][1] < 1.2
    told = call("gap", "digits.onnx", "digits-int8.onnx", *DIGITS, "--operators", "image.geometric", cwd=folder).out
    assert "digits-int8.onnx gives way at" in told
    assert "image.translation: " in told


def test_what_is_filled_in_is_told_once_for_the_reference(folder: Path) -> None:
    called = call(
        "gap", "digits.onnx", "digits-int8.onnx", "digits-changed.onnx", "--seeds", "image.digits", cwd=folder
    )
    assert called.err.count("reference: input.range") == 1
    assert called.err.count("digits-changed.onnx: input.range = [0.0, 1.0], guessed") == 1


# --- bad input ---------------------------------------------------------------------------------------------------

FUNCTIONS = """
import numpy as np

def bright(pictures):
    mean = pictures.reshape(len(pictures), -1).mean(axis=1) / 255
    return np.stack([1 - mean, mean], axis=1)

def dark(pictures):
    return 1 - bright(pictures)

def always(pictures):
    return np.tile([0.9, 0.1], (len(pictures), 1))

def nowhere_between(pictures):
    scores = bright(pictures)
    scores[(scores[:, 1] > 0.3) & (scores[:, 1] < 0.7)] = np.nan
    return scores

def partly(pictures):
    scores = bright(pictures)
    scores[scores[:, 1] > 0.9] = np.nan
    return scores
"""


@pytest.fixture
def functions(tmp_path: Path, write_module: Callable[[str], str]) -> str:
    """Write the functions and four pictures; return the module's name."""
    (tmp_path / "seeds").mkdir()
    for place, level in enumerate((10, 60, 200, 240)):
        Image.new("L", (4, 4), level).save(tmp_path / "seeds" / f"{place}.png")
    return write_module(FUNCTIONS)


def test_functions_have_gaps_too(functions: str, tmp_path: Path) -> None:
    called = call("gap", f"{functions}:bright", f"{functions}:bright", "--seeds", "seeds", "--quiet", cwd=tmp_path)
    assert called.status == 0, called.err
    assert "on 4 lines" in called.out


def test_seeds_that_are_all_answered_alike_have_no_line(functions: str, tmp_path: Path) -> None:
    told = refused("gap", f"{functions}:always", f"{functions}:bright", "--seeds", "seeds", "--quiet", cwd=tmp_path)
    assert "answers all 4 seeds alike (0): no line leads elsewhere" in told
    assert "--operators PRESET" in told


def test_seeds_that_are_all_answered_alike_can_be_measured_along_operators(functions: str, tmp_path: Path) -> None:
    arguments = ("--seeds", "seeds", "--quiet", "--operators", "image.geometric")
    called = call("gap", f"{functions}:always", f"{functions}:always", *arguments, cwd=tmp_path)
    assert called.status == 0, called.err
    assert "image.rotation: too few to tell (0 seeds" in called.out


def test_a_candidate_that_answers_no_seed_alike_is_refused(functions: str, tmp_path: Path) -> None:
    told = refused("gap", f"{functions}:bright", f"{functions}:dark", "--seeds", "seeds", "--quiet", cwd=tmp_path)
    assert f"{functions}:dark: it answers no seed as the reference does" in told


def test_among_others_a_candidate_that_answers_no_seed_alike_comes_last(functions: str, tmp_path: Path) -> None:
    models = [f"{functions}:{name}" for name in ("bright", "dark", "bright")]
    called = call("gap", *models, "--seeds", "seeds", "--quiet", "--plot", "gap.svg", cwd=tmp_path)
    rows = called.out.split("candidate  ")[1].splitlines()
    assert rows[1].startswith(f"{functions}:bright  0 [0, 0]")
    assert rows[2].split(maxsplit=1) == [f"{functions}:dark", "it answers no seed as the reference does"]


def test_outputs_that_are_not_finite_are_told(functions: str, tmp_path: Path) -> None:
    models = [f"{functions}:{name}" for name in ("bright", "partly")]
    called = call("gap", *models, "--seeds", "seeds", "--quiet", cwd=tmp_path)
    assert called.status == 0, called.err
    assert "lines left out, where it takes no such input or an output is not finite" in called.out


def test_a_measurement_may_come_to_nothing(functions: str, tmp_path: Path) -> None:
    models = [f"{functions}:{name}" for name in ("bright", "nowhere_between")]
    called = call("gap", *models, "--seeds", "seeds", "--quiet", "--json", "gap.json", cwd=tmp_path)
    assert called.status == 0, called.err
    (one,) = json.loads((tmp_path / "gap.json").read_text())["candidates"]
    assert (one["mean"], one["interval"], one["paths"], one["not_finite"]) == (None, None, 0, 4)


def test_a_plot_is_an_svg(folder: Path) -> None:
    told = refused("gap", "digits.onnx", "digits-int8.onnx", *DIGITS, "--plot", "gap.png", cwd=folder)
    assert "name a file such as gap.svg" in told
