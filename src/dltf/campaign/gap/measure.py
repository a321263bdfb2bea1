"""The boundary gap: how far apart two variants change their answers.

On the line between a seed and the nearest that the reference answers otherwise, each variant changes its answer
somewhere. Where is located for each alone, and how far apart the two places are is the gap of that line. The lines are
the reference's, and the same for every candidate, so that candidates are compared line by line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.campaign.gap.figures import Gaps, class_pairs, difference, figures_of, gaps_of
from dltf.campaign.gap.locate import Answers, leads, locate, observe
from dltf.campaign.gap.operators import candidate_along, reference_along
from dltf.campaign.gap.reference import Progressed, answers_of, ends_of, known_of, listed, telling
from dltf.campaign.gap.ways import alike
from dltf.campaign.opening import make_pair, open_seeds, settle
from dltf.errors import MisfitError, UsageError
from dltf.profile.backends import seeds_only

if TYPE_CHECKING:
    from dltf.campaign.gap.operators import Along
    from dltf.campaign.gap.reference import Known
    from dltf.profile import Profile
    from dltf.search.pair import Pair
    from dltf.values import BoolArray, Observations
    from dltf.variant import Variant


@frozen(eq=False)
class Candidate:
    """One candidate's gaps; `wrong` says why it has none, or is empty."""

    name: str
    figures: dict[str, Any]
    operators: list[dict[str, Any]]
    gaps: Gaps | None
    wrong: str = ""


@frozen(eq=False)
class Measured:
    """The gaps of several candidates, the nearest first, and what was measured on."""

    reference: str
    seeds: int
    skipped: int
    paths: int
    queries: int  # inputs shown to the reference
    distance: str
    unit: str
    length: float | None  # of the paths, mean
    crossing: float | None  # from the seed to where the reference gives way, mean
    candidates: tuple[Candidate, ...]

    def differences(self) -> list[dict[str, Any]]:
        """Return by how much each candidate is nearer than the next, on the paths of both."""
        found = []
        for nearer, farther in zip(self.candidates, self.candidates[1:], strict=False):
            apart = None if nearer.gaps is None or farther.gaps is None else difference(nearer.gaps, farther.gaps)
            if apart is not None:
                told = {"nearer": nearer.name, "farther": farther.name}
                found.append({**told, "difference": apart[0], "interval": apart[1]})
        return found

    def written(self) -> dict[str, Any]:
        """Return everything, for a program."""
        told = {name: getattr(self, name) for name in ("reference", "seeds", "skipped", "paths", "queries")}
        measure = {name: getattr(self, name) for name in ("distance", "unit", "length", "crossing")}
        candidates = [
            {"name": one.name, **one.figures, "operators": one.operators, "wrong": one.wrong} for one in self.candidates
        ]
        return {"schema": 1, **told, **measure, "candidates": candidates, "differences": self.differences()}


def measure(
    profiles: Sequence[Profile],
    names: Sequence[str],
    *,
    operators: bool = False,
    progressed: Progressed = lambda what, done, total: None,
) -> Measured:
    """Measure candidates, one a profile, against the reference that all of them have.

    With `operators`, those of the profiles are measured, too. Raise `UsageError` where there is nothing to measure on,
    and where no candidate answers any seed as the reference does.
    """
    known: Known | None = None
    along: list[Along] = []
    candidates: list[Candidate] = []
    for profile, name in zip(profiles, names, strict=True):
        _refuse_recordings(profile)
        if profile.paths is not None:
            raise UsageError(
                "a gap is measured on lines between the samples themselves, and the profile has [paths]",
                hint="measure it with a profile without that table",
            )
        with _opened(profile) as pair:
            if known is None:
                known = known_of(profile, pair.reference, needs_lines=not operators, progressed=progressed)
                along = reference_along(profile, pair.reference, known, progressed) if operators else []
            candidates.append(_candidate(name, pair.candidate, known, along, progressed))
    assert known is not None, "there is a candidate"
    if all(one.wrong for one in candidates):
        raise UsageError(
            f"{candidates[0].name}: {candidates[0].wrong}",
            hint="see that each model is prepared as it was trained: dltf compare tells how, --input KEY=VALUE sets it",
        )
    return _measured(profiles[0], known, along, candidates)


