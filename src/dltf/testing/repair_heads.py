"""What repair heads promise: probabilities of every class, from one row alone, and the same after saving."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.errors import DltfError, ModelFileError
from dltf.testing.promise import Subject, global_randomness_untouched, hold, pickled, read_only, same

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from dltf.contracts import FittedHead

_CLASSES = 5
_GROUPS = 40
_BATCHES = (1, 7, 64)


def it_tells_its_versions(subject: Subject) -> None:
    """The versions of the packages that it needs are text, and there is one."""
    __tracebackhide__ = True
    versions = subject.make().versions()
    told = versions and all(isinstance(text, str) and text for pair in versions.items() for text in pair)
    hold(told, f'"{subject.name}" does not tell its versions as text by distribution: {versions!r}')


def its_scores_are_probabilities(subject: Subject) -> None:
    """For n states, float64 [n, classes]: no less than 0, of sum 1; none for no state."""
    __tracebackhide__ = True
    head, (states, _, _) = _fitted(subject), _rows()
    scores = head.scores(states)
    shaped = scores.shape == (len(states), _CLASSES) and scores.dtype == np.float64
    hold(
        shaped,
        f'"{subject.name}" gives {scores.dtype} {list(scores.shape)} for {len(states)} states, {_CLASSES} classes',
    )
    sums = bool((scores >= 0).all()) and bool(np.abs(scores.sum(axis=1) - 1).max() < 1e-4)
    hold(sums, f'the scores of "{subject.name}" are no probabilities: {scores[:2]}')
    none = head.scores(states[:0])
    hold(none.shape == (0, _CLASSES), f'"{subject.name}" gives {list(none.shape)} for no state')


def equal_streams_fit_equal_heads(subject: Subject) -> None:
    """Fitted again on the same rows, from the same stream, it has the same scores; nothing else is drawn from."""
    __tracebackhide__ = True
    states, _, _ = _rows()
    with global_randomness_untouched(subject.name):
        one, other = (_fitted(subject).scores(states) for _ in range(2))
    hold(same(one, other), f'"{subject.name}" learns other scores from the same rows and the same stream')


def a_row_depends_on_itself_alone(subject: Subject) -> None:
    """Whatever the batch and the place in it, a state has the same scores, bit for bit."""
    __tracebackhide__ = True
    head, (states, _, _) = _fitted(subject), _rows()
    whole = head.scores(states)
    for size in _BATCHES:
        for start in (0, 3, len(states) - size):
            part = head.scores(states[start : start + size])
            alike = same(part, whole[start : start + size])
            hold(alike, f'"{subject.name}": scores of rows {start}… in a batch of {size} are others than among all')


def it_comes_back_from_its_file(subject: Subject) -> None:
    """Saved and loaded, it has the same scores and facts, bit for bit."""
    __tracebackhide__ = True
    head, (states, _, _) = _fitted(subject), _rows()
    file = subject.folder / "head.onnx"
    head.save(file)
    again = subject.make().load(file)
    hold(same(again.scores(states), head.scores(states)), f'"{subject.name}" has other scores after save and load')
    hold(dict(again.facts) == dict(head.facts), f'"{subject.name}" has other facts after save and load')
    hold(same(pickled(head).scores(states), head.scores(states)), f'"{subject.name}" has other scores after pickling')


def what_is_no_head_is_refused(subject: Subject) -> None:
    """A missing, an empty and a garbage file, with a `ModelFileError` that names it."""
    __tracebackhide__ = True
    for what, data in (("missing", None), ("empty", b""), ("garbage", bytes(range(256)) * 16)):
        file = subject.folder / f"{what}.onnx"
        if data is not None:
            file.write_bytes(data)
        error = _error(subject, file)
        told = "raises nothing" if error is None else f"raises {type(error).__name__} ({error})"
        hold(
            isinstance(error, ModelFileError), f'"{subject.name}" {told} for a file that is {what}, not ModelFileError'
        )
        hold(file.name in str(error), f'"{subject.name}" does not name the file that is {what}: {error}')


def its_facts_are_for_the_record(subject: Subject) -> None:
    """They are by name, JSON can hold them, and there is one."""
    __tracebackhide__ = True
    facts = dict(_fitted(subject).facts)
    try:
        again = json.loads(json.dumps(facts, allow_nan=False))
    except (TypeError, ValueError) as error:
        hold(False, f'the facts of "{subject.name}" do not fit into JSON ({error}): {facts!r}')
    hold(again and again == facts, f'the facts of "{subject.name}" are not what JSON holds: {facts!r}')


def it_learns_what_can_be_told(subject: Subject) -> None:
    """Where the candidate mixes two classes up, always in one way, most answers are right afterwards."""
    __tracebackhide__ = True
    states, answers, groups = _rows()
    swapped = np.where(answers < 2, 1 - answers, answers)
    head = subject.make().fit(states, swapped, groups, _CLASSES, np.random.default_rng(0))
    right = float((head.scores(states).argmax(axis=1) == swapped).mean())
    before = float((states.argmax(axis=1) == swapped).mean())
    hold(right > before, f'"{subject.name}" does not learn from its own rows: {right:.0%} right, {before:.0%} before')


def classes_may_be_missing(subject: Subject) -> None:
    """Where the rows have one or two answers of five, scores are of all five classes."""
    __tracebackhide__ = True
    states, answers, groups = _rows()
    for few in (1, 2):
        chosen = answers < few
        head = subject.make().fit(states[chosen], answers[chosen], groups[chosen], _CLASSES, np.random.default_rng(0))
        scores = head.scores(states[:3])
        fine = scores.shape == (3, _CLASSES) and bool(np.isfinite(scores).all())
        hold(fine, f'"{subject.name}" gives {scores} where the rows have {few} answers of {_CLASSES}')


def few_rows_work_or_are_refused(subject: Subject) -> None:
    """One row, ten, and ten that are equal give a head, or a `DltfError`."""
    __tracebackhide__ = True
    states, answers, groups = _rows()
    for rows in ([0], list(range(10)), [0] * 10):
        try:
            head = subject.make().fit(states[rows], answers[rows], groups[rows], _CLASSES, np.random.default_rng(0))
        except DltfError:
            continue
        scores = head.scores(states)
        hold(
            bool(np.isfinite(scores).all()), f'"{subject.name}" learns scores that are not finite from {len(rows)} rows'
        )


def names_of_groups_do_not_matter(subject: Subject) -> None:
    """What is kept back is kept by group: groups of other numbers in the same order fit the same head."""
    __tracebackhide__ = True
    states, answers, groups = _rows()
    ours, theirs = (
        subject.make().fit(states, answers, names, _CLASSES, np.random.default_rng(0)).scores(states)
        for names in (groups, groups * 3 + 101)  # a split by remainder or by size falls elsewhere then
    )
    hold(same(ours, theirs), f'"{subject.name}" goes by the numbers of groups, not by which rows belong together')


def what_it_is_given_stays(subject: Subject) -> None:
    """Rows are not written to, in learning or in scoring."""
    __tracebackhide__ = True
    states, answers, groups = _rows()
    rows: dict[str, NDArray[Any]] = {"states": states, "answers": answers}
    rows["groups"] = groups[::-1] + 1  # not in order, none is 0: sorting and counting from 0 are seen, too
    given = {name: array.copy() for name, array in rows.items()}  # writeable: a head that writes is seen, not stopped
    head = subject.make().fit(*given.values(), _CLASSES, np.random.default_rng(0))
    head.scores(given["states"])
    for name, array in rows.items():
        hold(same(given[name], array), f'"{subject.name}" writes to the {name} that it is given')


def _rows() -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Return probabilities of five classes, answers (the best, for a third of them the second), groups of four."""
    stream = np.random.default_rng(8)
    states = stream.dirichlet(np.full(_CLASSES, 0.4), 4 * _GROUPS).astype(np.float32)
    order = np.argsort(-states, axis=1)
    second = stream.random(len(states)) < 1 / 3
    return states, order[np.arange(len(states)), second.astype(np.int64)], np.repeat(np.arange(_GROUPS), 4)


def _fitted(subject: Subject) -> FittedHead:
    states, answers, groups = (read_only(array) for array in _rows())
    head: FittedHead = subject.make().fit(states, answers, groups, _CLASSES, np.random.default_rng(0))
    return head


def _error(subject: Subject, file: Path) -> Exception | None:
    head: Any = subject.make()
    try:
        head.load(file)
    except Exception as error:
        return error
    return None


PROMISES = (
    it_tells_its_versions,
    its_scores_are_probabilities,
    equal_streams_fit_equal_heads,
    a_row_depends_on_itself_alone,
    it_comes_back_from_its_file,
    what_is_no_head_is_refused,
    its_facts_are_for_the_record,
    it_learns_what_can_be_told,
    classes_may_be_missing,
    few_rows_work_or_are_refused,
    names_of_groups_do_not_matter,
    what_it_is_given_stays,
)
