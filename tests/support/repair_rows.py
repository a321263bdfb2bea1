"""Rows for tests of repair, written by hand, and heads that do what a test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import field, frozen

from dltf.repair.data import Rows


def rows_of(*told: tuple[str, int, Sequence[float], int], labels: Sequence[int] | None = None) -> Rows:
    """Return rows told as (kind, group, state, the reference's answer); the candidate's own is its best class."""
    states = np.array([one[2] for one in told], dtype=np.float32)
    return Rows(
        states=states,
        answers=np.array([one[3] for one in told], dtype=np.int64),
        own=states.argmax(axis=1).astype(np.int64),
        labels=np.array([-1] * len(told) if labels is None else labels, dtype=np.int64),
        groups=np.array([one[1] for one in told], dtype=np.int64),
        kinds=np.array([one[0] for one in told]),
        strategies=np.array(["bracket" if one[0] == "finding" else "" for one in told]),
    )


def blurred(groups: int, classes: int = 3, seed: int = 0) -> Rows:
    """Return seeds, findings and hard negatives of a candidate that takes class 1 for class 0 where it is unsure."""
    rng = np.random.default_rng(seed)
    told: list[tuple[str, int, Sequence[float], int]] = []
    for group in range(groups):
        answer = group % classes
        sure = np.full(classes, 0.05)
        sure[answer] = 1 - 0.05 * (classes - 1)
        told.append(("seed", group, sure, answer))
        lead = rng.uniform(0.01, 0.1)
        rest = np.full(classes, 0.1 / max(classes - 2, 1))
        if answer == 0:
            rest[:2] = 0.45 - lead / 2, 0.45 + lead / 2
            told.append(("finding", group, rest, 0))
        else:
            rest[answer], rest[(answer + 1) % classes] = 0.45 - lead / 2, 0.45 + lead / 2
            told.append(("finding", group, rest, answer))
            told.append(("hard negative", group, rest, (answer + 1) % classes))
    return rows_of(*told)


@frozen(eq=False)
class Says:
    """A head of a rule; it keeps what it was taught in `lessons`."""

    rule: Callable[[Any], Any]
    lessons: list[Any] = field(factory=list)

    def fit(self, states: Any, answers: Any, groups: Any, classes: int, stream: Any) -> Said:
        self.lessons.append(np.asarray(groups).copy())
        return Said(self.rule)

    def load(self, file: Path) -> Said:
        return Said(self.rule)

    def versions(self) -> Mapping[str, str]:
        return {}


@frozen(eq=False)
class Said:
    """What `Says` fits."""

    rule: Callable[[Any], Any]
    facts: Mapping[str, Any] = field(factory=dict)

    def scores(self, states: Any) -> Any:
        return self.rule(np.asarray(states, dtype=np.float64))

    def save(self, file: Path) -> None:
        file.write_bytes(b"head")


def keeping(states: Any) -> Any:
    """Say what the candidate says."""
    return states


def turning(states: Any) -> Any:
    """Prefer the next class, whatever the candidate says."""
    return np.roll(states, 1, axis=1)
