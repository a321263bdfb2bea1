"""Every answer belongs to its sample, in whatever order and groups a preparation hands samples to the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltf.builtin.callables import CallableRunner
from dltf.builtin.classes import Classes
from dltf.plugin import Target, TensorSpec
from dltf.variant import Model, Variant


class Scores:
    """A backend whose model answers with its input: a score for each of ten classes."""

    def targets(self) -> list[Target]:
        return [Target("here", "This interpreter.")]

    def open(self, file: Path, target: str) -> Any:
        runner = CallableRunner("scores", lambda samples: samples)
        runner.inputs = (TensorSpec("x", (None, 10), "float32"),)
        runner.outputs = (TensorSpec("output", (None, 10), "float32"),)
        run = runner.run
        runner.run = lambda inputs: run({"sample": inputs["x"]})  # type: ignore[method-assign]
        return runner


class Grouped:
    """A preparation that groups samples in an order of its own."""

    settings: Any = None

    def __init__(self, groups: list[list[int]]) -> None:
        self.groups = groups

    def __call__(self, samples: Any) -> Any:
        for rows in self.groups:
            scores = np.full((len(rows), 10), 0.01, dtype=np.float32)
            scores[np.arange(len(rows)), [int(samples[row][0]) for row in rows]] = 0.91
            yield np.array(rows), {"x": scores}


@pytest.mark.parametrize("alone", [False, True])
@given(st.permutations(list(range(6))), st.integers(1, 6))
def test_answers_come_in_the_order_of_the_samples(alone: bool, order: list[int], size: int) -> None:
    samples = [np.array([number], dtype=np.uint8) for number in (3, 1, 4, 0, 5, 9)]
    with Variant("variant", Model("scores", Scores(), None, None, None), None) as variant:  # type: ignore[arg-type]
        variant.preprocess = Grouped([order[first : first + size] for first in range(0, 6, size)])  # type: ignore[assignment]
        variant.decoder = Classes(scores="probabilities").settle(
            variant.outputs, {"output": np.eye(10, dtype=np.float32)}
        )
        variant.alone = alone
        assert list(variant.observe(samples).decisions) == [3, 1, 4, 0, 5, 9]
