"""Whether a repair holds for other findings than those it was made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.repair.data import CLEAN, FINDING, HARD, NATURAL, SEED, Rows
from dltf.repair.protocol import Answered, answered, deal, fit, stream_of, threshold

if TYPE_CHECKING:
    from dltf.contracts import RepairHead
    from dltf.repair.settings import RepairTable
    from dltf.values import BoolArray, IntArray

_HALVES = 2


def strategies_of(rows: Rows) -> list[str]:
    """Return the strategies that have made findings."""
    return sorted(set(rows.strategies[rows.of(FINDING)].tolist()))


def fits(rows: Rows) -> int:
    """Return how many heads `generalised` fits."""
    return len(strategies_of(rows)) * _HALVES * (1 + _HALVES)


def generalised(
    rows: Rows, head: RepairHead, settings: RepairTable, ticked: Callable[[], None] = lambda: None
) -> list[dict[str, Any]]:
    """Teach a head one strategy's findings, on half of the seeds, and measure it on the other half's, all kinds.

    The seeds are the same for all strategies; natural findings are never learnt from here.
    """
    sides = deal(rows.groups, _HALVES, stream_of(settings.seed, 3))
    told = []
    for number, strategy in enumerate(strategies_of(rows)):
        mine = (rows.strategies == strategy) & rows.of(FINDING, HARD) | rows.of(SEED, CLEAN)
        always, bounded = rows.own.copy(), rows.own.copy()
        for side in range(_HALVES):
            taught, here = rows.take(mine & (sides != side)), sides == side
            at = _threshold(taught, head, settings, (4, number, side), ticked)
            fitted = fit(head, taught, stream_of(settings.seed, 5, number, side), (SEED, FINDING, HARD))
            ticked()
            said, there = answered(fitted, rows.take(here)), rows.take(here)
            always[here], bounded[here] = said.after(there, 0.0), said.after(there, at)
        told.append(
            {
                "trained_on": strategy,
                "findings": int((mine & rows.of(FINDING)).sum()),
                "always": _tested(rows, always),
                "bounded": _tested(rows, bounded),
            }
        )
    return told


def _threshold(
    rows: Rows, head: RepairHead, settings: RepairTable, path: tuple[int, ...], ticked: Callable[[], None]
) -> float:
    """Choose a threshold on each half by what was learnt from the other."""
    sides = deal(rows.groups, _HALVES, stream_of(settings.seed, *path))
    said = Answered(np.full(len(rows), -1, dtype=np.int64), np.full(len(rows), -1, dtype=np.float32))
    for side in range(_HALVES):
        stream = stream_of(settings.seed, *path, side)
        found = answered(fit(head, rows.take(sides != side), stream, (SEED, FINDING, HARD)), rows.take(sides == side))
        said.classes[sides == side], said.advantages[sides == side] = found.classes, found.advantages
        ticked()
    return threshold(rows, said, settings).threshold


def _tested(rows: Rows, after: IntArray) -> dict[str, Any]:
    """Return what each part of the rows came to."""
    right = after == rows.answers
    told: dict[str, Any] = {
        name: _share(right, rows.of(FINDING) & (rows.strategies == name)) for name in strategies_of(rows)
    }
    told["natural"] = _share(right, rows.of(NATURAL))
    told["seeds induced"] = _share(~right, rows.of(SEED) & rows.agreeing)
    told["hard negatives spoilt"] = _share(~right, rows.of(HARD) & rows.agreeing)
    clean = rows.of(CLEAN) & (rows.labels >= 0)
    told["clean accuracy before"] = _share(rows.own == rows.labels, clean)
    told["clean accuracy after"] = _share(after == rows.labels, clean)
    return told


def _share(what: BoolArray, of: BoolArray) -> dict[str, Any]:
    count, total = int((what & of).sum()), int(of.sum())
    return {"count": count, "of": total, "ratio": count / total if total else None}
