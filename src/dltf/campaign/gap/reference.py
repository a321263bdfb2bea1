"""What the reference did before any candidate: its answers to the seeds, and where it gives way on the lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.campaign.gap.locate import Answers, Crossings, Ends, leads, locate, observe, picked
from dltf.campaign.gap.ways import Lines, Strengths, lines_of
from dltf.campaign.opening import open_seeds
from dltf.errors import MisfitError, SeedError, UsageError

if TYPE_CHECKING:
    from dltf.campaign.gap.ways import Ways
    from dltf.contracts import Geometry
    from dltf.profile import Profile
    from dltf.values import BoolArray, FloatArray, Observations, Seed
    from dltf.variant import Variant

Progressed = Callable[[str, int, int], None]  # what is done now, and how many ways of how many


@frozen(eq=False)
class Located:
    """Lines and the reference's crossings on them; `steps` is how far apart the samples next to each crossing are."""

    lines: Lines
    crossings: Crossings
    steps: FloatArray


@frozen(eq=False)
class Known:
    """The seeds that the reference takes with what it answers, and its crossings on the lines between them."""

    seeds: list[Seed]
    cases: list[int]
    skipped: int
    seen: Observations
    located: list[Located]
    queries: int


def known_of(profile: Profile, variant: Variant, *, needs_lines: bool, progressed: Progressed) -> Known:
    """Show the seeds to the reference, and locate where it gives way; raise where no line leads anywhere."""
    source, cases = open_seeds(profile)
    seeds: list[Seed] = []
    kept: list[int] = []
    for case in cases:
        with suppress(SeedError, MisfitError):
            seed = source[case]
            variant.check(seed.sample, seed.columns)
            seeds.append(seed)
            kept.append(case)
    samples, columns = [seed.sample for seed in seeds], [seed.columns for seed in seeds]
    seen = observe(variant, samples, columns)
    decisions = listed(seen.decisions)
    lines = lines_of(samples, columns, decisions, profile.domain.geometry)
    if not lines and needs_lines:
        raise _no_lines(profile, decisions)
    queries, located = len(seeds), []
    for line in lines:
        ends, told = ends_of(seen, seen, line), telling(progressed, variant.name, line)
        found = locate(variant, line, answers_of(seen, line), ends, None, told)
        located.append(Located(line, found, _steps(line, found, profile.domain.geometry)))
        queries += found.queries
    return Known(seeds, kept, len(cases) - len(kept), seen, located, queries)


def _steps(line: Lines, found: Crossings, geometry: Geometry) -> FloatArray:
    """Return the distance between the last sample with the seed's answer and the first without; NaN where none is."""
    steps = np.full(len(line.rows), np.nan)
    rows = np.flatnonzero(np.isfinite(found.low))
    if len(rows):
        ends = [line.at(rows, t[rows]) for t in (found.low, found.high)]
        steps[rows] = next(iter(geometry.distances(*ends).values()))
    return steps


def _no_lines(profile: Profile, decisions: Sequence[Any]) -> UsageError:
    if getattr(profile.domain.geometry, "interpolate", None) is None:
        why = f'the domain "{profile.campaign.domain}" has no samples between two others'
    elif len(set(decisions)) == 1:
        why = f"the reference answers all {len(decisions)} seeds alike ({decisions[0]}): no line leads elsewhere"
    else:
        why = f"none of the {len(decisions)} seeds has its shape in common with one that is answered otherwise"
    return UsageError(why, hint="give other seeds, or measure along operators: --operators PRESET")


def answers_of(seen: Observations, ways: Lines | Strengths) -> Answers:
    """Return the answers that are followed; along an operator nobody knows what comes after the seed's."""
    own = picked(seen.decisions, ways.rows)
    return Answers(own, picked(seen.decisions, ways.partners) if isinstance(ways, Lines) else own)


def ends_of(seen: Observations, reference: Observations, line: Lines, fit: BoolArray | None = None) -> Ends:
    """Return the leads at the ends of lines, from what a variant answered on the seeds; NaN where none `fit` it."""
    answers = answers_of(reference, line)
    at_seed, at_other = leads(seen.take(line.rows), answers), leads(seen.take(line.partners), answers)
    if fit is not None:
        at_seed, at_other = np.where(fit[line.rows], at_seed, np.nan), np.where(fit[line.partners], at_other, np.nan)
    return Ends(at_seed, at_other)


def listed(decisions: Any) -> list[Any]:
    """Return decisions as plain values."""
    return decisions.tolist() if isinstance(decisions, np.ndarray) else list(decisions)


def telling(progressed: Progressed, what: str, ways: Ways) -> Callable[[int], None]:
    """Return what tells how many of these ways are done."""
    return lambda done: progressed(what, done, len(ways.seeds))
