"""The oracle of detectors, alone and in a campaign on a small real detector against its 8-bit self."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from calling import call, summary_of
from hypothesis import given, settings
from hypothesis import strategies as st

from dltf.plugin import MisfitError
from dltf.testing import observations
from dltf_image.detection.geometry import overlaps
from dltf_image.detection.oracle import MatchedBoxes

EXAMPLE = Path(__file__).parents[3] / "examples" / "detector"
SOME = settings(deadline=None, derandomize=True, max_examples=100)

BOXES = st.tuples(
    *(st.integers(0, 1), st.integers(0, 5), st.integers(0, 5), st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from([0.5, 0.55, 0.8]),
).map(lambda box: (box[0], box[1] / 8, box[2] / 8, (box[1] + box[3]) / 8, (box[2] + box[4]) / 8, box[5]))
SETS = st.lists(BOXES, max_size=4).map(lambda boxes: tuple(sorted(boxes)))
ORACLES = st.builds(MatchedBoxes, iou=st.sampled_from([0.2, 0.5, 1.0]), score_margin=st.sampled_from([0.0, 0.1]))


def judge(oracle, ours, theirs):
    verdicts = oracle.judge(observations([ours]), observations([theirs]))
    return bool(verdicts.deviates[0]), float(verdicts.distances[0])


def square(x, y, side=0.25, number=0, score=0.9):
    return (number, x, y, x + side, y + side, score)


# --- golden cases ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs", "deviates", "distance"),
    [
        ((), (), False, 0.0),
        ((square(0, 0),), (), True, 1.0),
        ((square(0, 0),), (square(0, 0, score=0.6),), False, 0.0),  # scores may differ
        ((square(0, 0),), (square(0, 0, number=1),), True, 1.0),
        ((square(0, 0),), (square(0.0625, 0),), False, 0.0),  # 3 of 5 parts overlap
        ((square(0, 0),), (square(0.125, 0),), True, 1.0),  # 2 of 6
        ((square(0, 0), square(0.5, 0)), (square(0, 0),), True, 1 / 3),  # F1 = 2 ÷ 3
        ((square(0, 0), square(0, 0)), (square(0, 0),), True, 1 / 3),  # a partner is taken once
        ((square(0, 0), square(0, 0, number=1)), (square(0, 0, number=1), square(0, 0)), False, 0.0),
    ],
)
def test_golden_cases(ours, theirs, deviates, distance):
    assert judge(MatchedBoxes(), ours, theirs) == (deviates, pytest.approx(distance))


def test_partners_are_assigned_so_that_few_are_alone():
    # The middle one overlaps both of the others; only if it takes the second has each of two a partner.
    ours = (square(0.0, 0), square(0.0625, 0))
    theirs = (square(0.0625, 0), square(0.125, 0))
    assert judge(MatchedBoxes(), ours, theirs) == (False, 0.0)


def test_boxes_near_the_threshold_may_flicker():
    faint, sure = square(0, 0, score=0.53), square(0.5, 0.5)
    assert judge(MatchedBoxes(), (faint, sure), (sure,)) == (True, pytest.approx(1 / 3))
    lenient = MatchedBoxes(score_margin=0.05)
    assert judge(lenient, (faint, sure), (sure,)) == (False, 0.0)
    assert judge(lenient, (faint, sure), (faint,)) == (True, pytest.approx(1 / 3))
    assert judge(lenient, (faint,), (square(0, 0, score=0.9),)) == (False, 0.0)  # a faint partner is a partner
    assert judge(lenient, (faint,), (square(0, 0, number=1, score=0.9),)) == (True, 1.0)
    assert judge(MatchedBoxes(score_margin=0.05, score_threshold=0.25), (faint, sure), (sure,))[0]


def test_ties_are_passed_on():
    one, other = observations([(), ()], tied=[True, False]), observations([(), ()], tied=[False, False])
    assert MatchedBoxes().judge(one, other).tied.tolist() == [True, False]


def test_answers_that_are_no_boxes_are_a_misfit():
    for answer in (3, "cat", (1, 2)):
        with pytest.raises(MisfitError, match="needs boxes") as caught:
            judge(MatchedBoxes(), answer, answer)
        assert "detections" in caught.value.hint


# --- properties --------------------------------------------------------------------------------------------------


@SOME
@given(ours=SETS.filter(bool), theirs=SETS.filter(bool))
def test_overlap_is_what_its_definition_says(ours, theirs):
    found = overlaps(np.array(ours)[:, 1:5], np.array(theirs)[:, 1:5])
    for row, one in enumerate(ours):
        for column, other in enumerate(theirs):
            a, b = cells(one), cells(other)
            assert found[row, column] == pytest.approx(len(a & b) / len(a | b))


def cells(box):
    left, up, right, down = (round(8 * side) for side in box[1:5])
    return {(x, y) for x in range(left, right) for y in range(up, down)}


@SOME
@given(ours=SETS, theirs=SETS, oracle=ORACLES)
def test_the_verdict_is_that_of_the_best_of_all_assignments(ours, theirs, oracle):
    # Every way to pair some of the boxes off, tried out: the fewest left alone, and then the most pairs.
    fitting = [
        (i, j)
        for i, one in enumerate(ours)
        for j, other in enumerate(theirs)
        if one[0] == other[0] and len(cells(one) & cells(other)) / len(cells(one) | cells(other)) >= oracle.iou
    ]
    tried = []
    for size in range(min(len(ours), len(theirs)) + 1):
        for pairs in combinations(fitting, size):
            rows, columns = {i for i, _ in pairs}, {j for _, j in pairs}
            if len(rows) == len(columns) == size:
                left = [box for i, box in enumerate(ours) if i not in rows]
                left += [box for j, box in enumerate(theirs) if j not in columns]
                alone = sum(not oracle.score_margin or box[5] == 0.8 for box in left)  # 0.8 is far from 0.5
                tried.append((alone, -size))
    alone, size = min(tried)
    expected = alone / (2 * -size + alone) if alone else 0.0
    assert judge(oracle, ours, theirs) == (alone > 0, pytest.approx(expected))


@SOME
@given(ours=SETS, theirs=SETS, oracle=ORACLES, order=st.randoms(use_true_random=False))
def test_neither_sides_nor_order_matter_and_identical_answers_agree(ours, theirs, oracle, order):
    verdict = judge(oracle, ours, theirs)
    assert judge(oracle, theirs, ours) == verdict
    assert judge(oracle, tuple(order.sample(ours, len(ours))), theirs) == verdict
    assert judge(oracle, ours, tuple(order.sample(ours, len(ours)))) == (False, 0.0)
    assert 0.0 <= verdict[1] <= 1.0


# --- a campaign --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("detector")
    subprocess.run([sys.executable, EXAMPLE / "make_models.py", folder / "models"], check=True, capture_output=True)
    shutil.copy(EXAMPLE / "profile.toml", folder)
    return folder


@pytest.fixture(scope="module")
def found(models):
    """A folder with a finished run of the example; only to be read."""
    done = call("run", "profile.toml", "--out", "run", "--set", "search.max_queries=60", cwd=models)
    assert done.status == 0, done.err
    return models


def test_a_campaign_on_detectors_finds_replays_and_exports(found, tmp_path):
    summary = summary_of(found / "run")
    assert summary["finished"]
    assert summary["reproducible"]
    assert summary["outcomes"]["found"] >= 5
    assert call("export", found / "run", tmp_path / "found", cwd=found).status == 0
    findings = json.loads((tmp_path / "found" / "manifest.json").read_text())["findings"]
    assert len(findings) == summary["findings"]
    for finding in findings:
        ours, theirs = (tuple(map(tuple, finding[role]["decision"])) for role in ("reference", "candidate"))
        assert judge(MatchedBoxes(), ours, theirs)[0]
    told = call("replay", "run", findings[0]["case"], cwd=found)
    assert told.status == 0
    assert "reproduced" in told.out


def test_findings_do_not_depend_on_the_batch(found):
    settings_ = ("--set", "search.max_queries=60", "--set", "campaign.batch=7")
    assert call("run", "profile.toml", "--out", "b7", *settings_, cwd=found).status == 0
    assert summary_of(found / "b7")["findings_sha256"] == summary_of(found / "run")["findings_sha256"]


def test_one_network_in_two_conventions_answers_the_same(models):
    same = ("--set", "models.candidate.file=models/detector-combined.onnx", "--set", "search.max_queries=20")
    assert call("run", "profile.toml", "--out", "same", *same, cwd=models).status == 0
    assert summary_of(models / "same")["findings"] == 0


def test_a_margin_leaves_out_findings_that_flicker(found):
    lenient = ("--set", "search.max_queries=60", "--set", "oracle.score_margin=0.1")
    assert call("run", "profile.toml", "--out", "lenient", *lenient, cwd=found).status == 0
    assert summary_of(found / "lenient")["findings"] < summary_of(found / "run")["findings"]


def test_the_state_guides_a_search_and_wrong_outputs_are_refused(found):
    assert call("run", "profile.toml", "--out", "d", "--set", "search.use=dflare", cwd=found).status == 0
    assert summary_of(found / "d")["outcomes"]["found"] > 0
    wrong = call("run", "profile.toml", "--out", "w", "--set", "models.reference.output.boxes=bxs", cwd=found)
    assert wrong.status == 2
    assert 'no output "bxs"' in wrong.err
