"""What a head learns from and is measured on: rows out of stored runs of one pair.

A row is one input: the candidate's state, the reference's answer, and where it comes from. Rows of one seed (itself,
its findings in every run, its hard negatives) share a group, and are never parted; two seeds do, too, where a path from
each to the other has led to a finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, field, frozen

from dltf.errors import MisfitError, RunFolderError
from dltf.store import RunFolder, Store
from dltf.values import digest_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.values import Answer, BoolArray, IntArray

SEED, FINDING, NATURAL, HARD, CLEAN = "seed", "finding", "natural", "hard negative", "clean"
TAUGHT = (SEED, FINDING, NATURAL, HARD)
"""The kinds that heads learn from; clean ones are for measuring alone."""

COLUMNS = ("states", "answers", "own", "labels", "groups", "kinds", "strategies")
_ROLES = ("reference", "candidate")


@frozen(eq=False)
class Rows:
    """n inputs in columns.

    `states`: float32 [n, d], the candidate's. `answers`, `own`: int64 [n], the classes that the reference and the
    candidate answer. `labels`: int64 [n], −1 where none is known. `groups`: int64 [n]. `kinds`, `strategies`: str [n];
    the strategy is that of the run which an input was found in, "" for what no search has made.
    """

    states: NDArray[np.float32]
    answers: IntArray
    own: IntArray
    labels: IntArray
    groups: IntArray
    kinds: NDArray[np.str_]
    strategies: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.answers)

    def take(self, rows: BoolArray | IntArray) -> Rows:
        """Return these rows."""
        return Rows(**{name: getattr(self, name)[rows] for name in COLUMNS})

    def of(self, *kinds: str) -> BoolArray:
        """Return where rows are of one of these kinds."""
        return np.isin(self.kinds, kinds)

    @property
    def agreeing(self) -> BoolArray:
        """Where the candidate answers as the reference does."""
        return np.asarray(self.own == self.answers)

    @property
    def width(self) -> int:
        """The number of classes."""
        return int(self.states.shape[1])


@frozen
class PairFacts:
    """Which pair a run is of: the same pair has the same key."""

    models: Mapping[str, Any]  # by role, as the run has them
    key: tuple[Any, ...]

    def told(self) -> str:
        return " and ".join(f"{self.models[role]['file']} ({self.models[role]['sha256'][:12]})" for role in _ROLES)


@frozen(eq=False)
class Gathered:
    """The rows of all runs; `groups` are by the digests of seeds, `left_out` counts what could not be used."""

    rows: Rows
    pair: PairFacts
    groups: Mapping[str, int]
    runs: tuple[dict[str, Any], ...]
    left_out: Mapping[str, int]


@define(eq=False)
class Collector:
    """Puts rows together, one after the other."""

    groups: dict[str, int] = field(factory=dict)  # by the digests of seeds
    found: list[tuple[Any, ...]] = field(factory=list)

    def together(self, first: str, second: str) -> None:
        """Make one group of those of two seeds: something was found between them, from both sides."""
        kept, gone = (self.groups.setdefault(one, len(self.groups)) for one in (first, second))
        if kept != gone:
            self.groups = {one: kept if group == gone else group for one, group in self.groups.items()}

    def add(self, digest: str, kind: str, strategy: str, label: Any, answer: int, own: int, state: Any) -> None:
        """Add one input; a label that is no class number counts as none."""
        self.groups.setdefault(digest, len(self.groups))
        known = label if type(label) is int and label >= 0 else -1
        self.found.append((state, answer, own, known, digest, kind, strategy))

    def rows(self, width: int) -> Rows:
        """Return what was added, as rows; states are `width` long where there are none."""
        columns = list(zip(*self.found, strict=True)) if self.found else [()] * len(COLUMNS)
        states = np.stack(columns[0]) if self.found else np.zeros((0, width))
        numbers = [self.groups[digest] for digest in columns[4]]
        answers, own, labels, groups = (np.array(one, dtype=np.int64) for one in (*columns[1:4], numbers))
        kinds, strategies = (np.array(one, dtype=np.str_) for one in columns[5:])
        return Rows(np.asarray(states, dtype=np.float32), answers, own, labels, groups, kinds, strategies)


def joined(first: Rows, second: Rows) -> Rows:
    """Return the rows of both, in this order."""
    return Rows(**{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in COLUMNS})


def gather(folders: Sequence[Path]) -> Gathered:
    """Read runs of one pair; refuse what cannot be repaired, and say why."""
    collector, seen = Collector(), set[str]()
    left_out: Counter[str] = Counter()
    told: list[dict[str, Any]] = []
    pair: PairFacts | None = None
    for folder in folders:
        with Store(RunFolder(folder).for_reading(), write=False) as store:
            mine = _pair_of(store)
            if pair is not None and mine.key != pair.key:
                raise MisfitError(
                    f"{folder} is a run of another pair, {mine.told()}; {folders[0]} is one of {pair.told()}",
                    hint="name runs of one pair, in which both models have the same files and settings",
                )
            pair = mine
            told.append(_one(store, collector, seen, left_out))
    if pair is None:
        raise RunFolderError("there is no run", hint="name the folder of a run that dltf run wrote")
    rows = collector.rows(0)
    _usable(rows, folders)
    return Gathered(rows, pair, collector.groups, tuple(told), dict(left_out))


def _pair_of(store: Store) -> PairFacts:
    models, profile = store.fact("models"), store.fact("profile")
    if models is None or profile is None:
        raise RunFolderError(f"{store.folder.path} holds a run that has not begun", hint="begin it with --resume")
    tables = [profile["models"][role] for role in _ROLES]
    if any(table.get("repair") for table in tables):
        raise MisfitError(
            f"the candidate of {store.folder.path} is repaired already: what it answers is not its own",
            hint="repair from runs of the candidate as it was",
        )
    settings = [tuple(repr(table.get(key)) for key in ("target", "input", "output", "feed")) for table in tables]
    named = [models[role]["sha256"] if models[role]["bytes"] else models[role]["file"] for role in _ROLES]
    return PairFacts({role: models[role] for role in _ROLES}, (*named, *settings))


def _one(store: Store, collector: Collector, seen: set[str], left_out: Counter[str]) -> dict[str, Any]:
    """Add the rows of one run; return what it was."""
    strategy = store.fact("profile")["search"]["use"]
    screened = dict(store.query('SELECT "case", sha256 FROM screened'))
    agreed = [store.screened(case) for case in store.agreed(list(screened))]
    for one in agreed:
        if one.sha256 not in seen:
            seen.add(one.sha256)
            _add(store, collector, (one.sha256, SEED, ""), one.label, (one.reference, one.candidate), left_out)
    count = 0
    ends: dict[int, int] = {}
    for finding in store.findings():
        if finding.kind != "deviation":
            left_out[finding.kind] += 1
            continue
        kind = NATURAL if finding.phase == "screen" else FINDING
        digest = screened[finding.case]
        if "to" in finding.last_draw:
            ends[finding.case] = int(finding.last_draw["to"])
        who = f"{kind} {digest_of(np.frombuffer(finding.sample, dtype=np.uint8))}"
        if who in seen:
            left_out["found twice"] += 1
            continue
        seen.add(who)
        count += kind == FINDING
        where = (digest, kind, strategy if kind == FINDING else "")
        _add(store, collector, where, finding.seed_label, (finding.reference, finding.candidate), left_out)
    for case, end in ends.items():
        if ends.get(end) == case:
            collector.together(screened[case], screened[end])
    return {"name": store.folder.path.name, "strategy": strategy, "seeds": len(agreed), "findings": count}


def _add(
    store: Store,
    collector: Collector,
    where: tuple[str, str, str],
    label: Any,
    answers: tuple[Answer | None, Answer | None],
    left_out: Counter[str],
) -> None:
    reference, candidate = answers
    assert reference is not None, "both variants answered"
    assert candidate is not None
    for role, answer in zip(_ROLES, (reference, candidate), strict=True):
        if type(answer.decision) is not int:
            raise MisfitError(
                f"the {role} of {store.folder.path} answers {answer.decision!r}, which is no class number",
                hint="what is repaired is a classifier, one whose decoder is classes",
            )
    if candidate.state is None:
        raise MisfitError(_labels_only(store.folder.path), hint=_NEEDS_SCORES)
    if int(candidate.state.argmax()) != candidate.decision:
        left_out["with an answer that the scores do not tell"] += 1  # a tie that is none before rounding
        return
    collector.add(*where, label, int(reference.decision), int(candidate.decision), candidate.state)  # type: ignore[call-overload]


_NEEDS_SCORES = "a head learns from scores: let the candidate give probabilities or logits"


def _labels_only(folder: Path) -> str:
    return f"the candidate of {folder} gives labels only, no scores of its classes"


def _usable(rows: Rows, folders: Sequence[Path]) -> None:
    names = ", ".join(map(str, folders))
    if not rows.of(FINDING, NATURAL).any():
        raise RunFolderError(
            f"there is no finding to learn from in {names}", hint="search more seeds, or with more queries"
        )
    if bool(((rows.states == 0) | (rows.states == 1)).all()):
        raise MisfitError(_labels_only(folders[0]), hint=_NEEDS_SCORES)


def counted(rows: Rows) -> Iterator[tuple[str, int]]:
    """Yield how many rows there are of each kind."""
    for kind in (*TAUGHT, CLEAN):
        yield kind, int(rows.of(kind).sum())
