"""Cross-validation by seeds: every figure is of inputs that a head has neither learnt from nor been chosen by.

The groups are dealt into folds, several times over. For each fold, heads learn from the other folds and answer in this
one. Which head it is, and from which threshold on it intervenes, is decided inside those other folds: by heads that
learnt without one of them more and answer in that one. A head without the folds f and g serves f's choice and g's, so
that k folds take k·(k + 1)/2 fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.errors import MisfitError
from dltf.repair.data import CLEAN, FINDING, HARD, SEED, TAUGHT, Rows
from dltf.repair.threshold import Chosen, choose, strictest
from dltf.repaired.intervention import ALWAYS, advantages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.contracts import FittedHead, RepairHead
    from dltf.repair.settings import RepairTable
    from dltf.values import IntArray, Stream


@frozen(eq=False)
class Answered:
    """What a head says of n inputs: its classes, int64 [n], and its advantages over the candidate's, float32 [n]."""

    classes: IntArray
    advantages: NDArray[np.float32]

    def after(self, rows: Rows, threshold: float) -> IntArray:
        """Return the repaired candidate's classes, int64 [n]."""
        return np.where(self.advantages >= np.float32(threshold), self.classes, rows.own)


@frozen(eq=False)
class Crossed:
    """One head on one dealing of the folds.

    `outer` answers each row by the head that learnt without its fold. `inner[f]` answers each row outside fold f by the
    head that learnt without f and the row's fold; rows of f are not answered there.
    """

    folds: IntArray
    outer: Answered
    inner: Sequence[Answered]


def deal(groups: IntArray, count: int, stream: Stream) -> IntArray:
    """Return the fold of each row, int64 [n]: those of a group together, groups in equal parts."""
    names, numbers = np.unique(groups, return_inverse=True)
    places = np.arange(len(names)) % count
    return np.asarray(stream.permutation(places)[numbers.ravel()], dtype=np.int64)


def check_folds(rows: Rows, folds: int) -> None:
    """Raise `MisfitError` where a fold has fewer seeds with findings than the reference has answers."""
    found = rows.of(FINDING)
    groups, classes = len(np.unique(rows.groups[found])), len(np.unique(rows.answers[rows.of(*TAUGHT)]))
    if groups // folds < classes:
        more = classes * folds
        fewer = groups // classes
        hint = f"find more: at least {more} seeds with findings" + (
            f"; or take fewer folds: --set repair.folds={fewer}" if fewer >= 2 else ""
        )
        raise MisfitError(
            f"{groups} seeds with findings make {folds} folds of {groups // folds}, fewer than the {classes} classes "
            "that the reference answers with",
            hint=hint,
        )


