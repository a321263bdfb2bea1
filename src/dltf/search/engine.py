"""The lockstep engine.

Each turn it asks the strategy for one plan for every live case, makes the mutants operator by operator, shows all of
them to both variants in one batch, and tells the strategy what came of it. A case that ends leaves its slot to another.
What happens to a case depends on its seed, its stream and the strategy's memory of it, never on its neighbours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from attrs import define, field, frozen

from dltf.search.pair import Judged, Pair
from dltf.search.paths import Paths, between
from dltf.values import Briefing, Observations, Plans, Turn

if TYPE_CHECKING:
    from dltf.contracts import MutationOperator, SearchStrategy
    from dltf.feed import Columns
    from dltf.values import Batch, BoolArray, Draws, IntArray, Sample, Stream


@frozen(eq=False)
class Start:
    """A case to be searched: its seed's sample, and what the variants answered on it when it was screened (n = 1)."""

    case: int
    sample: Sample
    reference: Observations
    candidate: Observations
    columns: Columns = field(factory=dict)
    row: int = -1  # among the screened seeds, where there are some
    label: Hashable | None = None  # of the seed


@frozen(eq=False)
class Hit:
    """A mutant that looks like a finding, before it is confirmed."""

    case: int
    seed: Sample
    sample: Sample
    queries: int
    chain: tuple[str, ...]
    last_draw: Mapping[str, Any]


@frozen
class End:
    """How the search of one case ended: "found", "exhausted" (its queries) or "timeout"."""

    case: int
    outcome: str
    queries: int
    unconfirmed: int


class Confirm(Protocol):
    """Judges a hit again, alone; True where it holds, and then it has been kept."""

    def __call__(self, hit: Hit) -> bool: ...


@define(eq=False)
class _Case:
    case: int
    seed: Sample
    stream: Stream
    base: Sample
    began_s: float
    columns: Columns
    label: Hashable | None
    queries: int = 0
    unconfirmed: int = 0
    chain: list[int] = field(factory=list)
    # of the last mutant: the operator, whether it was applied to the seed, the draws of its batch, the row in them
    operator: int = -1
    fresh: bool = False
    draws: Draws = field(factory=dict)
    position: int = 0
    strength: float = 1.0
    partner: int = -1  # of the path that it lies on, a row of the screened seeds

    def made(self) -> list[int]:
        """Return the chain of the last mutant."""
        return [*([] if self.fresh else self.chain), self.operator]


@frozen(eq=False)
class Engine:
    """The search of one campaign; `paths` is None where the domain has no samples between two others."""

    pair: Pair
    strategy: SearchStrategy
    operators: Mapping[str, MutationOperator]
    campaign_seed: int
    slots: int
    max_queries: int
    timeout_s: float | None = None
    paths: Paths | None = None

    def run(
        self,
        starts: Iterator[Start],
        confirm: Confirm,
        ended: Callable[[Sequence[End]], None],
        progressed: Callable[[int], None] = lambda queries: None,
    ) -> None:
        """Search every case.

        `confirm` is called for each hit, `ended` with the cases that ended in a turn, `progressed` with the number of
        queries of the turn.
        """
        _Run(self, confirm, ended, progressed).all(starts)


