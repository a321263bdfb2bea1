"""Telling people what a campaign would do, and how long it may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dltf.campaign.estimate import Plan
    from dltf.profile import Profile
    from dltf.variant import Variant


def tell_plan(profile: Profile) -> None:
    """Open everything, try it for a few seconds, and print the plan."""
    from dltf.campaign.estimate import estimate

    plan = estimate(profile)
    rows = [*_rows(profile, plan), *_times(profile, plan)]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(f"{name:{width}}  {value}")
    click.echo("\nNothing was run or written (--dry-run).")


def _rows(profile: Profile, plan: Plan) -> list[tuple[str, str]]:
    opened = plan.opened
    rows = [
        ("campaign", f"{profile.campaign.name}, seed {profile.campaign.seed}"),
        ("seeds", f"{len(opened.cases)} of {len(opened.seeds)} from {profile.seeds.use}, {profile.seeds.order}"),
    ]
    for variant, described in ((opened.pair.reference, profile.reference), (opened.pair.candidate, profile.candidate)):
        rows.append((variant.role, f"{variant.name} on {described.table.backend} ({variant.target})"))
        rows += [("", told) for told in _of_variant(variant)]
    rows.append(("oracle", str(profile.oracle)))
    if profile.search.max_queries:
        if profile.paths is not None:
            table = profile.paths.table
            near = "codes" if table.neighbours == "latent" else "samples"
            rows.append(("paths", f"through the codes of {table.use}, {table.seeds}, partners by {near}"))
        names = ", ".join(entry.name for entry in profile.operators)
        rows.append(("search", f"{profile.search.use}, up to {profile.search.max_queries} queries a seed"))
        rows.append(("operators", names))
    else:
        rows.append(("search", "none: the seeds are screened alone"))
    rows.append(
        ("batch", f"{opened.batch} inputs at a time{', each model alone' if not profile.campaign.concurrent else ''}")
    )
    rows += [("gate", f"{gate.figure} {_bounds(gate)}") for gate in profile.gates]
    return rows


def _of_variant(variant: Variant) -> list[str]:
    takes = ", ".join(map(str, variant.inputs)) or "samples as they are"
    told = [f"takes {takes}; gives {', '.join(map(str, variant.outputs))}"]
    settings = ", ".join(f"{key} = {value}" for key, value in variant.preprocess.settings.items() if value is not None)
    told += [f"input: {settings}"] if settings else []
    told.append(f"output: {variant.own}")
    if variant.alone:
        told.append("its answers depend on the batch, so it would run at batch size one")
    return [*told, *variant.notes]


def _bounds(gate: Any) -> str:
    bounds = [f"{key} {getattr(gate, key):g}" for key in ("at_least", "at_most") if getattr(gate, key) is not None]
    return ", ".join(bounds) + (f", for each {gate.slice}" if gate.slice is not None else "")


def _times(profile: Profile, plan: Plan) -> list[tuple[str, str]]:
    rows = [("screening", f"{plan.screening_per_s:,.0f} seeds a second")]
    if plan.queries_per_s is not None:
        rows.append(("searching", f"{plan.queries_per_s:,.0f} queries a second; {_tried(plan)}"))
    likely, most = span(plan.likely_s), span(plan.at_most_s)
    told = f"about {likely}" if likely == most or plan.queries_per_s is None else f"about {likely}, at most {most}"
    rows.append(("time", f"{told}, by a trial of a few seconds on this machine as it is now"))
    return rows


def _tried(plan: Plan) -> str:
    if not plan.tried:
        return "no case ended in the trial"
    return (
        f"of {plan.tried} cases tried {plan.found} had a finding, after {plan.queries_per_case:.3g} queries on average"
    )


def span(seconds: float) -> str:
    """Write a time as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else "a second"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
