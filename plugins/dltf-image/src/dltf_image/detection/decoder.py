"""The decoder of detectors: a set of boxes is the answer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import evolve, field, frozen, validators

from dltf.plugin import Observations, TensorSpec
from dltf_image.detection.geometry import Format
from dltf_image.detection.raw import Candidates, arrange
from dltf_image.detection.suppress import suppress

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGITS = 6
"""Decimals of coordinates and scores in a decision: a millionth of the picture."""

Values = Literal["scores", "objectness", "class"]
_share = [validators.ge(0.0), validators.le(1.0)]


def _positive(_: object, attribute: Any, value: tuple[float, float]) -> None:
    if min(value) <= 0:
        raise ValueError(f"'{attribute.name}' must be [height, width], each above 0: {list(value)}")


def _overlap(_: object, attribute: Any, value: float | str) -> None:
    if not isinstance(value, str) and not 0 <= value <= 1:
        raise ValueError(f"'{attribute.name}' must be \"auto\", or in [0, 1]: {value}")


@frozen
class Detections:
    """Boxes, each with a class and a score.

    Outputs come in two conventions. Apart: `boxes` [n, k, 4] with `scores` [n, k, classes]; or with `scores` [n, k] and
    `classes` [n, k], and perhaps `count` [n]. Combined: one output [n, k, 4 + values], as YOLO's; a model's only output
    is taken for that. `extent` is the height and width of the picture in the boxes' unit. A box has its best class;
    those of one class are thinned by non-maximum suppression. Left at "auto", `format` is yxyx apart, cxcywh combined,
    and xyxy combined with class numbers; `nms_iou` is 0.45, and 1 with class numbers.

    The decision is the sorted tuple of (class, x1, y1, x2, y2, score), in shares of the picture, rounded to six
    decimals. The log-score is that of the mean score; where there is no box, of 1 − the best score that was left out.
    The state is the best score of each class, float32 [n, classes]; there is none where the outputs give each box a
    class number, as they do not tell how many there are. Boxes without area, and those with a number that is NaN or
    infinite, are left out. Judge with the oracle `matched_boxes`.
    """

    boxes: str = ""  # the output with the boxes
    scores: str = ""  # the output with the scores, for each box or for each box and class
    classes: str = ""  # the output with the class numbers, where `scores` has one score a box
    count: str = ""  # the output that says how many boxes count
    combined: str = ""  # the output with boxes and scores in one
    values: Values = "scores"  # behind a combined box: scores; an objectness, then scores; a score and a class number
    transposed: bool | Literal["auto"] = "auto"  # `combined` is [n, values, k]; auto: its longer side is k
    format: Literal["auto", "yxyx", "xyxy", "cxcywh", "xywh"] = "auto"  # of a box; auto: as the convention has it
    extent: tuple[float, float] = field(default=(1.0, 1.0), validator=_positive)  # [640, 640]: boxes are in pixels
    logits: bool = False  # whether scores go through a sigmoid first
    label_offset: int = field(default=0, validator=validators.ge(0))  # 1 where class 0 is the background
    score_threshold: float = field(default=0.5, validator=_share)  # boxes below it do not count
    nms_iou: float | Literal["auto"] = field(default="auto", validator=_overlap)  # more overlap suppresses; 1: none
    most: int = field(default=100, validator=validators.ge(1))  # boxes that count, the best ones

    def settle(self, specs: Sequence[TensorSpec], outputs: Mapping[str, NDArray[Any]]) -> Detections:
        """Check names and shapes, and decide what is "auto"."""
        from dltf_image.detection.settle import fitted

        named = fitted(self, specs, outputs)
        numbered = bool(named.classes) or (bool(named.combined) and named.values == "class")
        combined_format: Format = "xyxy" if numbered else "cxcywh"
        default: Format = combined_format if named.combined else "yxyx"
        return evolve(
            named,
            format=default if named.format == "auto" else named.format,
            nms_iou=(1.0 if numbered else 0.45) if named.nms_iou == "auto" else named.nms_iou,
        )

    @property
    def box_format(self) -> Format:
        """The format, settled."""
        assert self.format != "auto", "settle comes first"
        return self.format

    @property
    def read(self) -> tuple[str, ...]:
        """The names of the outputs that are read."""
        names = (self.combined, self.boxes, self.scores, self.classes, self.count)
        return tuple(name for name in names if name)

    def decode(self, outputs: Mapping[str, NDArray[Any]]) -> Observations:
        """Observe n rows; no row depends on another."""
        candidates = arrange(self, outputs)
        n = len(candidates.boxes)
        rows = [self._row(candidates, row) for row in range(n)]
        flat = [outputs[name].reshape(n, -1) for name in self.read]
        return Observations(
            decisions=[decision for decision, _, _ in rows],
            log_scores=np.array([score for _, score, _ in rows], dtype=np.float64),
            states=candidates.best,
            tied=np.array([tied for _, _, tied in rows], dtype=np.bool_),
            finite=np.logical_and.reduce([np.isfinite(values).all(axis=1) for values in flat]),
        )

    def _row(self, candidates: Candidates, row: int) -> tuple[Hashable, float, bool]:
        """Return the decision on one input, its log-score, and whether a tie had a say."""
        scores = candidates.scores[row]
        good = np.flatnonzero(candidates.valid[row] & (scores >= self.score_threshold))
        if not len(good):
            best = scores[candidates.valid[row]].max(initial=0.0)
            return (), float(np.log1p(-best)), False
        boxes, classes = candidates.boxes[row, good], candidates.classes[row, good]
        assert self.nms_iou != "auto", "settle comes first"
        order, tied = suppress(boxes, scores[good], classes, self.nms_iou)
        kept = order[: self.most]
        cut = len(order) > self.most and scores[good[order[self.most]]] == scores[good[kept[-1]]]
        tied |= bool(cut or candidates.undecided[row, good[kept]].any())
        places = np.round(np.column_stack([boxes[kept], scores[good[kept]]]), DIGITS) + 0.0  # no −0
        numbered = zip(classes[kept].tolist(), places.tolist(), strict=True)
        decision = tuple(sorted((number, *place) for number, place in numbered))
        with np.errstate(divide="ignore"):
            return decision, float(np.log(scores[good[kept]].mean())), tied