def stream_of(campaign_seed: int, case: int) -> Stream:
    """Return the random stream of a case, from its beginning."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(campaign_seed, spawn_key=(case,))))


class _Run:
    def __init__(
        self,
        engine: Engine,
        confirm: Confirm,
        ended: Callable[[Sequence[End]], None],
        progressed: Callable[[int], None],
    ) -> None:
        self._engine = engine
        self._names = tuple(engine.operators)
        self._operators = tuple(engine.operators.values())
        screened = engine.paths.screened if engine.paths is not None else None
        self._search = engine.strategy.start(Briefing(self._names, engine.slots, screened))
        self._confirm = confirm
        self._ended = ended
        self._progressed = progressed
        self._live: dict[int, _Case] = {}

    def all(self, starts: Iterator[Start]) -> None:
        free = list(range(self._engine.slots))[::-1]
        while self._seat(starts, free):
            free += self._turn()

    def _seat(self, starts: Iterator[Start], free: list[int]) -> bool:
        """Fill the free slots; False when nobody is left."""
        while free and (start := next(starts, None)) is not None:
            slot = free.pop()
            stream = stream_of(self._engine.campaign_seed, start.case)
            now = time.monotonic()
            self._live[slot] = _Case(start.case, start.sample, stream, start.sample, now, start.columns, start.label)
            self._search.seat(np.array([slot]), start.reference, start.candidate, np.array([start.row]))
        return bool(self._live)

    def _turn(self) -> list[int]:
        """Spend one query on every live case; return the slots that became free."""
        slots = np.fromiter(self._live, dtype=np.int64, count=len(self._live))
        cases = list(self._live.values())
        plans = self._search.ask(slots, [case.stream for case in cases])
        going = _planned(plans)
        over = {int(row): "exhausted" for row in np.flatnonzero(~going)}
        if going.any():
            rows = np.flatnonzero(going)
            live = [cases[row] for row in rows]
            told = self._query(slots[rows], live, plans if going.all() else _rows_of(plans, rows))
            over |= {int(rows[row]): how for row, how in told.items()}
        if not over:
            return []
        freed = [int(slots[row]) for row in over]
        for slot in freed:
            del self._live[slot]
        self._ended(
            [End(cases[row].case, how, cases[row].queries, cases[row].unconfirmed) for row, how in over.items()]
        )
        return freed

    def _query(self, slots: IntArray, cases: Sequence[_Case], plans: Plans) -> dict[int, str]:
        """Make a mutant for each case, judge it and learn from it; return the rows whose cases are over, and how."""
        mutants = self._mutate(cases, plans)
        columns, labels = [case.columns for case in cases], [case.label for case in cases]
        judged = self._engine.pair.judge_mutants(mutants, columns, labels)
        for case in cases:
            case.queries += 1
        hits = self._hits(judged)
        accepted = self._tell(slots, judged)
        over = self._settle(cases, mutants, hits, accepted)
        self._progressed(len(cases))
        return over

    def _mutate(self, cases: Sequence[_Case], plans: Plans) -> list[Sample]:
        mutants: list[Any] = [None] * len(cases)
        from_seed = plans.from_seed.tolist()
        bases = [case.seed if fresh else case.base for case, fresh in zip(cases, from_seed, strict=True)]
        keeps = [False] * len(cases) if plans.keeps is None else plans.keeps.tolist()
        for operator, kept, rows in _grouped(plans.operators.tolist(), keeps, bases):
            batch = np.stack([bases[row] for row in rows])
            if operator < 0:
                made: Any = self._between([cases[row] for row in rows], batch, _rows_of(plans, np.array(rows)))
                draws: Draws = {}
            else:
                live = [cases[row] for row in rows]
                acts = self._operators[operator]
                draws = _drawn(live) if kept else acts.draw(batch, [case.stream for case in live])
                made = acts.apply(batch, draws, plans.strengths[rows])
            for position, row in enumerate(rows):
                mutants[row] = made[position]
                case = cases[row]
                case.operator, case.fresh, case.draws, case.position = operator, from_seed[row], draws, position
                case.strength = float(plans.strengths[row])
        return mutants

    def _between(self, cases: Sequence[_Case], seeds: Batch, plans: Plans) -> list[Sample]:
        """Return the points of paths."""
        paths = self._engine.paths
        assert paths is not None, "a strategy plans paths where it was told of screened seeds"
        assert plans.partners is not None
        for case, partner in zip(cases, plans.partners.tolist(), strict=True):
            case.partner = partner
        ends = [paths.sample_of(partner) for partner in plans.partners.tolist()]
        return between(paths.interpolate, seeds, ends, plans.strengths)

    def _tell(self, slots: IntArray, judged: Judged) -> BoolArray:
        accepted = np.zeros(len(slots), dtype=np.bool_)
        if len(judged.rows):
            turn = Turn(judged.reference, judged.candidate, judged.verdicts)
            accepted[judged.rows] = self._search.tell(slots[judged.rows], turn)
        return accepted

    def _hits(self, judged: Judged) -> set[int]:
        """Return the rows that look like findings: a deviation, an output that is not finite, a failure."""
        told = judged.rows[judged.verdicts.deviates | ~judged.finite]
        return {*told.tolist(), *judged.crashed}

    def _settle(
        self, cases: Sequence[_Case], mutants: Sequence[Sample], hits: set[int], accepted: BoolArray
    ) -> dict[int, str]:
        """Move the bases, confirm the hits, and return the rows whose cases are over with how they ended."""
        over: dict[int, str] = {}
        now = time.monotonic()
        for row, (case, moves) in enumerate(zip(cases, accepted.tolist(), strict=True)):
            if row in hits:
                if self._confirm(self._hit(case, mutants[row])):
                    over[row] = "found"
                    continue
                case.unconfirmed += 1
            if moves:
                case.base = mutants[row]
                if case.fresh:
                    case.chain.clear()
                case.chain.append(case.operator)
            if case.queries >= self._engine.max_queries:
                over[row] = "exhausted"
            elif self._engine.timeout_s is not None and now - case.began_s > self._engine.timeout_s:
                over[row] = "timeout"
        return over

    def _hit(self, case: _Case, mutant: Sample) -> Hit:
        paths = self._engine.paths
        path = "" if paths is None else paths.name
        return Hit(
            case=case.case,
            seed=case.seed,
            sample=mutant,
            queries=case.queries,
            chain=tuple(self._names[operator] if operator >= 0 else path for operator in case.made()),
            last_draw=self._last_draw(case),
        )

    def _last_draw(self, case: _Case) -> dict[str, Any]:
        paths = self._engine.paths
        if case.operator < 0 and paths is not None:
            return {"to": int(paths.screened.cases[case.partner]), "t": case.strength}
        strength = {} if case.strength == 1.0 else {"strength": case.strength}
        return _small(case.draws, case.position) | strength


def _planned(plans: Plans) -> BoolArray:
    """Tell for which cases there is a plan: without an operator and a partner there is nothing left to try."""
    known = plans.operators >= 0
    return known if plans.partners is None else known | (plans.partners >= 0)


def _rows_of(plans: Plans, rows: IntArray) -> Plans:
    return Plans(
        plans.operators[rows],
        plans.strengths[rows],
        plans.from_seed[rows],
        None if plans.keeps is None else plans.keeps[rows],
        None if plans.partners is None else plans.partners[rows],
    )


def _grouped(
    operators: Sequence[int], keeps: Sequence[bool], bases: Sequence[Sample]
) -> list[tuple[int, bool, list[int]]]:
    """Group rows by operator, whether it keeps its draw, and the shape and type of the sample."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for row, (operator, kept, base) in enumerate(zip(operators, keeps, bases, strict=True)):
        groups.setdefault((operator, kept, base.shape, base.dtype), []).append(row)
    return [(key[0], key[1], rows) for key, rows in groups.items()]


def _drawn(cases: Sequence[_Case]) -> Draws:
    """Return the draws that the last mutants of these cases were made with."""
    return {name: np.stack([case.draws[name][case.position] for case in cases]) for name in cases[0].draws}


def _small(draws: Draws, position: int) -> dict[str, Any]:
    """Keep what a person can read of one row of a draw; a noise pattern is too long to tell."""
    kept = {}
    for name, values in draws.items():
        row = np.asarray(values[position])
        if row.size <= 16:
            kept[name] = row.tolist()
    return kept
