"""A campaign from its profile to its summary."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from dltf.campaign import gates
from dltf.campaign.environment import model_facts
from dltf.campaign.hunt import hunt
from dltf.campaign.identity import claim, record
from dltf.campaign.opening import Opened, make_pair, open_seeds, settle
from dltf.campaign.refine import PHASES, refinable, refine, why_not
from dltf.campaign.screen import screen
from dltf.campaign.summary import summarise
from dltf.store import RunFolder, Store
from dltf.values import CampaignProgress, CampaignStarted, Finding

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.profile import Profile
    from dltf.search.pair import Pair


@frozen
class Outcome:
    """What a run came to."""

    folder: RunFolder
    summary: dict[str, Any]
    interrupted: bool
    example: int | None = None  # the number of one of its findings
    was_finished: bool = False  # before this call, which had nothing left to do

    @property
    def gates_hold(self) -> bool:
        return all(gate["holds"] for gate in self.summary["gates"])


def run(profile: Profile, host: Host, folder: RunFolder, *, resume: bool = False) -> Outcome:
    """Run a campaign, or take it up again; an interrupt (Ctrl-C) ends it with what was found so far.

    Nothing is written before the seeds, both models and the probe are known to work.
    """
    folder.check(resume=resume)
    models = {
        role: model_facts(variant)
        for role, variant in (("reference", profile.reference), ("candidate", profile.candidate))
    }
    if folder.database.exists():
        with Store(folder, write=True) as store:
            claim(store, profile, models)
            if store.fact("finished", False):
                return evolve(_conclude(profile, host, store, interrupted=False), was_finished=True)
    seeds, cases = open_seeds(profile)
    with make_pair(profile) as pair:
        opened = settle(profile, pair, seeds, cases)
        folder.make()
        with Store(folder, write=True) as store:
            resumed = claim(store, profile, models)
            record(store, host, profile, opened)
            strategy, path = profile.search.use, str(folder.path)
            host.tell(
                "dltf_campaign_started",
                started=CampaignStarted(profile.campaign.name, len(cases), strategy, resumed, path),
            )
            interrupted = False
            clock = _Clock(store, pair)
            try:
                _phases(profile, host, opened, store, clock)
                _refine(profile, host, opened, store, clock)
                store.note(finished=True)
            except KeyboardInterrupt:
                interrupted = True
            finally:
                clock.save()
                _note_hangs(store, pair)
            return _conclude(profile, host, store, interrupted=interrupted)


def _conclude(profile: Profile, host: Host, store: Store, *, interrupted: bool) -> Outcome:
    sliced_by = {gate.slice for gate in profile.gates if gate.slice is not None}
    summary = summarise(store, profile.domain.geometry.units, sliced_by)
    summary["gates"] = gates.evaluate(profile.gates, summary)
    store.folder.write_summary(summary)
    host.tell("dltf_campaign_finished", summary=summary)
    first = store.query('SELECT "case" FROM findings ORDER BY phase != \'search\', "case" LIMIT 1')
    return Outcome(store.folder, summary, interrupted, example=first[0][0] if first else None)


def _note_hangs(store: Store, pair: Pair) -> None:
    if pair.hangs:
        why = f"{pair.hangs} calls of a runtime were ended by campaign.call_timeout_s"
        store.note(not_reproducible=[*store.fact("not_reproducible", []), why])


def _phases(profile: Profile, host: Host, opened: Opened, store: Store, clock: _Clock) -> None:
    findings = len(store.query('SELECT "case" FROM findings'))

    def found(finding: Finding) -> None:
        nonlocal findings
        findings += 1
        host.tell("dltf_finding_confirmed", finding=finding)

    total = len(opened.cases)
    screening = _Progress(host, clock, "screen", len(store.screened_cases()), total, lambda: findings)
    screen(opened, profile.domain, store, found, lambda cases: screening.advance(cases, cases))
    screening.end()
    if profile.search.max_queries == 0:
        return
    left = len(store.cases_to_search(opened.cases))
    ended = len(store.query('SELECT "case" FROM searched'))
    searching = _Progress(host, clock, "search", ended, ended + left, lambda: findings)
    hunt(profile, opened, store, found, searching.advance)
    searching.end()


def _refine(profile: Profile, host: Host, opened: Opened, store: Store, clock: _Clock) -> None:
    """Shrink and amplify what was found, where the profile asks for it."""
    findings = len(store.query('SELECT "case" FROM findings'))
    for phase in PHASES:
        table = profile.shrink if phase == "shrink" else profile.amplify
        if not table.queries:
            continue
        store.note(**{f"{phase}_why_not": why_not(profile, phase)})
        if store.fact(f"{phase}_why_not"):
            continue
        cases = refinable(store, phase, profile.amplify.findings if phase == "amplify" else None)
        done = store.derived_cases(phase)
        progress = _Progress(host, clock, phase, len(done), len(cases), lambda: findings)
        refine(phase, profile, opened, store, [case for case in cases if case not in done], progress.advance)
        progress.end()


class _Clock:
    """Adds the seconds of this session to those of the sessions before."""

    def __init__(self, store: Store, pair: Pair) -> None:
        self._store = store
        self._pair = pair
        self._began_s = time.perf_counter()
        self._run_s = pair.run_s
        self._before = store.fact("seconds", {"total": 0.0, "models": 0.0})

    def save(self) -> None:
        total = self._before["total"] + time.perf_counter() - self._began_s
        models = self._before["models"] + self._pair.run_s - self._run_s
        self._store.note(seconds={"total": total, "models": models})


class _Progress:
    """Tells the moments of one phase and saves the clock, a few times a second."""

    def __init__(
        self, host: Host, clock: _Clock, phase: str, done: int, total: int, findings: Callable[[], int]
    ) -> None:
        self._host = host
        self._clock = clock
        self._phase = phase
        self._before = done
        self._done = done
        self._total = total
        self._findings = findings
        self._queries = 0
        self._began_s = time.monotonic()
        self._told_s = 0.0

    def advance(self, cases: int, queries: int) -> None:
        self._done += cases
        self._queries += queries
        if time.monotonic() - self._told_s > 0.2:
            self.end()

    def end(self) -> None:
        self._told_s = time.monotonic()
        self._clock.save()
        elapsed = max(self._told_s - self._began_s, 1e-9)
        fresh = self._done - self._before
        left = (self._total - self._done) * elapsed / fresh if fresh else None
        rate = self._queries / elapsed
        progress = CampaignProgress(self._phase, self._done, self._total, self._findings(), rate, left)
        self._host.tell("dltf_campaign_progressed", progress=progress)
