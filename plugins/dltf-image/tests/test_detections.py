"""The decoder of detectors: every convention of raw outputs gives the same boxes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from dltf.plugin import MisfitError, TensorSpec
from dltf_image.detection.decoder import Detections
from dltf_image.detection.suppress import suppress

TFLITE = Detections(boxes="boxes", classes="classes", scores="scores", count="count")
EIGHTHS = st.integers(0, 8).map(lambda number: number / 8)
SCORES = st.integers(0, 20).map(lambda number: number / 20)
SOME = settings(deadline=None, derandomize=True, max_examples=60)


@st.composite
def scenes(draw, classes=3):
    """Boxes [n, k, 4] as corners with an area, and scores [n, k, classes]: few values, so that there are ties."""
    n, k = draw(st.integers(1, 3)), draw(st.integers(1, 12))
    row = st.tuples(EIGHTHS, EIGHTHS, st.integers(1, 4), st.integers(1, 4), st.tuples(*[SCORES] * classes))
    rows = draw(st.lists(row, min_size=n * k, max_size=n * k))
    boxes = np.array([[x, y, x + w / 8, y + h / 8] for x, y, w, h, _ in rows]).reshape(n, k, 4)
    return boxes, np.array([scores for *_, scores in rows]).reshape(n, k, classes)


def decode(decoder, **outputs):
    outputs = {name: np.asarray(values) for name, values in outputs.items()}
    specs = [TensorSpec(name, (None, *values.shape[1:]), values.dtype.name) for name, values in outputs.items()]
    return decoder.settle(specs, outputs).decode(outputs)


def as_centres(boxes):
    return np.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], axis=-1)


# --- golden cases ------------------------------------------------------------------------------------------------


def test_the_four_outputs_of_a_tflite_detector():
    seen = decode(
        TFLITE,
        boxes=np.float32([[[0.125, 0.25, 0.375, 0.5], [0, 0, 1, 1], [0, 0, 0.5, 0.5]]]),
        classes=np.float32([[17, 0, 3]]),
        scores=np.float32([[0.75, 0.25, 0.875]]),
        count=np.float32([2]),
    )
    assert seen.decisions == [((17, 0.25, 0.125, 0.5, 0.375, 0.75),)]
    assert seen.log_scores == pytest.approx([np.log(0.75)])
    assert seen.states is None


def test_one_output_of_a_yolo_detector_in_pixels_and_transposed():
    boxes = [[320, 160, 64, 32], [322, 160, 64, 32], [320, 160, 64, 32], [100, 100, 10, 10]]
    scores = [[0.9, 0.1], [0.8, 0.1], [0.2, 0.7], [0.3, 0.4]]
    raw = np.float32(np.hstack([boxes, scores]))[None]
    padded = np.concatenate([raw, np.zeros((1, 4, 6), np.float32)], axis=1)
    seen = decode(Detections(extent=(320.0, 640.0)), output=padded.swapaxes(1, 2))
    first, second = (0, 0.45, 0.45, 0.55, 0.55, 0.9), (1, 0.45, 0.45, 0.55, 0.55, 0.7)
    assert seen.decisions == [(first, second)]  # the second box is too near to the first; the last one is too faint
    assert seen.log_scores == pytest.approx([np.log(0.8)])
    assert seen.states == pytest.approx(np.float32([[0.9, 0.7]]))


def test_objectness_multiplies_the_scores():
    row = [0.5, 0.5, 0.25, 0.25, 0.75, 0.5, 0.875]
    seen = decode(Detections(values="objectness", transposed=False), output=[[row], [[*row[:4], 0.25, *row[5:]]]])
    assert seen.decisions == [((1, 0.375, 0.375, 0.625, 0.625, 0.65625),), ()]


def test_a_score_and_its_class_behind_the_box():
    row = [0.25, 0.25, 0.5, 0.5, 0.75, 2.0]
    seen = decode(Detections(values="class"), output=[[row] * 7])
    assert seen.decisions == [((2, 0.25, 0.25, 0.5, 0.5, 0.75),) * 7]  # suppressed already, or not at all


def test_a_background_class_in_front_is_no_class():
    boxes = [[[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]]]
    apart = Detections(boxes="boxes", scores="scores", label_offset=1)
    seen = decode(apart, boxes=boxes, scores=[[[0.9, 0.05, 0.05], [0.1, 0.2, 0.7]]])
    assert seen.decisions == [((1, 0.5, 0.5, 1.0, 1.0, 0.7),)]
    assert seen.states.shape == (1, 2)
    numbered = evolve(TFLITE, count="", label_offset=1)
    seen = decode(numbered, boxes=boxes, classes=[[0, 2]], scores=[[0.9, 0.7]])
    assert seen.decisions == [((1, 0.5, 0.5, 1.0, 1.0, 0.7),)]


def test_logits_go_through_a_sigmoid():
    seen = decode(Detections(logits=True, transposed=False), output=[[[0.5, 0.5, 0.5, 0.5, -2.0, np.log(3.0)]]])
    assert seen.decisions == [((1, 0.25, 0.25, 0.75, 0.75, 0.75),)]


def test_no_box_is_as_sure_as_the_best_one_left_out_is_unsure():
    seen = decode(Detections(), output=[[[0.5, 0.5, 0.5, 0.5, 0.25]] * 9])
    assert seen.decisions == [()]
    assert seen.log_scores == pytest.approx([np.log(0.75)])


def test_boxes_without_area_and_a_picture_without_boxes_are_seen():
    apart = Detections(boxes="boxes", scores="scores")
    assert decode(apart, boxes=[[[0.5, 0.5, 0.5, 0.9], [0.9, 0.9, 0.1, 0.1]]], scores=[[0.9, 0.9]]).decisions == [()]
    empty = decode(apart, boxes=np.zeros((2, 0, 4)), scores=np.zeros((2, 0, 3)))
    assert empty.decisions == [(), ()]
    assert empty.log_scores.tolist() == [0.0, 0.0]


def test_only_the_best_boxes_count_and_a_tie_among_them_is_told():
    boxes = [[[0, 0, 0.1, 0.1], [0.2, 0.2, 0.3, 0.3], [0.4, 0.4, 0.5, 0.5]]]
    apart = Detections(boxes="boxes", scores="scores", format="xyxy", most=2)
    seen = decode(apart, boxes=boxes, scores=[[0.7, 0.8, 0.9]])
    assert [box[5] for box in seen.decisions[0]] == [0.8, 0.9]
    assert not seen.tied[0]
    assert decode(apart, boxes=boxes, scores=[[0.7, 0.7, 0.9]]).tied[0]


def test_a_tie_between_classes_or_rivals_is_told():
    box, shifted = [0.5, 0.5, 0.5, 0.5], [0.51, 0.5, 0.5, 0.5]
    decoder = Detections(transposed=False)
    assert decode(decoder, output=[[[*box, 0.75, 0.75]]]).tied[0]
    assert decode(decoder, output=[[[*box, 0.75, 0.5], [*shifted, 0.75, 0.5]]]).tied[0]
    assert not decode(decoder, output=[[[*box, 0.75, 0.5], [*box, 0.75, 0.5]]]).tied[0]  # whichever: the same box
    assert not decode(decoder, output=[[[*box, 0.75, 0.5], [*shifted, 0.8, 0.5]]]).tied[0]


# --- properties --------------------------------------------------------------------------------------------------


@SOME
@given(scene=scenes())
def test_every_convention_gives_the_same_boxes(scene):
    boxes, scores = scene
    yxyx, centres = boxes[..., [1, 0, 3, 2]], as_centres(boxes)
    sizes = np.concatenate([boxes[..., :2], centres[..., 2:]], axis=-1)
    apart = Detections(boxes="boxes", scores="scores")
    expected = decode(apart, boxes=yxyx, scores=scores)
    whole = np.concatenate([centres, scores], axis=-1)
    sure = np.concatenate([centres, np.ones_like(centres[..., :1]), scores], axis=-1)
    numbered = evolve(TFLITE, count="", nms_iou=0.45)
    others = [
        decode(evolve(apart, format="xyxy"), boxes=boxes, scores=scores),
        decode(evolve(apart, format="xywh"), boxes=sizes, scores=scores),
        decode(evolve(apart, format="cxcywh", extent=(8.0, 4.0)), boxes=centres * [4, 8, 4, 8], scores=scores),
        decode(Detections(transposed=False), output=whole),
        decode(Detections(transposed=True), output=whole.swapaxes(1, 2)),
        decode(Detections(transposed=False, values="objectness"), output=sure),
        decode(numbered, boxes=yxyx, scores=scores.max(axis=2), classes=scores.argmax(axis=2)),
    ]
    for seen in others:
        assert seen.decisions == expected.decisions
        assert seen.log_scores == pytest.approx(expected.log_scores)


@SOME
@given(scene=scenes(), order=st.randoms(use_true_random=False))
def test_the_order_of_the_boxes_and_the_rows_beside_never_matter(scene, order):
    boxes, scores = scene
    decoder = Detections(boxes="boxes", scores="scores", format="xyxy")
    seen = decode(decoder, boxes=boxes, scores=scores)
    turned = order.sample(range(boxes.shape[1]), boxes.shape[1])
    assert decode(decoder, boxes=boxes[:, turned], scores=scores[:, turned]).decisions == seen.decisions
    for row in range(len(boxes)):
        alone = decode(decoder, boxes=boxes[row : row + 1], scores=scores[row : row + 1])
        assert alone.decisions == [seen.decisions[row]]
        assert alone.log_scores.tobytes() == seen.log_scores[row : row + 1].tobytes()


@SOME
@given(scene=scenes())
def test_a_store_gives_decisions_back_as_they_were(scene):
    boxes, scores = scene
    for decision in decode(Detections(boxes="boxes", scores="scores"), boxes=boxes / 3, scores=scores / 3).decisions:
        back = json.loads(json.dumps(decision, allow_nan=False))
        assert tuple(tuple(box) for box in back) == decision
        assert hash(decision) is not None
        assert list(decision) == sorted(decision)


@SOME
@given(scene=scenes(), iou=st.sampled_from([0.0, 0.15, 0.45, 0.7, 1.0]))
def test_suppression_is_what_its_definition_says(scene, iou):
    boxes, scores = scene[0][0], scene[1][0]
    classes, best = scores.argmax(axis=1), scores.max(axis=1)
    kept, _ = suppress(boxes, best, classes, iou)
    by_hand: list[int] = []
    for row in sorted(range(len(boxes)), key=lambda row: (-best[row], classes[row], *boxes[row])):
        rivals = [other for other in by_hand if classes[other] == classes[row]]
        if all(overlap(boxes[row], boxes[other]) <= iou for other in rivals):
            by_hand.append(row)
    assert kept.tolist() == by_hand


def overlap(one, other):
    """The definition, on the grid of eighths: cells in both ÷ cells in any."""
    cells = [
        {
            (x, y)
            for x in range(round(8 * box[0]), round(8 * box[2]))
            for y in range(round(8 * box[1]), round(8 * box[3]))
        }
        for box in (one, other)
    ]
    return len(cells[0] & cells[1]) / len(cells[0] | cells[1])


# --- what does not fit -------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_a_bad_number_spoils_its_box_and_is_flagged(bad):
    good = {
        "boxes": np.array([[[0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]]]),
        "classes": np.array([[1.0, 2.0]]),
        "scores": np.array([[0.75, 0.5]]),
        "count": np.array([2.0]),
    }
    for name in good:
        spoilt = {key: values.copy() for key, values in good.items()}
        spoilt[name].reshape(1, -1)[0, 0] = bad
        seen = decode(evolve(TFLITE, format="cxcywh"), **spoilt)
        assert seen.finite.tolist() == [bad == 1e300]
        json.dumps(seen.decisions, allow_nan=False)
        assert decode(evolve(TFLITE, format="cxcywh"), **spoilt).decisions == seen.decisions


@pytest.mark.parametrize(
    ("decoder", "shapes", "told"),
    [
        (Detections(), {}, "has 0 outputs"),
        (Detections(), {"a": (1, 9, 4), "b": (1, 9)}, "has 2 outputs, and none is named"),
        (Detections(boxes="a"), {"a": (1, 9, 4), "b": (1, 9)}, "`boxes` and `scores` go together"),
        (Detections(boxes="a", scores="c"), {"a": (1, 9, 4), "b": (1, 9)}, 'no output "c"'),
        (Detections(boxes="a", combined="b"), {"a": (1, 9, 4), "b": (1, 9)}, "`combined` and `boxes` are both named"),
        (Detections(boxes="a", scores="b"), {"a": (1, 9, 5), "b": (1, 9)}, r'"a" is \[1, 9, 5\]'),
        (Detections(boxes="a", scores="b"), {"a": (1, 9, 4), "b": (1, 8)}, "for 9 boxes"),
        (Detections(boxes="a", scores="b", label_offset=2), {"a": (1, 9, 4), "b": (1, 9, 2)}, "more than 2 of them"),
        (Detections(boxes="a", scores="b", classes="c"), {"a": (1, 9, 4), "b": (1, 9), "c": (1, 3)}, '"c" is'),
        (Detections(boxes="a", scores="b", count="c"), {"a": (2, 9, 4), "b": (2, 9), "c": (3,)}, '"c" is'),
        (Detections(), {"a": (1, 10)}, "boxes, values"),
        (Detections(), {"a": (1, 9, 4)}, "more than 4 values a box"),
        (Detections(values="objectness", label_offset=1), {"a": (1, 9, 5)}, "an objectness, scores"),
        (Detections(values="class"), {"a": (1, 9, 7)}, "6 values a box"),
    ],
)
def test_outputs_that_are_none_of_a_detector_are_a_misfit(decoder, shapes, told):
    with pytest.raises(MisfitError, match=told) as caught:
        decode(decoder, **{name: np.zeros(shape, np.float32) for name, shape in shapes.items()})
    assert caught.value.hint


@pytest.mark.parametrize("wrong", [{"nms_iou": 1.5}, {"extent": (0.0, 1.0)}, {"score_threshold": -0.1}, {"most": 0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Detections(**wrong)
