"""Confirming: a finding goes through its file form and is judged again, alone, at batch size one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.campaign.severity import grade_of, margins
from dltf.values import Answer, Finding, Observations

if TYPE_CHECKING:
    from dltf.contracts import Domain
    from dltf.search.pair import Judged, Pair
    from dltf.values import Sample, Seed


@frozen(eq=False)
class Suspect:
    """An input that looks like a finding."""

    case: int
    seed: Seed
    sample: Sample
    phase: str
    queries: int = 0
    chain: tuple[str, ...] = ()
    last_draw: Mapping[str, Any] = {}


def kind_of(judged: Judged, row: int = 0) -> str | None:
    """Return the kind of finding that this row is, or None; the row is one of the batch, not of the columns."""
    if row in judged.crashed:
        return "crash"
    column = int((judged.rows == row).argmax())
    if not judged.finite[column]:
        return "nonfinite"
    return "deviation" if judged.verdicts.deviates[column] else None


def answer_of(observations: Observations, row: int, *, state: bool = True) -> Answer:
    """Return one row for the store."""
    decision: Any = observations.decisions[row]
    return Answer(
        decision=decision.item() if hasattr(decision, "item") else decision,
        log_score=float(observations.log_scores[row]),
        state=None if observations.states is None or not state else observations.states[row].copy(),
    )


def confirm(suspect: Suspect, pair: Pair, domain: Domain) -> Finding | None:
    """Return the finding, or None where it does not hold alone or does not survive its file form."""
    data = domain.codec.encode(suspect.sample)
    sample = domain.codec.decode(data)
    judged = pair.judge_alone(sample, suspect.seed.columns, suspect.seed.label)
    kind = kind_of(judged)
    if kind is None:
        return None
    crashed = bool(judged.crashed)
    distances = domain.geometry.distances([suspect.seed.sample], [sample])
    reference = None if crashed else answer_of(judged.reference, 0)
    ours, theirs = (None, None) if crashed or kind == "nonfinite" else _margins(judged)
    return Finding(
        case=suspect.case,
        seed_name=suspect.seed.name,
        seed_label=suspect.seed.label,
        phase=suspect.phase,
        kind=kind,
        message=judged.crashed.get(0, ""),
        queries=suspect.queries,
        reference=reference,
        candidate=None if crashed else answer_of(judged.candidate, 0),
        tied=not crashed and bool(judged.verdicts.tied[0]),
        chain=suspect.chain,
        last_draw=suspect.last_draw,
        distances={name: float(values[0]) for name, values in distances.items()},
        sample=data,
        seed=domain.codec.encode(suspect.seed.sample),
        suffix=domain.codec.suffix,
        reference_margin=ours,
        candidate_margin=theirs,
        grade=grade_of(ours, theirs, suspect.seed.label, reference and reference.decision),
        region=_region(domain, suspect.seed.sample, sample),
        columns=suspect.seed.columns,
    )


def _margins(judged: Judged) -> tuple[float | None, float | None]:
    ours, theirs = margins(judged.reference, judged.candidate)
    return (None if ours is None else float(ours[0])), (None if theirs is None else float(theirs[0]))


def _region(domain: Domain, seed: Sample, sample: Sample) -> str:
    regions = getattr(domain.geometry, "regions", None)  # contracts.Regions
    return "" if regions is None else str(regions([seed], [sample])[0])
