"""The second phase: the search of the seeds on which both variants agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np

from dltf.campaign.confirm import Suspect, confirm
from dltf.campaign.neighbours import observations_of, paths_of
from dltf.campaign.opening import Opened
from dltf.errors import SeedError, SeedSourceError
from dltf.search.engine import End, Engine, Hit, Start
from dltf.store import CaseEnd
from dltf.values import Seed, digest_of

if TYPE_CHECKING:
    from dltf.contracts import Decoder, Domain
    from dltf.profile import Profile
    from dltf.search.pair import Pair
    from dltf.search.paths import Paths
    from dltf.store import Store
    from dltf.values import Answer, Finding, Observations


def hunt(
    profile: Profile,
    opened: Opened,
    store: Store,
    found: Callable[[Finding], None],
    progressed: Callable[[int, int], None],
) -> None:
    """Search what is left to search.

    `progressed` is called with the cases that ended and the queries of each turn. A case's end and its finding are kept
    together, so that a run that is killed loses the live cases and nothing else.
    """
    cases = store.cases_to_search(opened.cases)
    if not cases:
        return
    paths = None
    if getattr(profile.strategy, "takes_paths", False):
        paths = paths_of(opened, opened.geometry, store.agreed(opened.cases))
        store.note(search_notes=_without_paths(paths))
    engine = engine_of(profile, opened, paths)
    keeper = _Keeper(profile.domain, opened.pair, store)

    def ended(ends: Sequence[End]) -> None:
        for finding in keeper.keep(ends):
            found(finding)
        progressed(len(ends), 0)

    row_of = {} if paths is None else {int(case): row for row, case in enumerate(paths.screened.cases)}
    engine.run(_starts(cases, row_of, opened, store), keeper.confirms, ended, lambda queries: progressed(0, queries))
    if opened.pair.misfits:
        notes = store.fact("search_notes", [])
        told = f"{opened.pair.misfits:,} mutants were left out: they fit one of the models no more"
        store.note(search_notes=[*notes, told])


def engine_of(profile: Profile, opened: Opened, paths: Paths | None) -> Engine:
    """Return the engine that searches as the profile says."""
    return Engine(
        pair=opened.pair,
        strategy=profile.strategy,
        operators={entry.name: entry.operator for entry in profile.operators},
        campaign_seed=profile.campaign.seed,
        slots=opened.batch,
        max_queries=profile.search.max_queries,
        timeout_s=profile.search.timeout_s,
        paths=paths,
    )


def _without_paths(paths: Paths | None) -> list[str]:
    """Say why no path leads from one seed to another, where none does."""
    if paths is None:
        return ["the domain has no samples between two others: paths are those along operators alone"]
    if len(set(paths.screened.reference.decisions)) < 2:
        return ["all seeds have one answer, so that no path leads to another: paths are those along operators alone"]
    return []


class _Keeper:
    """Confirms hits, and stores each finding together with the end of its case."""

    def __init__(self, domain: Domain, pair: Pair, store: Store) -> None:
        self._domain = domain
        self._pair = pair
        self._store = store
        self._confirmed: dict[int, Finding] = {}

    def confirms(self, hit: Hit) -> bool:
        screened = self._store.screened(hit.case)
        seed = Seed(hit.seed, screened.name, screened.label, screened.columns)
        suspect = Suspect(hit.case, seed, hit.sample, "search", hit.queries, hit.chain, hit.last_draw)
        finding = confirm(suspect, self._pair, self._domain)
        if finding is not None:
            self._confirmed[hit.case] = finding
        return finding is not None

    def keep(self, ends: Sequence[End]) -> list[Finding]:
        """Store how these cases ended; return their findings."""
        fresh = {end.case: self._confirmed.pop(end.case) for end in ends if end.case in self._confirmed}
        with self._store.together():
            for finding in fresh.values():
                self._store.add_finding(finding)
            self._store.add_ends(
                CaseEnd(end.case, _outcome(end, fresh.get(end.case)), end.queries, end.unconfirmed) for end in ends
            )
        return list(fresh.values())


def _outcome(end: End, finding: Finding | None) -> str:
    """Return how a case ended: one that ended in a NaN or a failure did not find a deviation."""
    return end.outcome if finding is None or finding.kind == "deviation" else finding.kind


def _starts(cases: Sequence[int], row_of: Mapping[int, int], opened: Opened, store: Store) -> Iterator[Start]:
    for case in cases:
        screened = store.screened(case)
        assert screened.reference is not None, "a seed that a runtime failed on is not searched"
        assert screened.candidate is not None
        try:
            sample = opened.seeds[case].sample
        except SeedError as error:
            store.add_skipped({case: f"{error.message} (it could be read when it was screened)"})
            continue
        if digest_of(sample) != screened.sha256:
            raise SeedSourceError(
                f"the seed {screened.name} is another than the one that was screened",
                hint="put the old seeds back and go on with --resume, or start a new run",
            )
        tied = screened.tied
        reference = _column(screened.reference, tied, opened.pair.reference.decoder)
        candidate = _column(screened.candidate, tied, opened.pair.candidate.decoder)
        yield Start(case, sample, reference, candidate, screened.columns, row_of.get(case, -1), screened.label)


def _column(answer: Answer, tied: bool, decoder: Decoder | None) -> Observations:
    """Return a stored answer as observations of one input."""
    return attrs.evolve(observations_of([answer], decoder), tied=np.array([tied]))
