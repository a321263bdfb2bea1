"""Rows that no run has: hard negatives, and clean seeds. They need both models, and are kept in a file.

A *hard negative* is an input near a finding on which the variants agree: on the path that the finding lies on, before
and behind the interval in which they differ; on the line from its seed; or one more mutation away. Of each finding
those are kept on which the candidate is about as sure as on the finding itself, so that a head cannot tell findings
from them by how sure the candidate is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from attrs import field, frozen

from dltf.campaign.opening import Opened, make_pair, open_seeds, settle
from dltf.campaign.replay import profile_of
from dltf.errors import DltfError, SeedError
from dltf.repair.data import CLEAN, COLUMNS, HARD, Collector, Gathered, Rows
from dltf.repair.protocol import stream_of
from dltf.search.engine import stream_of as case_stream
from dltf.search.paths import PATH, between
from dltf.store import RunFolder, Store
from dltf.values import digest_of

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.profile import Profile
    from dltf.search.pair import Judged
    from dltf.values import Finding, FloatArray, Sample

    Told: TypeAlias = Callable[[str, int, int], None]

HARD_FILE, CLEAN_FILE = "hard_negatives.npz", "clean.npz"
MOST = 1000  # findings of all runs that hard negatives are looked for near
_STEPS = (1 / 256, 1 / 128, 1 / 64, 1 / 32, 1 / 16)  # along a path, from where a finding lies
_BACK = (1 / 128, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)  # along the line to the seed
_MUTATIONS = 6  # of each finding
_CHUNK = 32  # findings at a time
_TINY = 1e-6


@frozen(eq=False)
class Near:
    """What was looked at near one finding."""

    finding: Finding
    samples: list[Sample] = field(factory=list)
    origins: list[str] = field(factory=list)


def hard_negatives(
    gathered: Gathered, folders: Sequence[Path], host: Host, overrides: Sequence[str], each: int, out: Path, told: Told
) -> tuple[Rows, dict[str, Any]]:
    """Return `each` hard negatives of every finding that has so many, and how many are from where."""
    wanted = [gathered.pair.key, sorted(gathered.groups), [str(run) for run in gathered.runs], each, MOST]
    kept = _load(out / HARD_FILE, key := _key(wanted), gathered)
    if kept is not None:
        return kept
    collector, facts = Collector(dict(gathered.groups)), {"queries": 0, "findings": 0, "origins": {}}
    share = -(-MOST // len(folders))
    for number, folder in enumerate(folders):
        with Store(RunFolder(folder).for_reading(), write=False) as store:
            picked = _picked(store, share, stream_of(0, 1, number))
            if not picked:
                continue
            digests = dict(store.query('SELECT "case", sha256 FROM screened'))
            profile = profile_of(store, host, overrides)
            with _opened(profile, overrides) as opened:
                for first in range(0, len(picked), _CHUNK):
                    told("hard negatives", number * share + first, share * len(folders))
                    findings = [store.finding(case) for case in picked[first : first + _CHUNK]]
                    for near, judged, rows in _seen_near(findings, opened, profile):
                        _keep(near, judged, rows, collector, (digests, profile.search.use, each), facts)
    told("hard negatives", share * len(folders), share * len(folders))
    return _save(out / HARD_FILE, key, collector, gathered, facts)


def clean(
    gathered: Gathered, folders: Sequence[Path], host: Host, overrides: Sequence[str], most: int, out: Path, told: Told
) -> tuple[Rows, dict[str, Any]]:
    """Return seeds of the first run's source that no run has used, as both variants answer them."""
    wanted = [gathered.pair.key, sorted(gathered.groups), most]
    kept = _load(out / CLEAN_FILE, key := _key(wanted), gathered)
    if kept is not None:
        return kept
    collector, facts = Collector(dict(gathered.groups)), {"queries": 0, "unused": 0}
    with Store(RunFolder(folders[0]).for_reading(), write=False) as store:
        profile = profile_of(store, host, overrides)
        used = _used(folders, dict(profile.tree["seeds"]))
    with _opened(profile, overrides) as opened:
        unused = np.array([case for case in range(len(opened.seeds)) if case not in used], dtype=np.int64)
        facts["unused"] = len(unused)
        cases = np.sort(stream_of(0, 2).permutation(unused)[:most]).tolist()
        for first in range(0, len(cases), opened.batch):
            told("clean seeds", first, len(cases))
            seeds = []
            for case in cases[first : first + opened.batch]:
                with suppress(SeedError):
                    seeds.append(opened.seeds[case])
            columns, labels = [seed.columns for seed in seeds], [seed.label for seed in seeds]
            judged = opened.pair.judge_mutants([seed.sample for seed in seeds], columns, labels)
            facts["queries"] += len(seeds)
            for row, place in enumerate(judged.rows.tolist()):
                seed = seeds[place]
                digest = digest_of(seed.sample)
                if judged.finite[row] and digest not in gathered.groups:
                    collector.add(digest, CLEAN, "", seed.label, *_answers(judged, row))
    told("clean seeds", len(cases), len(cases))
    return _save(out / CLEAN_FILE, key, collector, gathered, facts)


