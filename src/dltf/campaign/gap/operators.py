"""How much of an operator a variant bears: where along its strength, its draw held fixed, the seed's answer is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from dltf.campaign.gap.figures import amounts_of
from dltf.campaign.gap.locate import Crossings, Ends, leads, locate, observe
from dltf.campaign.gap.reference import answers_of, telling
from dltf.campaign.gap.ways import Strengths, strengths_of
from dltf.search.engine import stream_of

if TYPE_CHECKING:
    from dltf.campaign.gap.reference import Known, Progressed
    from dltf.profile import Profile
    from dltf.values import BoolArray, Observations
    from dltf.variant import Variant


@frozen(eq=False)
class Along:
    """One operator's ways from seeds of one shape, and where the reference gives way on them."""

    operator: str
    ways: Strengths
    crossings: Crossings
    ends: Ends
    queries: int


@frozen(eq=False)
class _Both:
    """One candidate beside the reference, on the ways that begin with the reference's answer."""

    ways: Strengths
    reference: Crossings
    candidate: Crossings
    reference_only: int
    candidate_only: int


def reference_along(profile: Profile, variant: Variant, known: Known, progressed: Progressed) -> list[Along]:
    """Draw each operator once for every seed, and locate at what strength the reference gives way."""
    samples, columns = [seed.sample for seed in known.seeds], [seed.columns for seed in known.seeds]
    found = []
    for named in profile.operators:
        streams = [stream_of(profile.campaign.seed, case) for case in known.cases]
        for ways in strengths_of(samples, columns, streams, named.operator):
            ends = _ends(variant, known.seen, known.seen, ways)
            told = telling(progressed, f"{variant.name}, {named.name}", ways)
            crossings = locate(variant, ways, answers_of(known.seen, ways), ends, None, told)
            found.append(Along(named.name, ways, crossings, ends, crossings.queries + len(ways.rows)))
    return found


def candidate_along(
    variant: Variant,
    known: Known,
    along: Sequence[Along],
    seen: Observations,
    agrees: BoolArray,
    progressed: Progressed,
) -> tuple[list[dict[str, Any]], int]:
    """Return at what amounts both give way, for each operator, and the queries that it took.

    `seen` is what the candidate answers to the seeds, and `agrees` where that is the reference's answer.
    """
    told: dict[str, list[_Both]] = {}
    queries = 0
    for one in along:
        rows = np.flatnonzero(agrees[one.ways.rows])
        ways, reference = one.ways.take(rows), one.crossings.take(rows)
        ends = _ends(variant, seen, known.seen, ways)
        progress = telling(progressed, f"{variant.name}, {one.operator}", ways)
        found = locate(variant, ways, answers_of(known.seen, ways), ends, reference, progress)
        queries += found.queries + len(rows)
        theirs, ours = one.ends.crosses[rows], ends.crosses
        both = _Both(ways, reference, found, int((theirs & ~ours).sum()), int((ours & ~theirs).sum()))
        told.setdefault(one.operator, []).append(both)
    return [_figures(operator, parts) for operator, parts in told.items()], queries


def _ends(variant: Variant, seen: Observations, reference: Observations, ways: Strengths) -> Ends:
    """Return the leads at no strength, which are known, and at full strength, which are asked for."""
    answers = answers_of(reference, ways)
    asked = leads(observe(variant, ways.ends(), ways.columns), answers) if len(ways.rows) else np.zeros(0)
    return Ends(leads(seen.take(ways.rows), answers), asked)


def _figures(operator: str, parts: Sequence[_Both]) -> dict[str, Any]:
    amounts, unit = [], ""
    for part in parts:
        rows = np.flatnonzero(np.isfinite(part.reference.low) & np.isfinite(part.candidate.low))
        ways = part.ways.take(rows)
        reference, unit = ways.amounts(part.reference.middle[rows])
        amounts.append((reference, ways.amounts(part.candidate.middle[rows])[0]))
    reference, candidate = (np.concatenate([pair[side] for pair in amounts]) for side in (0, 1))
    return {
        "operator": operator,
        "unit": unit,
        "seeds": sum(len(part.ways.rows) for part in parts),
        "both": len(reference),
        "reference_only": sum(part.reference_only for part in parts),
        "candidate_only": sum(part.candidate_only for part in parts),
        **amounts_of(reference, candidate),
    }
