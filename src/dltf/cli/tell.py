"""Telling people what a run came to."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from pathlib import Path

    from dltf.campaign import Outcome


_SKIPPED_TOLD = 3
_REFINED = (("shrink", "shrunk"), ("amplify", "amplified"))


def tell_summary(outcome: Outcome, resume: str, report: Path | None = None) -> None:
    """Print the verdict, the figures, the gates, and the next step; `resume` is the command that goes on."""
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    summary = outcome.summary
    console.print(f"\n[bold]{escape(summary['verdict'])}[/bold]\n")
    rows = _rows(summary)
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        console.print(f"{name:{width}}  {value}", markup=False)
    for gate in summary["gates"]:
        mark = "[green]holds[/green]" if gate["holds"] else "[red]FAILS[/red]"
        bounds = ", ".join(f"{key} {gate[key]:g}" for key in ("at_least", "at_most") if key in gate)
        why = f" {gate['why']}" if "why" in gate else ""
        part = f" for each {gate['slice']}" if "slice" in gate else ""
        worst = f" for {gate['worst']}" if "worst" in gate else ""
        told = f"gate {gate['figure']}{part}: {_number(gate['value'])}{worst} ({bounds})"
        console.print(f"{escape(told)} {mark}{escape(why)}")
    folder = str(outcome.folder.path)
    if outcome.interrupted:
        console.print(f"\nInterrupted; what was found is kept. Go on with: {resume}", markup=False)
    if report is not None:
        console.print(f"\nThe report is {report}", markup=False)
    if summary["findings"]:
        export = f"dltf export {shlex.quote(folder)} DIR"
        console.print(f"\nFindings are in {folder}; write them as files with: {export}", markup=False)
        if outcome.example is not None:
            again = f"dltf replay {shlex.quote(folder)} {outcome.example}"
            console.print(f"Show one of them to both variants again with: {again}", markup=False)
    else:
        console.print(f"\nThe run is in {folder}", markup=False)


def _rows(summary: dict[str, Any]) -> list[tuple[str, str]]:
    screened, queries, seconds = summary["screened"], summary["queries"], summary["seconds"]
    rows = [
        (
            "seeds",
            f"{screened['seeds']} screened, {_counted(screened['natural'], 'natural finding')}, "
            f"{summary['skipped']} skipped",
        ),
        ("searched", f"{summary['searched']} with {summary['strategy']}, {summary['outcomes']['found']} found"),
    ]
    if queries["mean"] is not None:
        spread = f"mean {queries['mean']:.1f}, median {queries['median']:g}, most {queries['max']} to a finding"
        rows.append(("queries", f"{spread}; {queries['total']} in all, {queries['screening']} to screen"))
    for key, value in summary.items():
        if key.startswith("distance_") and value["mean"] is not None:
            name = key.removeprefix("distance_")
            rows.append((name, f"mean {value['mean']:.3g}, median {value['median']:.3g} {value['unit']}".rstrip()))
    if summary["severity"]["scored"]:
        rows.append(("severity", _severity(summary["severity"])))
    rows += [(verb, _refined(summary[phase])) for phase, verb in _REFINED if summary[phase] is not None]
    if summary["accuracy"] is not None:
        accuracy = summary["accuracy"]
        rows.append(
            ("accuracy", f"reference {accuracy['reference']:.4f}, candidate {accuracy['candidate']:.4f} on the seeds")
        )
    per_finding = f", {seconds['per_finding']:.3g} a finding" if seconds["per_finding"] is not None else ""
    rows.append(("seconds", f"{seconds['total']:.1f}, of which {seconds['models']:.1f} in the models{per_finding}"))
    for name in ("nonfinite", "crashes", "unconfirmed", "duplicates"):
        if summary[name]:
            rows.append((name, str(summary[name])))
    if summary["ties"]["screened"] or summary["ties"]["findings"]:
        rows.append(
            ("ties", f"{summary['ties']['screened']} of the seeds, {summary['ties']['findings']} of the findings")
        )
    rows += [("skipped", why) for why in summary["skipped_because"][:_SKIPPED_TOLD]]
    if summary["skipped"] > _SKIPPED_TOLD:
        rows.append(("", f"and {summary['skipped'] - _SKIPPED_TOLD} more, in the table `skipped` of run.sqlite"))
    rows += [("search", why) for why in summary["search_notes"]]
    rows += [("not reproducible", why) for why in summary["not_reproducible_because"]]
    for role, variant in summary["variants"].items():
        rows += [(role, note) for note in _variant_notes(variant)]
    return rows


def _severity(severity: dict[str, Any]) -> str:
    figures = ", ".join(f"{name} {severity[key]:.2g}" for name, key in (("median", "median"), ("worst", "worst")))
    grades = ", ".join(f"{count} {grade}" for grade, count in severity["grades"].items())
    return f"{figures} {severity['unit']}; {grades}"


def _refined(told: dict[str, Any]) -> str:
    """Tell what became of findings, by medians."""
    if told["why_not"]:
        return f"nothing: {told['why_not']}"
    parts = [f"{told['improved']} of {_counted(told['findings'], 'finding')}"]
    distance, severity = told["distance"], told["severity"]
    if distance["after"] is not None:
        parts.append(
            f"{distance['name']} {distance['before']:.3g} → {distance['after']:.3g} {distance['unit']}".rstrip()
        )
    if severity["after"]["median"] is not None:
        before, after = severity["before"], severity["after"]
        parts.append(
            f"severity {before['median']:.2g} → {after['median']:.2g}, "
            f"worst {before['worst']:.2g} → {after['worst']:.2g} nats"
        )
    return f"{', '.join(parts)}; {told['queries']} queries"


def _variant_notes(variant: dict[str, Any]) -> list[str]:
    notes = list(variant["notes"])
    if variant["runs_alone"]:
        apart = variant["probe"]["largest_difference"]
        notes.append(f"its answers depend on the batch (by up to {apart:.2g}), so it runs at batch size one")
    return notes


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _number(value: float | None) -> str:
    return "no value" if value is None else f"{value:.4g}"
