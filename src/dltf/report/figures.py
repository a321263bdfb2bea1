"""The figures of a run, each with its unit and what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from dltf.report.wording import FORMS, counted, number, percent, short


@frozen
class Figure:
    """One row: a name, a value with its unit, and what it says."""

    name: str
    value: str
    meaning: str = ""


@frozen
class Tile:
    """A figure that the page leads with."""

    name: str
    value: str
    about: str
    css: str = ""


def tiles(summary: Mapping[str, Any]) -> list[Tile]:
    """Return the two or three figures that matter most."""
    screened, outcomes = summary["screened"], summary["outcomes"]
    seeds = counted(screened["seeds"], "seed")
    found = [Tile("Differ as they are", percent(screened["natural_rate"]), f"{number(screened['natural'])} of {seeds}")]
    if summary["searched"]:
        median = summary["queries"]["median"]
        spent = "" if median is None else f", median {median:g} queries"
        about = f"{number(outcomes['found'])} of {number(summary['searched'])} searched{spent}"
        found.append(Tile("Differ nearby", percent(summary["success_rate"]), about))
    severity = summary.get("severity") or {}
    if severity.get("worst") is not None:
        counts = severity.get("grades", {})
        regressions = counts.get("regression", 0)
        about = f"{counted(regressions, 'regression')} of {counted(summary['findings'], 'finding')}"
        found.append(Tile("Worst severity", f"{number(severity['worst'])} {severity.get('unit', '')}".strip(), about))
    strange = summary["crashes"] + summary["nonfinite"]
    if strange:
        about = (
            f"{counted(summary['crashes'], 'crash', 'crashes')}, {number(summary['nonfinite'])} with NaN or infinity"
        )
        found.append(Tile("Failures", number(strange), about, "bad"))
    return found


def figures(summary: Mapping[str, Any]) -> list[Figure]:
    """Return all figures that this run has."""
    return [
        *_seeds(summary),
        *_search(summary),
        *_severity(summary.get("severity") or {}),
        *_distances(summary),
        *_refined(summary),
        *_accuracy(summary["accuracy"]),
        *_checks(summary),
        *_seconds(summary["seconds"]),
    ]


def _seeds(summary: Mapping[str, Any]) -> Iterator[Figure]:
    screened = summary["screened"]
    yield Figure("seeds screened", number(screened["seeds"]), "both variants saw each of them once")
    yield Figure("natural findings", number(screened["natural"]), "seeds on which the variants differ as they are")
    yield Figure("natural rate", percent(screened["natural_rate"]), "natural findings ÷ seeds screened")
    if summary["skipped"]:
        yield Figure("skipped", number(summary["skipped"]), "seeds that could not be read, or that a model cannot take")


def _search(summary: Mapping[str, Any]) -> Iterator[Figure]:
    queries, outcomes = summary["queries"], summary["outcomes"]
    strategy = short(summary["strategy"], 40)
    yield Figure("searched", number(summary["searched"]), f"seeds whose search with {strategy} is over")
    if summary["searched"]:
        yield Figure("found", number(outcomes["found"]), "searches that ended with a confirmed deviation")
        yield Figure("success rate", percent(summary["success_rate"]), "found ÷ searched")
    for name, meaning in (("exhausted", "spent all their queries"), ("timeout", "were cut short by the time limit")):
        if outcomes[name]:
            yield Figure(name, number(outcomes[name]), f"searches that {meaning}")
    if queries["median"] is not None:
        spread = _spread(("median", queries["median"]), ("mean", queries["mean"]), ("most", queries["max"]))
        yield Figure("queries to a finding", spread, "inputs shown to both variants until they differed")
    yield Figure("search queries in all", number(queries["total"]), f"and {number(queries['screening'])} to screen")


def _severity(severity: Mapping[str, Any]) -> Iterator[Figure]:
    if severity.get("worst") is None:
        return
    names = (("median", "median"), ("95th percentile", "p95"), ("worst", "worst"))
    spread = _spread(*((name, severity[key]) for name, key in names), unit=severity.get("unit", ""))
    yield Figure(
        "severity", spread, "how surely both hold their answers against the other’s; 2.3 nats are odds of 10 to 1"
    )
    yield Figure("near ties", number(severity["near_ties"]), f"of {counted(severity['scored'], 'scored finding')}")


def _distances(summary: Mapping[str, Any]) -> Iterator[Figure]:
    for key, value in summary.items():
        if key.startswith("distance_") and value["mean"] is not None:
            spread = _spread(("median", value["median"]), ("mean", value["mean"]), unit=value["unit"])
            name = f"distance {short(key.removeprefix('distance_'), 40)}"
            yield Figure(name, spread, "between a searched finding and its seed")


def _refined(summary: Mapping[str, Any]) -> Iterator[Figure]:
    for phase, name in FORMS.items():
        told = summary.get(phase)
        if told is None:
            continue
        if told["why_not"]:
            yield Figure(name, "–", told["why_not"])
            continue
        distance, severity = told["distance"], told["severity"]
        changed = [f"{distance['name']} {number(distance['before'])} → {number(distance['after'])} {distance['unit']}"]
        for title, key in (("severity", "median"), ("worst", "worst")):
            if severity["after"][key] is not None:
                changed.append(f"{title} {number(severity['before'][key])} → {number(severity['after'][key])}")
        about = f"medians of {counted(told['findings'], 'finding')}; {number(told['improved'])} were improved"
        yield Figure(name, " · ".join(changed), f"{about} by {number(told['queries'])} queries")


def _accuracy(accuracy: Mapping[str, float] | None) -> Iterator[Figure]:
    if accuracy is not None:
        told = f"reference {percent(accuracy['reference'])} · candidate {percent(accuracy['candidate'])}"
        yield Figure("accuracy", told, "share of the screened seeds labelled as their source does")


def _spread(*named: tuple[str, Any], unit: str = "") -> str:
    return f"{' · '.join(f'{name} {number(value)}' for name, value in named)} {unit}".strip()


def _checks(summary: Mapping[str, Any]) -> Iterator[Figure]:
    ties = summary["ties"]
    meanings = {
        "unconfirmed": "deviations that did not hold alone, after a round trip through a file",
        "duplicates": "searched findings whose bytes another one has too",
        "nonfinite": "findings with a NaN or infinite output",
        "crashes": "findings on which a runtime failed",
    }
    for name, meaning in meanings.items():
        yield Figure(name, number(summary[name]), meaning)
    if ties["screened"] or ties["findings"]:
        told = f"{counted(ties['screened'], 'seed')}, {counted(ties['findings'], 'finding')}"
        yield Figure("ties", told, "judgements that leaned on how equal scores were told apart")


def _seconds(seconds: Mapping[str, Any]) -> Iterator[Figure]:
    yield Figure("time", f"{number(seconds['total'])} s", f"of which {number(seconds['models'])} s in the models")
    if seconds["per_finding"] is not None:
        yield Figure("time per finding", f"{number(seconds['per_finding'])} s", "time ÷ findings")
