"""Which findings a report shows, and what it tells of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.report import grades
from dltf.report.names import Names
from dltf.report.wording import FORMS, number, short, tail

if TYPE_CHECKING:
    from dltf.report.previews import Preview, Previews
    from dltf.report.ranking import Ranked
    from dltf.store import Store
    from dltf.values import Answer, Finding

_BARS = 5  # classes whose scores are shown
_STEPS = 4  # operators of a chain that are shown
_GROUPS = (
    ("failures", "Failures", "Inputs on which an output was not a number, or a runtime failed."),
    ("natural", "Natural findings", "Seeds on which the variants differ as they are: no search was needed."),
    ("search", "Found by search", "Mutants of seeds on which both variants had agreed."),
)


@frozen
class ClassBar:
    """How both variants score one class, as shares of 1."""

    name: str
    reference: float
    candidate: float


@frozen
class Form:
    """What became of a finding that was shrunk or amplified."""

    title: str
    finding: Finding
    reference: str
    candidate: str
    severity: float | None
    distance: str
    preview: Preview


@frozen
class Card:
    """One finding, ready to be shown."""

    finding: Finding
    grade: str
    css: str
    severity: float | None
    label: str
    reference: str
    candidate: str
    bars: tuple[ClassBar, ...]
    steps: str
    distances: tuple[tuple[str, str], ...]
    preview: Preview
    beside: tuple[tuple[str, Preview], ...] = ()
    aligned: tuple[tuple[str, str], ...] = ()
    forms: tuple[Form, ...] = ()


@frozen
class Group:
    """The findings of one kind: those that are shown, and how many there are."""

    key: str
    title: str
    about: str
    cards: tuple[Card, ...]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.cards)


def gallery(store: Store, ranked: Sequence[Ranked], names: Names, previews: Previews, most: int) -> list[Group]:
    """Return the groups that have findings, at most `most` of them in all, the worst first."""
    rows = {key: [row for row in ranked if row.group == key] for key, _, _ in _GROUPS}
    shown = shares([len(rows[key]) for key, _, _ in _GROUPS], most)
    return [
        Group(
            key,
            title,
            about,
            tuple(card(store, row, names, previews) for row in rows[key][:count]),
            len(rows[key]),
        )
        for (key, title, about), count in zip(_GROUPS, shown, strict=True)
        if rows[key]
    ]


def shares(counts: Sequence[int], most: int) -> list[int]:
    """Share `most` places out: as many for each as for the others, and what one does not need goes to the rest."""
    shown = [0] * len(counts)
    left = most
    while left and (open_ := [i for i, count in enumerate(counts) if shown[i] < count]):
        each = max(left // len(open_), 1)
        for i in open_:
            taken = min(each, counts[i] - shown[i], left)
            shown[i] += taken
            left -= taken
    return shown


def card(store: Store, ranked: Ranked, names: Names, previews: Previews) -> Card:
    """Make a finding ready to be shown."""
    finding = store.finding(ranked.case)
    return Card(
        finding=finding,
        grade=ranked.grade,
        css=grades.css(ranked.grade),
        severity=ranked.severity,
        label=names(finding.seed_label),
        reference=_told(finding.reference, names),
        candidate=_told(finding.candidate, names),
        bars=class_bars(finding.reference, finding.candidate, names),
        steps=_steps(finding.chain),
        distances=_distances(finding, previews.units),
        preview=previews.of(finding),
        beside=previews.beside(finding),
        aligned=previews.aligned(finding),
        forms=tuple(
            _form(phase, form, names, previews)
            for phase, form in store.derived(finding.case).items()
            if form.sample != finding.sample
        ),
    )


def _form(phase: str, finding: Finding, names: Names, previews: Previews) -> Form:
    distances = _distances(finding, previews.units)
    return Form(
        title=FORMS[phase],
        finding=finding,
        reference=_told(finding.reference, names),
        candidate=_told(finding.candidate, names),
        severity=finding.severity,
        distance=" ".join(distances[0]) if distances else "",
        preview=previews.of(finding),
    )


def class_bars(reference: Answer | None, candidate: Answer | None, names: Names) -> tuple[ClassBar, ...]:
    """Return the classes that either variant scores highest, both decisions first; none where states are no scores."""
    if reference is None or candidate is None or not (_scores(reference) and _scores(candidate)):
        return ()
    assert reference.state is not None
    assert candidate.state is not None
    ours, theirs = reference.state.tolist(), candidate.state.tolist()
    if len(ours) != len(theirs):
        return ()
    answers = (reference.decision, candidate.decision)
    best = sorted(range(len(ours)), key=lambda k: (k not in answers, -max(ours[k], theirs[k])))
    shown = sorted(best[:_BARS], key=lambda k: -max(ours[k], theirs[k]))
    return tuple(ClassBar(names(k), ours[k], theirs[k]) for k in shown)


def _scores(answer: Answer) -> bool:
    """Whether the state is one score of [0, 1] for each class, the decision's being the best."""
    state, decision = answer.state, answer.decision
    if state is None or not isinstance(decision, int) or not 0 <= decision < len(state):
        return False
    values = state.tolist()
    return all(-1e-6 <= value <= 1 + 1e-3 for value in values) and values[decision] >= max(values)


def _told(answer: Answer | None, names: Names) -> str:
    return "no answer" if answer is None else names(answer.decision)


def _steps(chain: Sequence[str]) -> str:
    last = " → ".join(short(tail(name), 60) for name in chain[-_STEPS:])
    return f"{len(chain) - _STEPS} more → {last}" if len(chain) > _STEPS else last


def _distances(finding: Finding, units: dict[str, str]) -> tuple[tuple[str, str], ...]:
    if finding.phase == "screen":  # it is the seed
        return ()
    return tuple(
        (short(name, 40), f"{number(_float(value))} {units.get(name, '')}".strip())
        for name, value in finding.distances.items()
    )


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)