def _measured(profile: Profile, known: Known, along: Sequence[Along], candidates: Sequence[Candidate]) -> Measured:
    none = np.zeros(0)
    lengths = np.concatenate([one.lines.lengths for one in known.located] or [none])
    places = np.concatenate([one.crossings.middle * one.lines.lengths for one in known.located] or [none])
    places = places[np.isfinite(places)]
    distance, unit = next(iter(profile.domain.geometry.units.items()), ("", ""))
    return Measured(
        reference=profile.reference.name,
        seeds=len(known.seeds),
        skipped=known.skipped,
        paths=len(lengths),
        queries=known.queries + sum(one.queries for one in along),
        distance=distance,
        unit=unit,
        length=float(lengths.mean()) if len(lengths) else None,
        crossing=float(places.mean()) if len(places) else None,
        candidates=tuple(sorted(candidates, key=_far)),
    )


def _far(candidate: Candidate) -> tuple[bool, float]:
    mean = candidate.figures.get("mean")
    return mean is None, mean or 0.0


def _refuse_recordings(profile: Profile) -> None:
    for described in (profile.reference, profile.candidate):
        if seeds_only(described.backend):
            raise UsageError(
                f"{described.name} holds recorded answers, and a gap is measured on inputs that nobody has recorded",
                hint="give the model itself",
            )


@contextmanager
def _opened(profile: Profile) -> Iterator[Pair]:
    seeds, cases = open_seeds(profile)
    with make_pair(profile) as pair:
        settle(profile, pair, seeds, cases)
        yield pair


def _candidate(name: str, variant: Variant, known: Known, along: Sequence[Along], progressed: Progressed) -> Candidate:
    """Locate one candidate's crossings, and hold them against the reference's."""
    seen, fit = _seen_by(variant, known)
    own = known.seen.decisions
    agrees = (leads(seen, Answers(own, own)) > 0) & fit
    queries = int(fit.sum())
    if not agrees.any():
        return Candidate(name, {"queries": queries}, [], None, "it answers no seed as the reference does")
    parts: list[Gaps] = []
    for one in known.located:
        ends, told = ends_of(seen, known.seen, one.lines, fit), telling(progressed, name, one.lines)
        found = locate(variant, one.lines, answers_of(known.seen, one.lines), ends, one.crossings, told)
        parts.append(gaps_of(one.crossings, found, ends, one.lines.lengths, one.steps))
        queries += found.queries
    operators, spent = candidate_along(variant, known, along, seen, agrees, progressed)
    counts = {"differs": int((~agrees & fit).sum()), "queries": queries + spent}
    if not parts:
        return Candidate(name, {"mean": None, "paths": 0, **counts}, operators, None)
    gaps = _joined(parts)
    answers = [answers_of(known.seen, one.lines) for one in known.located]
    own, others = ([given for part in answers for given in listed(getattr(part, end))] for end in ("own", "others"))
    pairs = class_pairs(gaps, own, others)
    return Candidate(name, {**figures_of(gaps), **counts, "class_pairs": pairs}, operators, gaps)


def _seen_by(variant: Variant, known: Known) -> tuple[Observations, BoolArray]:
    """Show the seeds to a candidate; return what it answers, and which seeds it takes: those have the answers."""
    fit = np.zeros(len(known.seeds), dtype=np.bool_)
    samples = [seed.sample for seed in known.seeds]
    wrong: MisfitError | None = None
    for rows in alike(samples):
        try:
            variant.check(samples[rows[0]], known.seeds[rows[0]].columns)
            fit[rows] = True
        except MisfitError as error:
            wrong = error
    if not fit.any():
        assert wrong is not None, "there are seeds"
        raise wrong
    taken = np.flatnonzero(fit)
    seen = observe(variant, [samples[row] for row in taken], [known.seeds[row].columns for row in taken])
    return seen.take(np.maximum(np.cumsum(fit) - 1, 0)), fit


def _joined(parts: Sequence[Gaps]) -> Gaps:
    names = ("values", "resolution", "unresolved", "at_least", "first")
    return Gaps(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