# --- near a finding ----------------------------------------------------------------------------------------------


def _picked(store: Store, most: int, stream: np.random.Generator) -> list[int]:
    rows = store.query("SELECT \"case\" FROM findings WHERE phase = 'search' AND kind = 'deviation' ORDER BY \"case\"")
    cases = np.array([case for (case,) in rows], dtype=np.int64)
    return [int(case) for case in np.sort(stream.permutation(cases)[:most])]


def _seen_near(
    findings: Sequence[Finding], opened: Opened, profile: Profile
) -> Iterator[tuple[Near, Judged, list[int]]]:
    """Yield each finding with what both variants answered near it: the rows of the answers that are its own."""
    near = [_near(finding, opened, profile) for finding in findings]
    for group in _fitting(near, opened.batch):
        samples = [sample for one in group for sample in one.samples]
        columns = [one.finding.columns for one in group for _ in one.samples]
        labels = [one.finding.seed_label for one in group for _ in one.samples]
        judged = opened.pair.judge_mutants(samples, columns, labels)
        first = 0
        for one in group:
            places = range(first, first + len(one.samples))
            first = places.stop
            yield one, judged, [row for row, place in enumerate(judged.rows.tolist()) if place in places]


def _fitting(near: Sequence[Near], batch: int) -> Iterator[list[Near]]:
    """Yield groups whose samples fill a batch."""
    group: list[Near] = []
    for one in near:
        if group and sum(len(other.samples) for other in group) + len(one.samples) > batch:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _near(finding: Finding, opened: Opened, profile: Profile) -> Near:
    near = Near(finding)
    codec, interpolate = profile.domain.codec, getattr(profile.domain.geometry, "interpolate", None)
    seed, sample = codec.decode(finding.seed), codec.decode(finding.sample)
    if interpolate is not None:
        ends, origin, places = _path(finding, opened) or (sample, "line", [1 - step for step in _BACK])
        if ends.shape == seed.shape or getattr(profile.domain.geometry, "across_shapes", False):
            t = np.array(places, dtype=np.float64)
            near.samples.extend(between(interpolate, np.stack([seed] * len(t)), [ends] * len(t), t))
            near.origins.extend([origin] * len(t))
    stream = case_stream(profile.campaign.seed, finding.case)
    for named in profile.operators[:_MUTATIONS]:
        batch = sample[None]
        made = named.operator.apply(batch, named.operator.draw(batch, [stream]), np.ones(1))
        near.samples.append(made[0])
        near.origins.append("mutant")
    return near


def _path(finding: Finding, opened: Opened) -> tuple[Sample, str, list[float]] | None:
    """Return the other end of the path that a finding lies on, and where to look on it; None where it lies on none."""
    if finding.chain != (PATH,) or "to" not in finding.last_draw:
        return None
    t = float(finding.last_draw["t"])
    places = [place for step in _STEPS for place in (t - step, t + step) if 0 < place < 1]
    with suppress(SeedError):
        return opened.seeds[int(finding.last_draw["to"])].sample, "path", places
    return None


