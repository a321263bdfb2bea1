"""The page of a matrix: what it tells of variants, pairs, times and failures, and that no name or gap breaks it."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pages import Page
from written_matrix import GATES, REFERENCE, VARIANTS, written_matrix

from dltf.errors import ReportError
from dltf.matrix.verdict import FAILURES, VERDICTS
from dltf.report.matrix import write_matrix_report
from dltf.report.matrix.levels import MEANINGS
from dltf.report.matrix.pareto import Point, front_of
from dltf.report.matrix.rows import rows_of
from dltf.report.previews import Preview, embedded

PICTURE = embedded(b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>', ".svg")


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    return written_matrix(gates=GATES)


@pytest.fixture(scope="module")
def folder(written: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_matrix_report(written, tmp_path_factory.mktemp("matrix"), lambda case: PICTURE).parent


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page(folder / "report.html")


def of(written: Mapping[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in written["variants"] if one["name"] == name)
    return found


def report(written: Mapping[str, Any], folder: Path) -> Page:
    return Page(write_matrix_report(written, folder))


# --- what it tells -----------------------------------------------------------------------------------------------


def test_the_headline_names_how_many_agree_and_who_differs_most(page: Page, written: Mapping[str, Any]) -> None:
    counts = [one["figures"]["labels"]["differ"] for one in written["variants"] if "figures" in one]
    told = f"{counts.count(0)} of {len(counts)} variants label as {REFERENCE} does on all 1,000 seeds"
    assert page.headings[0] == f"{told}; ort-static-int8-uncalibrated labels {max(counts)} of 1,000 otherwise"


def test_the_sections_come_in_their_order(page: Page) -> None:
    sections = [
        *("Variants", "Label differences between each two variants", "Time", "Trade-offs"),
        *("Size, loading and memory", "Inputs that are answered differently", "Conversions", "Gates", "Environment"),
    ]
    assert [heading for heading in page.headings if heading in sections] == sections


def test_the_largest_slow_down_is_one_that_may_be_claimed(written: Mapping[str, Any], tmp_path: Path) -> None:
    assert re.search(
        r"Largest slow-down ×12 of the time at batch 1 16 litert-float-reference-kernels",
        (report(written, tmp_path)).text,
    )
    doubted = copy.deepcopy(dict(written))
    for claim in doubted["timing"]["claims"]:
        claim["claimed"] = False
    assert "Largest slow-down none none is above the noise" in report(doubted, tmp_path).text
    for claim in doubted["timing"]["claims"]:
        claim["smallest_detectable"] = None
    assert "Largest slow-down none the rounds are too few to claim one" in report(doubted, tmp_path).text


def test_the_reference_comes_first_and_the_others_as_they_were_given(written: Mapping[str, Any]) -> None:
    turned = dict(written) | {"reference": "openvino-f32"}
    names = [row.name for row in rows_of(turned)]
    assert names == ["openvino-f32", *(one.name for one in VARIANTS if one.name != "openvino-f32")]


def test_pairs_follow_the_order_of_the_rows(written: Mapping[str, Any], tmp_path: Path) -> None:
    places = [one.name for one in VARIANTS]
    first, second = places.index("openvino-int8"), places.index("torch-int8")
    count = written["differences"][first][second]
    page = report(dict(written) | {"reference": "openvino-int8"}, tmp_path)
    assert ("td", "title", f"openvino-int8 · torch-int8: {count} seeds ({count / 1000:.2%})") in page.attributes
    assert ("td", "title", "openvino-int8 · ort-cuda: not compared") in page.attributes


def test_every_verdict_is_explained(page: Page, written: Mapping[str, Any]) -> None:
    assert tuple(MEANINGS) == VERDICTS
    style = page.source.partition("<style>")[2].partition("</style>")[0]
    assert all(f".level-{level.replace(' ', '-')}" in style for level in VERDICTS)
    for level in {one["verdict"] for one in written["variants"]}:
        assert f"{MEANINGS[level]}" in page.text


def test_a_failure_is_a_row_with_its_reason(page: Page) -> None:
    assert page.text.count('does not load there is no device "NPU" on this machine') == 1
    assert sum(one.failure in FAILURES for one in VARIANTS) == 3
    assert page.source.count('<tbody id="v') == len(VARIANTS)
    assert page.source.count(' class="lost">') == 3


def test_only_what_is_claimed_is_called_slower_or_faster(page: Page, written: Mapping[str, Any]) -> None:
    claims = written["timing"]["claims"]
    for css, wanted in (
        ("slower", [one for one in claims if one["claimed"] and one["ratio"] > 1]),
        ("faster", [one for one in claims if one["claimed"] and one["ratio"] < 1]),
        ("alike", [one for one in claims if not one["claimed"]]),
    ):
        assert page.source.count(f'class="dot {css}"') == len(wanted) > 0
    assert "ort-cpu-disabled" in {one["variant"] for one in claims if not one["claimed"]}


def test_a_conversion_that_many_share_is_told_once(page: Page) -> None:
    steps = page.source.partition('id="conversions"')[2].partition("</section>")[0]
    assert len(re.findall(r'<th scope="row"><bdi>torch.to_onnx</bdi></th>', steps)) == 1
    assert "torch.to_onnx" in steps
    assert "quantised convolutions" in steps


def test_classes_are_named_and_inputs_are_shown(page: Page, written: Mapping[str, Any]) -> None:
    worst = next(one for one in written["worst"] if one["kind"] == "label")
    named = written["classes"]
    assert f"{worst['seed_name']} #{worst['case']}" in page.text
    assert f"{named[worst['reference']]} ✓" in page.text
    assert len([1 for tag, name, _ in page.attributes if (tag, name) == ("img", "src")]) == len(written["worst"])


def test_a_preview_that_cannot_be_drawn_says_so(written: Mapping[str, Any], tmp_path: Path) -> None:
    def broken(case: int) -> Preview | None:
        raise ValueError(f"no such picture: {case}")

    page = Page(write_matrix_report(written, tmp_path, broken))
    assert f"no preview: ValueError: no such picture: {written['worst'][0]['case']}" in page.text


def test_what_was_not_pinned_is_said(page: Page) -> None:
    assert "pinned every runtime that has a setting for it runs on 1 thread; litert has none" in page.text


def test_without_labels_the_agreement_takes_the_place_of_accuracy(tmp_path: Path) -> None:
    page = report(written_matrix(VARIANTS[:4], labelled=False, timing=False), tmp_path)
    assert "Agreement with the reference against size" in page.text
    assert "accuracy" not in page.text
    assert "Time" not in page.headings


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_nothing_beats_the_front_and_the_front_beats_all_else(pairs: list[tuple[int, int]]) -> None:
    row = rows_of({"variants": [{"name": "a"}]})[0]
    points = [Point(row, cost, worth, "") for cost, worth in pairs]
    front = front_of(points)
    assert [one.cost for one in front] == sorted({one.cost for one in front})
    for point in points:
        assert any(one.cost <= point.cost and one.worth >= point.worth for one in front)
    for one in front:
        assert not any(
            (other.cost < one.cost and other.worth >= one.worth) or (other.cost == one.cost and other.worth > one.worth)
            for other in points
        )


# --- junit -------------------------------------------------------------------------------------------------------


def test_junit_has_a_case_for_each_gate_and_each_failed_variant(folder: Path) -> None:
    suite = ET.parse(folder / "junit.xml").getroot()[0]
    cases = {case.get("name"): [child.tag for child in case] for case in suite.findall("testcase")}
    assert cases == {
        "gate verdict of openvino-int8, at most rank change": ["failure"],
        "gate figures.labels.share of ort-cpu-all, at most 0.01": [],
        "variant ort-cuda": ["skipped"],
        "variant openvino-npu": ["skipped"],
        "variant tflite-pruned-then-onnx": ["skipped"],
    }
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["5", "1", "0", "3"]


def test_without_gates_there_is_no_junit(tmp_path: Path) -> None:
    report(written_matrix(VARIANTS[:2], timing=False), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


# --- what may be missing -----------------------------------------------------------------------------------------


def test_an_empty_matrix_has_a_page(tmp_path: Path) -> None:
    assert "0 of 0 variants ran" in report({}, tmp_path).text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_key_that_is_missing_null_or_of_another_kind_breaks_nothing(
    data: st.DataObject, written: Mapping[str, Any], tmp_path: Path
) -> None:
    strange = st.sampled_from([None, "", "text", 0, -1, math.inf, [], [None], {}, {"a": None}, True])
    few = {"variants": written["variants"][:4], "differences": written["differences"][:4]}
    broken = copy.deepcopy(dict(written) | few)
    for _ in range(data.draw(st.integers(1, 6))):
        at: Any = broken
        while True:
            key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
            if not (isinstance(at[key], (dict, list)) and at[key]) or data.draw(st.integers(0, 3)) == 0:
                break
            at = at[key]
        at[key] = copy.deepcopy(data.draw(strange))
    assert report(broken, tmp_path).headings[0]


def test_a_page_that_cannot_be_made_leaves_the_one_before(written: Mapping[str, Any], tmp_path: Path) -> None:
    class Broken(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            raise ValueError("not today")

    file = write_matrix_report(written, tmp_path)
    before = file.read_bytes()
    with pytest.raises(ReportError, match="ValueError: not today"):
        write_matrix_report(Broken(), tmp_path)
    assert file.read_bytes() == before
