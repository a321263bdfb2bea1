"""What a page tells of a run, gathered from its store; the template only lays it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.report import again, compared, figures, gallery, grades, plots
from dltf.report.names import Names
from dltf.report.previews import Preview, Previews
from dltf.report.ranking import ranked
from dltf.report.wording import number, short

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.store import Store

_MOST_CLUSTERS = 20
_MOST_SLICES = 40  # rows of one table
_MOST_REASONS = 50


@frozen
class Cluster:
    """Findings of one likely cause, and one of them to look at."""

    facts: Mapping[str, Any]
    reference: str
    candidate: str
    preview: Preview


@frozen
class Table:
    """The rows of one slicing, the worst first where there are too many; `more` were left out."""

    column: str
    rows: tuple[Mapping[str, Any], ...]
    more: int


def gathered(store: Store, host: Host, summary: Mapping[str, Any], most: int) -> dict[str, Any]:
    """Return what the template names."""
    profile, source = store.fact("profile", {}), store.fact("seed_source", {})
    names, previews, found = Names.of(source), Previews(store, host), ranked(store)
    groups = gallery.gallery(store, found, names, previews, most)
    folder = str(store.folder.path)
    return {
        "summary": summary,
        "gates": summary.get("gates", []),
        "tiles": figures.tiles(summary),
        "parts": compared.compared(summary["variants"], profile),
        "method": list(_method(profile, source, summary)),
        "figures": figures.figures(summary),
        "plots": plots.plots(store, found, summary, names, previews.units),
        "groups": groups,
        "shown": Counter(card.grade for group in groups for card in group.cards),
        "no_previews": previews.why_not,
        "clusters": _clusters(store, summary, names, previews),
        "more_clusters": max(len(summary.get("clusters", [])) - _MOST_CLUSTERS, 0),
        "tables": _slices(summary, names),
        "failures": _failures(store),
        "skipped": _skipped(store),
        "environment": list(_flat(store.fact("environment", {}))),
        "source": list(_flat({key: value for key, value in source.items() if key != "classes"})),
        "profile": again.profile_text(profile),
        "commands": again.commands(
            folder, _example(found), finished=bool(summary["finished"]), findings=summary["findings"]
        ),
        "export": again.export_line(folder),
        "meanings": grades.MEANINGS,
        "names": names,
    }


def _example(found: list[Any]) -> int | None:
    """Return the case of the worst finding, one that was searched for where there is one."""
    return next((one.case for one in found if one.group == "search"), found[0].case if found else None)


def _method(
    profile: Mapping[str, Any], source: Mapping[str, Any], summary: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield how the campaign was made, in a few lines."""
    seeds, search = profile.get("seeds", {}), profile.get("search", {})
    yield "seeds", f"{number(summary['seeds'])} of {seeds.get('use', '–')}"
    if "licence" in source:
        yield "licence of the seeds", str(source["licence"])
    yield "oracle", _oracle(profile.get("oracle", {}))
    yield "search", f"{search.get('use', '–')}, up to {number(search.get('max_queries'))} queries a seed"
    if "paths" in profile:
        paths = profile["paths"]
        yield "paths", f"through the codes of {paths.get('use', '–')}, from {paths.get('seeds', 'originals')}"
    operators = [str(entry.get("preset") or entry.get("use")) for entry in profile.get("operators", [])]
    if operators:
        yield "operators", ", ".join(operators)
    yield "campaign seed", str(summary["seed"])


def _oracle(table: Mapping[str, Any]) -> str:
    for rule, word in (("all", " and "), ("any", " or ")):
        if rule in table:
            return "(" + word.join(_oracle(part) for part in table[rule]) + ")"
    settings = ", ".join(f"{key} = {value}" for key, value in table.items() if key != "use")
    return f"{table.get('use', '–')} ({settings})" if settings else str(table.get("use", "–"))


def _clusters(store: Store, summary: Mapping[str, Any], names: Names, previews: Previews) -> list[Cluster]:
    return [
        Cluster(
            facts,
            names(facts["reference"]),
            names(facts["candidate"]),
            previews.of(store.finding(facts["example"])),
        )
        for facts in summary.get("clusters", [])[:_MOST_CLUSTERS]
    ]


def _slices(summary: Mapping[str, Any], names: Names) -> list[Table]:
    tables = []
    for column, rows in summary.get("slices", {}).items():
        kept = list(rows)
        if len(kept) > _MOST_SLICES:
            kept = sorted(kept, key=lambda row: -(row.get("natural_rate") or 0.0))[:_MOST_SLICES]
        named = tuple({**row, "value": names(row["value"]) if column == "label" else row["value"]} for row in kept)
        tables.append(Table(column, named, len(rows) - len(kept)))
    return tables


def _failures(store: Store) -> list[tuple[str, int, int]]:
    """Return what went wrong on findings: what was said, how often, and one such case."""
    return [
        (message or "an output was NaN or infinite", count, case)
        for message, count, case in store.query(
            """SELECT message, count(*), min("case") FROM findings WHERE kind != 'deviation'
               GROUP BY kind, message ORDER BY count(*) DESC, min("case")"""
        )
    ]


def _skipped(store: Store) -> list[tuple[int, str]]:
    return list(store.skipped().items())[:_MOST_REASONS]


def _flat(facts: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, str]]:
    for key, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{at}{key} ")
        else:
            yield short(f"{at}{key}", 80), short(value, 400)
