"""All findings of a run in the order of how much they matter, without their bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from dltf.report import grades

if TYPE_CHECKING:
    from dltf.store import Store


@frozen
class Ranked:
    """What plots and the choice of the gallery need of a finding."""

    case: int
    phase: str
    kind: str
    grade: str
    severity: float | None  # nats
    queries: int
    distances: Mapping[str, float] = field(hash=False)
    reference: Any = field(hash=False)  # the decision, None where a runtime failed
    candidate: Any = field(hash=False)

    @property
    def group(self) -> str:
        """The part of the gallery that it belongs to: "failures", "natural" or "search"."""
        if self.kind != "deviation":
            return "failures"
        return "natural" if self.phase == "screen" else "search"


def ranked(store: Store) -> list[Ranked]:
    """Return the findings by grade, then by severity, the worst first."""
    rows = store.query(
        """SELECT "case", phase, kind, grade, min(reference_margin, candidate_margin), queries, distances,
           reference_decision, candidate_decision FROM findings"""
    )
    found = [Ranked(*row[:6], *(None if text is None else json.loads(text) for text in row[6:])) for row in rows]
    return sorted(found, key=lambda one: (grades.place(one.grade), -(one.severity or 0.0), one.case))