def answered(head: FittedHead, rows: Rows) -> Answered:
    """Ask a head."""
    if not len(rows):
        return Answered(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
    scores = head.scores(rows.states)
    return Answered(np.asarray(scores).argmax(axis=1).astype(np.int64), advantages(rows.states, scores))


def cross(
    head: RepairHead,
    rows: Rows,
    folds: IntArray,
    stream: Stream,
    ticked: Callable[[], None] = lambda: None,
    kinds: Sequence[str] = TAUGHT,
    *,
    chooses: bool = True,
) -> Crossed:
    """Fit a head without each fold, and without each two; it learns from rows of these kinds.

    Where nothing is to be chosen, a head that always intervenes, the fits without two folds are spared.
    """
    count = int(folds.max()) + 1
    outer = _blank(len(rows))
    inner = [_blank(len(rows)) for _ in range(count if chooses else 0)]
    for first, second in _pairs(count):
        if first != second and not chooses:
            continue
        without = np.isin(folds, [first, second])
        fitted = fit(head, rows.take(~without), stream, kinds)
        if first == second:
            _fill(outer, folds == first, answered(fitted, rows.take(folds == first)))
        else:
            for held, other in ((first, second), (second, first)):
                _fill(inner[held], folds == other, answered(fitted, rows.take(folds == other)))
        ticked()
    return Crossed(folds, outer, inner)


def fits(folds: int) -> int:
    """Return how many fits `cross` makes."""
    return folds * (folds + 1) // 2


def fit(head: RepairHead, rows: Rows, stream: Stream, kinds: Sequence[str] = TAUGHT) -> FittedHead:
    """Teach a head from rows of these kinds."""
    taught = rows.take(rows.of(*kinds))
    return head.fit(taught.states, taught.answers, taught.groups, rows.width, stream)


def _pairs(count: int) -> Iterator[tuple[int, int]]:
    yield from ((first, second) for first in range(count) for second in range(first, count))


def _blank(count: int) -> Answered:
    return Answered(np.full(count, -1, dtype=np.int64), np.full(count, -1, dtype=np.float32))


def _fill(into: Answered, where: NDArray[np.bool_], found: Answered) -> None:
    into.classes[where] = found.classes
    into.advantages[where] = found.advantages


# --- thresholds --------------------------------------------------------------------------------------------------


def threshold(rows: Rows, said: Answered, settings: RepairTable) -> Chosen:
    """Choose a threshold on rows that a head has not learnt from: seeds and clean inputs; hard negatives as asked."""
    agreeing = rows.agreeing
    chosen = [choose(said.advantages[rows.of(SEED, CLEAN) & agreeing], settings.max_inducing, settings.confidence)]
    hard = rows.of(HARD) & agreeing
    if settings.bound_on == "both" and hard.any():
        chosen.append(choose(said.advantages[hard], settings.max_inducing, settings.confidence))
    return strictest(chosen)


def worth(rows: Rows, said: Answered, at: float, settings: RepairTable) -> int:
    """Return what heads are chosen by: findings repaired less inputs spoilt, hard negatives among them as asked."""
    right = said.after(rows, at) == rows.answers
    repaired = right & rows.of(FINDING)
    kinds = (SEED, HARD) if settings.chosen_on == "both" else (SEED,)
    spoilt = ~right & rows.of(*kinds) & rows.agreeing
    return int(repaired.sum()) - int(spoilt.sum())


@frozen(eq=False)
class Repaired:
    """The repaired candidate's classes on every row, each by a head that had not seen it; and what was chosen."""

    after: IntArray
    thresholds: list[float]  # by fold
    heads: list[str]  # by fold


def repaired(rows: Rows, crossed: Mapping[str, Crossed], settings: RepairTable, *, always: bool = False) -> Repaired:
    """Choose head and threshold for each fold inside the others, and repair the fold; `always`: threshold 0."""
    folds = next(iter(crossed.values())).folds
    after = rows.own.copy()
    thresholds, heads = [], []
    for fold in range(int(folds.max()) + 1):
        rest, here = folds != fold, folds == fold
        name, at = _choice(rows.take(rest), crossed, fold, settings, always=always)
        after[here] = _taken(crossed[name].outer, here).after(rows.take(here), at)
        thresholds.append(at)
        heads.append(name)
    return Repaired(after, thresholds, heads)


def _choice(
    outside: Rows, crossed: Mapping[str, Crossed], fold: int, settings: RepairTable, *, always: bool
) -> tuple[str, float]:
    """Return head and threshold for a fold, by what the others tell of them."""
    if always and len(crossed) == 1:
        return next(iter(crossed)), ALWAYS
    best: tuple[int, str, float] | None = None
    for name, one in crossed.items():
        said = _taken(one.inner[fold], one.folds != fold)
        at = ALWAYS if always else threshold(outside, said, settings).threshold
        gained = worth(outside, said, at, settings)
        if best is None or gained > best[0]:
            best = gained, name, at
    assert best is not None, "there is a head"
    return best[1:]


def _taken(said: Answered, rows: NDArray[np.bool_]) -> Answered:
    return Answered(said.classes[rows], said.advantages[rows])


def stream_of(seed: int, *path: int) -> Stream:
    """Return a stream for one place of the protocol."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=path))


def curve_of(rows: Rows, said: Answered, thresholds: Sequence[float]) -> list[dict[str, Any]]:
    """Return what each threshold repairs and spoils, as shares."""
    agreeing = rows.agreeing
    where = {
        "repaired": rows.of(FINDING),
        "induced": rows.of(SEED) & agreeing,
        "hard_negatives": rows.of(HARD) & agreeing,
    }
    told = []
    for at in thresholds:
        right = said.after(rows, at) == rows.answers
        shares = {
            name: (float((right if name == "repaired" else ~right)[those].mean()) if those.any() else None)
            for name, those in where.items()
        }
        told.append({"threshold": at, **shares})
    return told
