"""A campaign from its profile to its summary."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from dltf.campaign import gates
from dltf.campaign.environment import environment, file_facts
from dltf.campaign.hunt import hunt
from dltf.campaign.opening import Opened, make_pair, open_seeds, settle, written
from dltf.campaign.screen import screen
from dltf.campaign.summary import summarise
from dltf.errors import RunFolderError
from dltf.profile.structure import unstructure
from dltf.store import RunFolder, Store
from dltf.values import CampaignProgress, CampaignStarted, Finding

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.profile import Profile
    from dltf.search.pair import Pair


# Keys that change how a run is made and not what it finds.
_WITHOUT_EFFECT = {"campaign.concurrent", "campaign.isolate", "campaign.call_timeout_s"}


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
        role: file_facts(variant.table.file)
        for role, variant in (("reference", profile.reference), ("candidate", profile.candidate))
    }
    if folder.database.exists():
        with Store(folder, write=True) as store:
            _claim(store, profile, models)
            if store.fact("finished", False):
                return evolve(_conclude(profile, host, store, interrupted=False), was_finished=True)
    seeds, cases = open_seeds(profile)
    with make_pair(profile) as pair:
        opened = settle(profile, pair, seeds, cases)
        folder.make()
        with Store(folder, write=True) as store:
            resumed = _claim(store, profile, models)
            _record(store, host, profile, opened)
            strategy, path = profile.search.use, str(folder.path)
            host.tell(
                "dltf_campaign_started",
                started=CampaignStarted(profile.campaign.name, len(cases), strategy, resumed, path),
            )
            interrupted = False
            clock = _Clock(store, pair)
            try:
                _phases(profile, host, opened, store, clock)
                store.note(finished=True)
            except KeyboardInterrupt:
                interrupted = True
            finally:
                clock.save()
            return _conclude(profile, host, store, interrupted=interrupted)


def _conclude(profile: Profile, host: Host, store: Store, *, interrupted: bool) -> Outcome:
    summary = summarise(store, profile.domain.geometry.units)
    summary["gates"] = gates.evaluate(profile.gates, summary)
    store.folder.write_summary(summary)
    host.tell("dltf_campaign_finished", summary=summary)
    first = store.query('SELECT "case" FROM findings ORDER BY phase != \'search\', "case" LIMIT 1')
    return Outcome(store.folder, summary, interrupted, example=first[0][0] if first else None)


def _phases(profile: Profile, host: Host, opened: Opened, store: Store, clock: _Clock) -> None:
    findings = len(store.query('SELECT "case" FROM findings'))

    def found(finding: Finding) -> None:
        nonlocal findings
        findings += 1
        host.tell("dltf_finding_confirmed", finding=finding)

    total = len(opened.cases)
    screening = _Progress(host, "screen", len(store.screened_cases()), total, lambda: findings)
    screen(opened, profile.domain, store, found, lambda cases: screening.advance(cases, cases))
    screening.end()
    clock.save()
    if profile.search.max_queries == 0:
        return
    left = len(store.cases_to_search(opened.cases))
    ended = len(store.query('SELECT "case" FROM searched'))
    searching = _Progress(host, "search", ended, ended + left, lambda: findings)
    hunt(profile, opened, store, found, searching.advance)
    searching.end()


def _claim(store: Store, profile: Profile, models: dict[str, Any]) -> bool:
    """Make the run this profile's own, or check that it is; return whether it goes on from before."""
    before = store.fact("profile")
    if before is None:
        store.note(profile=profile.tree, models=models)
        return False
    changed = sorted(set(_changes(before, dict(profile.tree))) - _WITHOUT_EFFECT)
    if changed:
        raise RunFolderError(
            f"{store.folder.path} holds a run of another profile; these keys differ: {', '.join(changed)}",
            hint="resume it with its own profile, or name another folder with --out",
        )
    for role, facts in store.fact("models").items():
        if facts["sha256"] != models[role]["sha256"]:
            raise RunFolderError(
                f"the {role}'s file {models[role]['file']} has changed since this run began",
                hint="start a new run, or put the old file back",
            )
    return True


def _changes(before: Any, now: Any, at: str = "") -> list[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = set(before) | set(now)
        return [path for key in keys for path in _changes(before.get(key), now.get(key), f"{at}.{key}" if at else key)]
    return [] if before == now else [at]


def _record(store: Store, host: Host, profile: Profile, opened: Opened) -> None:
    """Note what the run was made on and with."""
    variants = {}
    for variant, table in ((opened.pair.reference, profile.reference), (opened.pair.candidate, profile.candidate)):
        seen = opened.invariance[variant.role]
        variants[variant.role] = {
            **file_facts(table.table.file),
            "backend": table.table.backend,
            "target": variant.target,
            "versions": dict(variant.backend.versions()),
            "model_input": str(variant.input),
            "input": dict(variant.preprocess.settings),
            "output": unstructure(variant.decoder),
            "probe": written(seen),
            "runs_alone": variant.alone,
            "notes": list(variant.notes),
        }
    why = [
        f"the {role} answers differently when asked again"
        for role, seen in opened.invariance.items()
        if not seen.repeat
    ]
    if opened.waived:
        roles = " and ".join(f"the {role}" for role, seen in opened.invariance.items() if not seen.batch)
        why.append(f"campaign.batch = {opened.batch} is set, and the answers of {roles} depend on the batch")
    store.note(
        seeds=len(opened.cases),
        seed_source=dict(opened.seeds.source),
        variants=variants,
        environment=environment(host),
        not_reproducible=why,
    )


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
    """Tells the moments of one phase, a few times a second."""

    def __init__(self, host: Host, phase: str, done: int, total: int, findings: Callable[[], int]) -> None:
        self._host = host
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
        elapsed = max(self._told_s - self._began_s, 1e-9)
        fresh = self._done - self._before
        left = (self._total - self._done) * elapsed / fresh if fresh else None
        rate = self._queries / elapsed
        progress = CampaignProgress(self._phase, self._done, self._total, self._findings(), rate, left)
        self._host.tell("dltf_campaign_progressed", progress=progress)
