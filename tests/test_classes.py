"""The decoder of classifiers."""

from __future__ import annotations

import numpy as np
import pytest

from dltf.builtin.classes import Classes
from dltf.plugin import MisfitError, Quantisation, TensorSpec

SPEC = TensorSpec("scores", (None, 3), "float32")


def rows(*values: list[float]) -> dict[str, np.ndarray]:
    return {"scores": np.array(values, dtype=np.float32)}


def test_probabilities_and_logits_give_the_same_answers() -> None:
    probabilities = rows([0.1, 0.7, 0.2])
    logits = {"scores": np.log(probabilities["scores"]) + 3}
    one = Classes().settle([SPEC], probabilities)
    other = Classes().settle([SPEC], logits)
    assert (one.scores, other.scores) == ("probabilities", "logits")
    seen, same = one.decode(probabilities), other.decode(logits)
    assert seen.decisions.tolist() == same.decisions.tolist() == [1]
    assert seen.log_scores == pytest.approx(np.log([0.7]))
    assert same.log_scores == pytest.approx(np.log([0.7]))
    assert same.states == pytest.approx(seen.states, abs=1e-6)


def test_a_tie_goes_to_the_lowest_class_and_is_marked() -> None:
    seen = Classes(output="scores", scores="probabilities").decode(rows([0.2, 0.4, 0.4], [0.2, 0.5, 0.3]))
    assert seen.decisions.tolist() == [1, 1]
    assert seen.tied.tolist() == [True, False]


def test_nan_and_infinity_are_marked_and_never_raise() -> None:
    for scores in ("probabilities", "logits"):
        decoder = Classes(output="scores", scores=scores)  # type: ignore[arg-type]
        seen = decoder.decode(rows([np.nan, 0.5, 0.5], [np.inf, 0.0, 0.0], [0.1, 0.2, 0.7]))
        assert seen.finite.tolist() == [False, False, True]


def test_background_classes_are_dropped() -> None:
    seen = Classes(output="scores", scores="probabilities", label_offset=1).decode(rows([0.8, 0.05, 0.15]))
    assert seen.decisions.tolist() == [1]
    assert seen.states.shape == (1, 2)


def test_scores_of_eight_bits_that_span_zero_to_one_are_probabilities() -> None:
    spec = TensorSpec("scores", (None, 3), "int8", Quantisation(1 / 256, -128))
    far_from_one = rows([0.3, 0.3, 0.3])  # as many small probabilities round to nothing
    assert Classes().settle([spec], far_from_one).scores == "probabilities"
    wide = TensorSpec("scores", (None, 3), "int8", Quantisation(0.1, 0))
    assert Classes().settle([wide], far_from_one).scores == "logits"


def test_an_output_has_to_be_named_where_there_are_several() -> None:
    other = TensorSpec("features", (None, 9), "float32")
    with pytest.raises(MisfitError, match="has 2 outputs") as caught:
        Classes().settle([SPEC, other], rows([0.1, 0.2, 0.7]))
    assert '"scores"' in caught.value.hint
    assert Classes(output="scores").settle([SPEC, other], rows([0.1, 0.2, 0.7])).output == "scores"
    with pytest.raises(MisfitError, match='no output "scoers"'):
        Classes(output="scoers").settle([SPEC], rows([0.1, 0.2, 0.7]))


def test_a_single_value_is_no_classifier() -> None:
    with pytest.raises(MisfitError, match="fewer than two classes"):
        Classes().settle([TensorSpec("y", (None, 1), "float32")], {"y": np.zeros((2, 1), np.float32)})


def test_no_row_depends_on_another() -> None:
    values = np.random.default_rng(0).normal(size=(64, 10)).astype(np.float32)
    decoder = Classes(output="scores", scores="logits")
    whole = decoder.decode({"scores": values})
    for row in range(64):
        one = decoder.decode({"scores": values[row : row + 1]})
        assert one.log_scores.tobytes() == whole.log_scores[row : row + 1].tobytes()
        assert one.states.tobytes() == whole.states[row : row + 1].tobytes()
