"""The phases after the search: findings are shrunk towards their seeds, and amplified to worse contradictions.

A turn is one query for each finding of a batch. What becomes of a finding depends on its own bytes, answers and stream
alone, so that neither the batch nor an interruption matters; a batch that is done is kept at once. What is kept has
gone through its file form and was judged alone, as findings are; what does not hold leaves the finding as it was.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import evolve, frozen

from dltf.campaign.amplify import Amplifying, amplify
from dltf.campaign.confirm import Suspect, confirm
from dltf.campaign.directions import directions_of
from dltf.campaign.neighbours import observations_of, paths_of
from dltf.campaign.partners import line_of
from dltf.campaign.seen import Seen, column, mean_lead, rival
from dltf.campaign.shrink import Lines, Shrinking, shrink
from dltf.store import Derived
from dltf.values import Seed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.campaign.opening import Opened
    from dltf.campaign.seen import Answers
    from dltf.profile import Profile
    from dltf.search.paths import Paths
    from dltf.store import Screened, Store
    from dltf.values import Batch, Finding, IntArray, Observations, Sample, Stream

Phase = Literal["shrink", "amplify"]
PHASES: tuple[Phase, ...] = ("shrink", "amplify")

_CODES = {"shrink": 1, "amplify": 2}  # of their streams; the search has none
_NEEDS = {"shrink": ("rounded", "size", "parts"), "amplify": ("rounded", "size", "patch")}
_TRIES = 4  # of the last samples that were better, until one holds alone


@frozen(eq=False)
class _Subject:
    """One finding and its seed, decoded."""

    finding: Finding
    seed: Sample
    sample: Sample
    stream: Stream
    beside: Sample  # the seed, in the shape of the sample where the domain can bring it there


def refinable(store: Store, phase: Phase, most: int | None = None) -> list[int]:
    """Return the cases whose findings this phase takes: the `most` severe ones, or all.

    Natural findings cannot be shrunk, and what has no scores is not amplified.
    """
    severity = "min(reference_margin, candidate_margin)"
    wanted = "phase = 'search'" if phase == "shrink" else f"{severity} IS NOT NULL"
    found = store.query(
        f"""SELECT "case" FROM findings WHERE kind = 'deviation' AND {wanted} ORDER BY {severity} DESC, "case" """
    )
    return sorted(case for (case,) in found[:most])


def why_not(profile: Profile, phase: Phase) -> str:
    """Return why the findings of this campaign cannot go through this phase, or nothing."""
    missing = [name for name in _NEEDS[phase] if not hasattr(profile.domain.geometry, name)]  # contracts.Refines
    return f'the domain "{profile.campaign.domain}" has no {", ".join(missing)}' if missing else ""


def refine(
    phase: Phase, profile: Profile, opened: Opened, store: Store, cases: Sequence[int], told: Callable[[int, int], None]
) -> None:
    """Take the findings of these cases through a phase; `told` hears of findings that are done, and of queries."""
    refiner = _Refiner(phase, profile, opened, store, told)
    for batch in _batches((refiner.subject(case) for case in cases), opened.batch):
        began_s = time.perf_counter()
        if batch[0].beside.shape != batch[0].sample.shape:  # no change leads from the one to the other
            found = [refiner.unchanged(subject) for subject in batch]
        else:
            found = refiner.shrunk(batch) if phase == "shrink" else refiner.amplified(batch)
        spent_s = store.fact(f"{phase}_s", 0.0) + time.perf_counter() - began_s
        with store.together():
            for derived in found:
                store.add_derived(derived)
            store.note(**{f"{phase}_s": spent_s})
        told(len(batch), 0)


def _batches(subjects: Iterable[_Subject], size: int) -> Iterator[list[_Subject]]:
    """Yield findings whose inputs are of one shape, `size` at most."""
    waiting: dict[Any, list[_Subject]] = defaultdict(list)
    for subject in subjects:
        key = (subject.sample.shape, subject.beside.shape, subject.sample.dtype.str)
        waiting[key].append(subject)
        if len(waiting[key]) == size:
            yield waiting.pop(key)
    yield from waiting.values()


class _Refiner:
    """One phase of one campaign."""

    def __init__(
        self, phase: Phase, profile: Profile, opened: Opened, store: Store, told: Callable[[int, int], None]
    ) -> None:
        self._phase = phase
        self._profile = profile
        self._domain: Any = profile.domain
        self._pair = opened.pair
        self._store = store
        self._told = told
        self._paths: Paths | None = None
        self._rows: dict[int, int] = {}
        self._directions: dict[Any, NDArray[np.float32] | None] = {}
        if phase == "shrink":
            self._paths = paths_of(opened, profile.domain.geometry, store.agreed(opened.cases))
            cases = [] if self._paths is None else self._paths.screened.cases.tolist()
            self._rows = {case: row for row, case in enumerate(cases)}

    def subject(self, case: int) -> _Subject:
        finding = self._store.finding(case)
        seed, sample = (self._domain.codec.decode(data) for data in (finding.seed, finding.sample))
        beside = self._fitted(seed, sample.shape)
        return _Subject(finding, seed, sample, stream_of(self._profile.campaign.seed, self._phase, case), beside)

    def _fitted(self, sample: Sample, shape: tuple[int, ...]) -> Sample:
        """Return a sample in this shape where the domain can bring it there, else as it is."""
        fitted = getattr(self._domain.geometry, "fitted", None)  # contracts.Refines
        return sample if sample.shape == shape or fitted is None else np.asarray(fitted(sample, shape))

    def unchanged(self, subject: _Subject) -> Derived:
        """Return the finding as it was."""
        return Derived(evolve(subject.finding, phase=self._phase, queries=0), 0)

    def shrunk(self, subjects: Sequence[_Subject]) -> list[Derived]:
        screened = [self._store.screened(one.finding.case) for one in subjects]
        ours, theirs = _answers(subjects)
        reference, candidate = self._at_seeds(screened)
        own = column(reference.decisions)
        other = np.where(ours == own, theirs, ours)
        scored = reference.scorer is not None and candidate.scorer is not None
        best = Shrinking(
            space=self._domain.geometry,
            show=self._show(subjects),
            seeds=np.stack([one.beside for one in subjects]),
            samples=np.stack([one.sample for one in subjects]),
            own=own,
            ours=ours,
            theirs=theirs,
            at_seed=mean_lead(reference, candidate, own, *(rival(seen, own, other) for seen in (reference, candidate))),
            streams=[one.stream for one in subjects],
            budget=self._profile.shrink.queries,
            scored=scored,
            keep=self._profile.shrink.keep_answers,
            directions=self._directions_of(subjects[0].sample) if scored else None,
        )
        shrink(best, self._lines(subjects))
        return [self._kept(*each) for each in zip(subjects, best.trail, best.queries.tolist(), strict=True)]

    def amplified(self, subjects: Sequence[_Subject]) -> list[Derived]:
        settings = self._profile.amplify
        ours, theirs = _answers(subjects)
        findings = [one.finding for one in subjects]
        trail = amplify(
            Amplifying(
                space=self._domain.geometry,
                show=self._show(subjects),
                seeds=np.stack([one.beside for one in subjects]),
                samples=np.stack([one.sample for one in subjects]),
                ours=ours,
                theirs=theirs,
                margins=(
                    np.array([finding.reference_margin for finding in findings], dtype=np.float64),
                    np.array([finding.candidate_margin for finding in findings], dtype=np.float64),
                ),
                streams=[one.stream for one in subjects],
                queries=settings.queries,
                room=settings.room,
            )
        )
        return [self._kept(*each, settings.queries) for each in zip(subjects, trail, strict=True)]

    def _show(self, subjects: Sequence[_Subject]) -> Callable[[Batch, IntArray], Seen]:
        findings = [one.finding for one in subjects]

        def show(samples: Batch, rows: IntArray) -> Seen:
            asked = [findings[row] for row in rows.tolist()]
            columns, labels = [one.columns for one in asked], [one.seed_label for one in asked]
            judged = self._pair.judge_mutants(list(samples), columns, labels)
            self._told(0, len(samples))
            return Seen(judged, len(samples))

        return show

    def _at_seeds(self, screened: Sequence[Screened]) -> tuple[Observations, Observations]:
        known = [(one.reference, one.candidate) for one in screened if one.reference and one.candidate]
        assert len(known) == len(screened), "what was searched has been answered"
        reference, candidate = zip(*known, strict=True)
        return (
            observations_of(reference, self._pair.reference.decoder),
            observations_of(candidate, self._pair.candidate.decoder),
        )

    def _directions_of(self, sample: Sample) -> NDArray[np.float32] | None:
        key = (sample.shape, sample.dtype.str)
        if self._paths is not None and key not in self._directions:
            self._directions[key] = directions_of(self._paths, sample)
        return self._directions.get(key)

    def _lines(self, subjects: Sequence[_Subject]) -> Lines | None:
        if self._paths is None or self._profile.shrink.keep_answers:
            return None
        rows = [self._rows.get(one.finding.case) for one in subjects]
        ends, crossings = [], []
        for one, row in zip(subjects, rows, strict=True):
            line = None if row is None else line_of(self._paths, row)
            end = one.beside if line is None else self._fitted(line.end, one.beside.shape)
            leads = line is not None and end.shape == one.beside.shape
            ends.append(end if leads else one.beside)
            crossings.append(line.crossing if line is not None and leads else np.nan)
        return Lines(np.stack(ends), np.array(crossings))

    def _kept(self, subject: _Subject, trail: Sequence[Sample], queries: int) -> Derived:
        """Return what holds alone and is better than the finding: the last of these samples, or the finding itself."""
        finding, unconfirmed = subject.finding, 0
        seed = Seed(subject.seed, finding.seed_name, finding.seed_label, finding.columns)
        chain = (*finding.chain, self._phase)
        for sample in trail[: -_TRIES - 1 : -1]:
            suspect = Suspect(finding.case, seed, sample, self._phase, queries, chain)
            confirmed = confirm(suspect, self._pair, self._domain)
            if confirmed is not None and self._better(confirmed, finding):
                return Derived(confirmed, unconfirmed)
            unconfirmed += 1
        return Derived(evolve(finding, phase=self._phase, queries=queries), unconfirmed)

    def _better(self, confirmed: Finding, finding: Finding) -> bool:
        if confirmed.kind != "deviation":
            return False
        if self._phase == "shrink":
            name = next(iter(self._domain.geometry.units))
            return confirmed.distances[name] < finding.distances[name] and self._answers_kept(confirmed, finding)
        assert finding.severity is not None, "it was amplified"
        return confirmed.severity is not None and confirmed.severity > finding.severity

    def _answers_kept(self, confirmed: Finding, finding: Finding) -> bool:
        return not self._profile.shrink.keep_answers or _decisions(confirmed) == _decisions(finding)


def stream_of(campaign_seed: int, phase: Phase, case: int) -> Stream:
    """Return the random stream of a case in a phase, from its beginning."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(campaign_seed, spawn_key=(_CODES[phase], case))))


def _decisions(finding: Finding) -> tuple[Any, Any]:
    assert finding.reference is not None, "a deviation was answered"
    assert finding.candidate is not None
    return finding.reference.decision, finding.candidate.decision


def _answers(subjects: Sequence[_Subject]) -> tuple[Answers, Answers]:
    ours, theirs = zip(*(_decisions(one.finding) for one in subjects), strict=True)
    return column(list(ours)), column(list(theirs))
