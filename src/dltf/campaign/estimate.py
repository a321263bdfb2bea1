"""A plan, and how long it may take: everything is opened, a little is tried, and nothing is written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import attrs
from attrs import define, frozen

from dltf.campaign.confirm import answer_of, kind_of
from dltf.campaign.hunt import engine_of
from dltf.campaign.neighbours import paths_of
from dltf.campaign.opening import Opened, fits, make_pair, open_seeds, settle
from dltf.errors import MisfitError, SeedError
from dltf.search.engine import End, Hit, Start

if TYPE_CHECKING:
    from dltf.profile import Profile
    from dltf.values import Seed

TRIAL_S = 3.0  # what each phase is tried for


@frozen(eq=False)
class Plan:
    """What a campaign would do. Rates and times are of this machine as it is now; None where nothing was tried.

    `at_most_s` is the time if every case used all its queries, `likely_s` if the cases not tried went like those that
    were.
    """

    opened: Opened
    opening_s: float  # what it took to open the seeds and both models, and to probe them
    screening_per_s: float  # seeds
    queries_per_s: float | None
    queries_per_case: float | None
    tried: int  # cases whose search ended in the trial
    found: int  # of those
    likely_s: float
    at_most_s: float


@define
class _Trial:
    """What a short search came to."""

    queries: int = 0
    seconds: float = 0.0
    ended: int = 0
    found: int = 0
    spent: int = 0  # queries of the cases that ended


class _TimeIsUpError(Exception):
    """Ends the trial."""


def estimate(profile: Profile, trial_s: float = TRIAL_S) -> Plan:
    """Open what the profile names, try it for some seconds, and return the plan; raise what a run would raise."""
    began = time.perf_counter()
    seeds, cases = open_seeds(profile)
    with make_pair(profile) as pair:
        opened = settle(profile, pair, seeds, cases)
        opening_s = time.perf_counter() - began
        starts, seen, per_s = _screen(opened, trial_s)
        trial = _search(profile, opened, starts, trial_s) if starts and profile.search.max_queries else None
    searched = len(cases) * len(starts) / seen
    likely_s = at_most_s = opening_s + len(cases) / per_s
    if trial is None or not trial.queries:
        return Plan(opened, opening_s, per_s, None, None, 0, 0, likely_s, at_most_s)
    rate = trial.queries / trial.seconds
    per_case = trial.spent / trial.ended if trial.ended else float(profile.search.max_queries)
    return Plan(
        opened,
        opening_s,
        per_s,
        rate,
        per_case,
        trial.ended,
        trial.found,
        likely_s + searched * per_case / rate,
        at_most_s + searched * profile.search.max_queries / rate,
    )


def _screen(opened: Opened, trial_s: float) -> tuple[list[Start], int, float]:
    """Screen batches for a while; return the seeds that agree as starts of a search, how many were seen, and a rate."""
    starts: list[Start] = []
    seen = 0
    began = time.perf_counter()
    for first in range(0, len(opened.cases), opened.batch):
        batch = opened.cases[first : first + opened.batch]
        seeds = _readable(opened, batch)
        known = [seed for _, seed in seeds]
        judged = opened.pair.judge(
            [seed.sample for seed in known], [seed.columns for seed in known], [seed.label for seed in known]
        )
        for column, row in enumerate(judged.rows.tolist()):
            if not judged.verdicts.deviates[column] and judged.finite[column]:
                case, seed = seeds[row]
                ours, theirs = judged.reference.take([column]), judged.candidate.take([column])
                starts.append(Start(case, seed.sample, ours, theirs, seed.columns, label=seed.label))
        seen += len(batch)
        if time.perf_counter() - began > trial_s:
            break
    return starts, seen, seen / (time.perf_counter() - began)


def _readable(opened: Opened, cases: Sequence[int]) -> list[tuple[int, Seed]]:
    found = []
    for case in cases:
        try:
            seed = opened.seeds[case]
            fits(opened.pair, seed)
        except (SeedError, MisfitError):
            continue
        found.append((case, seed))
    return found


def _search(profile: Profile, opened: Opened, starts: Sequence[Start], trial_s: float) -> _Trial:
    trial = _Trial()
    paths = None
    if getattr(profile.strategy, "takes_paths", False):
        answers = {start.case: (answer_of(start.reference, 0), answer_of(start.candidate, 0)) for start in starts}
        paths = paths_of(opened, opened.geometry, answers)
    row_of = {} if paths is None else {int(case): row for row, case in enumerate(paths.screened.cases)}
    began = time.perf_counter()
    of = {start.case: start for start in starts}

    def holds(hit: Hit) -> bool:
        start = of[hit.case]
        return kind_of(opened.pair.judge_alone(hit.sample, start.columns, start.label)) is not None

    def ended(ends: Sequence[End]) -> None:
        trial.ended += len(ends)
        trial.found += sum(end.outcome == "found" for end in ends)
        trial.spent += sum(end.queries for end in ends)

    def progressed(queries: int) -> None:
        trial.queries += queries
        trial.seconds = time.perf_counter() - began
        if trial.seconds > trial_s:
            raise _TimeIsUpError

    engine = engine_of(profile, opened, paths)
    with suppress(_TimeIsUpError):
        engine.run((attrs.evolve(start, row=row_of.get(start.case, -1)) for start in starts), holds, ended, progressed)
    return trial
