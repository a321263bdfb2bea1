"""The end of a head's graph: from logits of what was learnt to a probability of every class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dltf_drepair.features import Reading, columns, features, reading
from dltf_drepair.fitted import OnnxHead

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dltf.plugin import FloatArray, IntArray
    from dltf_drepair.lesson import Lesson

UNSEEN = -40.0
"""The logit of what no row had, before the others are shifted to have a maximum of about 0: its probability is 0."""


def head(lesson: Lesson, facts: Mapping[str, Any], score: Callable[[Reading, str], str]) -> OnnxHead:
    """Build the file: `score` adds the nodes from the features to scores [n, classes]."""
    source = reading(lesson.view)
    result = score(source, features(source, lesson.names))
    told = {**lesson.facts(), **facts}
    return OnnxHead(source.graph.model(result, (lesson.view.width, lesson.classes), told), told)


def spread(logits: FloatArray, seen: IntArray, width: int) -> FloatArray:
    """Return logits [n, width] from those of the answers that were seen."""
    full = np.full((len(logits), width), UNSEEN)
    full[:, seen] = logits
    return full


def two_sided(single: FloatArray) -> FloatArray:
    """Return two columns from the one of a two-sided choice."""
    return np.concatenate([np.zeros_like(single), single], axis=-1)


def probabilities(source: Reading, lesson: Lesson, logits: str) -> str:
    """Add the softmax of logits [n, width], and bring places back to classes."""
    made = source.graph.add("Softmax", logits, axis=1)
    return (
        placed(source, made, lesson.width, source.graph.add("Sub", source.logs, source.logs))
        if lesson.by_rank
        else made
    )


def placed(source: Reading, values: str, places: int, base: str) -> str:
    """Add a copy of `base` [n, d] in which the candidate's best classes have these values, the best the first."""
    best = columns(source, source.order, 0, places)
    return source.graph.add("ScatterElements", base, best, values, axis=1)


def dense(source: Reading, inputs: str, weights: FloatArray, bias: FloatArray) -> str:
    """Add inputs · weights [m, k] + bias [k]."""
    return source.graph.add("Gemm", inputs, source.graph.constant(weights), source.graph.constant(bias))
