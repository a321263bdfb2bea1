"""What search strategies promise, seen in a small made-up campaign: plans in range, and no word between cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dltf.testing.game import OPERATORS, Game, Step
from dltf.testing.promise import Subject, global_randomness_untouched, hold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CASES = tuple(range(12))


def it_says_whether_it_needs_operators(subject: Subject) -> None:
    """`needs_operators` is a class variable, read before anything is made."""
    __tracebackhide__ = True
    said = getattr(subject.component.load(), "needs_operators", None)
    hold(isinstance(said, bool), f'"{subject.name}" does not say whether it needs operators: {said!r}')


def its_plans_are_in_range(subject: Subject) -> None:
    """Plans name operators that are there and strengths in [0, 1]; `tell` answers a bool for each case."""
    __tracebackhide__ = True
    Game(subject.make(), slots=5).play(CASES)


def one_operator_is_enough(subject: Subject) -> None:
    """It works with a single operator, too."""
    __tracebackhide__ = True
    Game(subject.make(), slots=5, operators=OPERATORS[:1]).play(CASES)


def playing_again_plans_the_same(subject: Subject) -> None:
    """A campaign repeats: nothing stays in the strategy, nor in its module."""
    __tracebackhide__ = True
    strategy = subject.make()
    first = Game(strategy, slots=5).play(CASES)
    _hold_same(subject, first, Game(strategy, slots=5).play(CASES), "in a second campaign")


def a_case_never_depends_on_its_neighbours(subject: Subject) -> None:
    """What is planned for a case is the same in one slot or five, whichever case is seated first."""
    __tracebackhide__ = True
    alone = Game(subject.make(), slots=1).play(CASES)
    _hold_same(subject, alone, Game(subject.make(), slots=5).play(CASES), "in five slots")
    _hold_same(subject, alone, Game(subject.make(), slots=5).play(CASES[::-1]), "when it is seated in another order")
    _hold_same(subject, alone, Game(subject.make(), slots=len(CASES)).play(CASES), "beside all the others")


def randomness_is_handed_over(subject: Subject) -> None:
    """The global generators are neither used nor seeded."""
    __tracebackhide__ = True
    with global_randomness_untouched(subject.name):
        Game(subject.make(), slots=5).play(CASES)


def _hold_same(
    subject: Subject, ours: Mapping[int, Sequence[Step]], theirs: Mapping[int, Sequence[Step]], when: str
) -> None:
    __tracebackhide__ = True
    for case in CASES:
        steps = zip(ours[case], theirs[case], strict=False)
        turn = next((turn for turn, (a, b) in enumerate(steps) if a != b), min(len(ours[case]), len(theirs[case])))
        hold(
            ours[case] == theirs[case],
            f'"{subject.name}" plans something else for case {case} {when}, from query {turn + 1} on',
        )


PROMISES = (
    it_says_whether_it_needs_operators,
    its_plans_are_in_range,
    one_operator_is_enough,
    playing_again_plans_the_same,
    a_case_never_depends_on_its_neighbours,
    randomness_is_handed_over,
)