def _keep(
    near: Near,
    judged: Judged,
    rows: Sequence[int],
    collector: Collector,
    about: tuple[Mapping[int, str], str, int],
    facts: dict[str, Any],
) -> None:
    """Keep those that agree, and on which the candidate is about as sure as on the finding."""
    digests, strategy, each = about
    finding = near.finding
    assert finding.candidate is not None
    assert finding.candidate.state is not None
    states = judged.candidate.states
    facts["queries"] += len(near.samples)
    usable = judged.finite & ~judged.verdicts.deviates & ~judged.candidate.tied
    first = int(judged.rows[rows[0]]) if rows else 0
    agreeing = [row for row in rows if usable[row] and _same(judged, row)]
    if states is None or not agreeing:
        return
    wanted = np.log(_margins(finding.candidate.state[None])[0] + _TINY)
    apart = np.abs(np.log(_margins(states[agreeing]) + _TINY) - wanted)
    chosen = [agreeing[place] for place in np.argsort(apart, kind="stable")[:each]]
    facts["findings"] += 1
    for row in chosen:
        origin = near.origins[int(judged.rows[row]) - first] if _whole(near, rows) else "some"
        facts["origins"][origin] = facts["origins"].get(origin, 0) + 1
        collector.add(digests[finding.case], HARD, strategy, finding.seed_label, *_answers(judged, row))


def _whole(near: Near, rows: Sequence[int]) -> bool:
    return len(rows) == len(near.samples)


def _same(judged: Judged, row: int) -> bool:
    return bool(judged.reference.decisions[row] == judged.candidate.decisions[row])


def _answers(judged: Judged, row: int) -> tuple[int, int, Any]:
    assert judged.candidate.states is not None
    ours, theirs = (np.asarray(one.decisions)[row] for one in (judged.reference, judged.candidate))
    return int(ours), int(theirs), judged.candidate.states[row].copy()


def _margins(states: Any) -> FloatArray:
    """Return by how many nats the best class leads the next, [n]."""
    best = np.sort(np.maximum(states.astype(np.float64), _TINY), axis=1)[:, -2:]
    return np.asarray(np.log(best[:, 1]) - np.log(best[:, 0]))


# --- opening and keeping -----------------------------------------------------------------------------------------


class _opened:  # noqa: N801  # reads as a function: `with _opened(profile, …) as opened`
    """The models of a profile and its seeds, open for one block."""

    def __init__(self, profile: Profile, overrides: Sequence[str]) -> None:
        self._profile = profile

    def __enter__(self) -> Opened:
        try:
            seeds, cases = open_seeds(self._profile)
            self._pair = make_pair(self._profile)
            self._pair.__enter__()
        except DltfError as error:
            error.hint = f"{error.hint}; {_WITHOUT}" if error.hint else _WITHOUT
            raise
        try:
            return settle(self._profile, self._pair, seeds, cases)
        except BaseException:
            self._pair.__exit__(None, None, None)
            raise

    def __exit__(self, *about: object) -> None:
        self._pair.__exit__(None, None, None)


_WITHOUT = "or do without the models: --set repair.hard_negatives=0 --set repair.clean=0"


def _used(folders: Sequence[Path], source: dict[str, Any]) -> set[int]:
    """Return the cases of this seed source that the runs have used."""
    used: set[int] = set()
    for folder in folders:
        with Store(RunFolder(folder).for_reading(), write=False) as store:
            if _source(store.fact("profile")["seeds"]) == _source(source):
                used |= store.screened_cases()
    return used


def _source(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in ("count", "order")}


def _key(wanted: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(wanted, default=str).encode()).hexdigest()


def _save(
    file: Path, key: str, collector: Collector, gathered: Gathered, facts: dict[str, Any]
) -> tuple[Rows, dict[str, Any]]:
    rows = collector.rows(gathered.rows.width)
    columns = {name: getattr(rows, name) for name in COLUMNS}
    np.savez_compressed(file, key=key, facts=json.dumps(facts), **columns)
    return rows, facts


def _load(file: Path, key: str, gathered: Gathered) -> tuple[Rows, dict[str, Any]] | None:
    """Return what was kept, where it is of these runs and settings."""
    if not file.exists():
        return None
    with suppress(OSError, ValueError, KeyError), np.load(file, allow_pickle=False) as kept:
        if str(kept["key"]) == key:
            return Rows(**{name: kept[name] for name in COLUMNS}), json.loads(str(kept["facts"]))
    return None
