"""What the page of generated tests shows, in plain values for its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltf.report.charts import Bar, bars, heat_map
from dltf.report.feature.gallery import galleries
from dltf.report.feature.made import generator_tables, models_of
from dltf.report.feature.rows import checks_of, judges_of, methods_of, rows_of
from dltf.report.feature.words import left, remarks, unmeasured
from dltf.report.plots import Plot
from dltf.report.wording import counted, number, percent

_MOST_CLASSES = 16


def gathered(result: Mapping[str, Any], manifest: Sequence[Mapping[str, Any]], pack: Path) -> dict[str, Any]:
    """Return everything that the template names."""
    return {
        "name_of": result["name"],
        "headline": headline(result),
        "gates": result.get("gates", []),
        "tiles": _tiles(result),
        "methods": methods_of(result),
        "rows": rows_of(result),
        "remarks": [text for text in (*remarks(result), unmeasured(result)) if text],
        "checks": checks_of(result),
        "judges": judges_of(result),
        "plots": [*_funnel(result), *_confirmed(result), *_pairs(result)],
        "galleries": galleries(manifest, pack),
        "separation": _separation(result),
        "generator": generator_tables(result["generator"]),
        "models": models_of(result),
    }


def headline(result: Mapping[str, Any]) -> str:
    """Say in a sentence what came of it: by the method that confirmed most."""
    methods = result["methods"]
    judged = {name: one for name, one in methods.items() if one.get("confirmed_seeds") is not None}
    under = "the pair differs" if len(result.get("models", {})) == 2 else "the model fails"
    if not judged:
        name, best = max(methods.items(), key=lambda item: item[1].get("failures") or 0)
        count = counted(best.get("failures") or 0, "test")
        return f"By {name}, {under} on {count}; no judge measures whether labels are kept."
    name, best = max(judged.items(), key=lambda item: item[1]["confirmed_seeds"])
    of = f"{number(best['confirmed_seeds'])} of {number(best['accepted'])} seeds"
    kept = percent(best.get("label_kept"))
    return (
        f"By {name}, {under} on confirmed tests of {of} ({percent(best.get('confirmed_seeds_share'))}); "
        f"{kept} of its tests keep their label."
    )


def _tiles(result: Mapping[str, Any]) -> list[dict[str, str]]:
    seeds, methods = result["seeds"], result["methods"].values()
    tests = sum(one.get("tests") or 0 for one in methods)
    confirmed = [one["confirmed"] for one in methods if one.get("confirmed") is not None]
    return [
        {
            "name": "Seeds accepted",
            "value": number(seeds["accepted"]),
            "about": f"of {number(seeds['offered'])} offered",
        },
        {"name": "Tests", "value": number(tests), "about": counted(len(result["methods"]), "method")},
        {
            "name": "Confirmed failures",
            "value": number(sum(confirmed)) if confirmed else "–",
            "about": "valid, and their label confirmed by all measuring judges",
        },
        {
            "name": "Separation r",
            "value": number(result["separation"]["r"]),
            "about": f"trimmed {number(result['separation']['trimmed'])}, {result['separation']['norm']}",
        },
    ]


def _funnel(result: Mapping[str, Any]) -> list[Plot]:
    steps = list(left(result))
    rows = [Bar(name, count, number(count)) for name, count in steps]
    told = ", ".join(f"{name} {number(count)}" for name, count in steps)
    note = "Each bar is what was left after a step. A seed whose reconstruction fails is no failure of the move."
    return [Plot("Seeds, screened", bars(rows, axis="seeds", alt=f"Seeds left after each step: {told}."), note)]


def _confirmed(result: Mapping[str, Any]) -> list[Plot]:
    shares = [(name, one.get("confirmed_seeds_share")) for name, one in result["methods"].items()]
    known = [(name, share) for name, share in shares if share is not None]
    if len(known) < 2:
        return []
    rows = [Bar(name, share, percent(share)) for name, share in known]
    alt = "Share of seeds with a confirmed failure: " + ", ".join(f"{n} {percent(s)}" for n, s in known) + "."
    return [Plot("Seeds with a confirmed failure", bars(rows, axis="share of accepted seeds", alt=alt))]


def _pairs(result: Mapping[str, Any]) -> list[Plot]:
    pair = len(result.get("models", {})) == 2
    axes = ("reference", "candidate") if pair else ("label", "answered")
    against = "what the candidate answers against what the reference does" if pair else "the answer against the label"
    plots = []
    for name, one in result["methods"].items():
        counts = {(str(ours), str(theirs)): count for ours, theirs, count in one.get("classes", [])}
        classes = sorted({each for pair in counts for each in pair}, key=_natural)
        if not counts or len(classes) > _MOST_CLASSES:
            continue
        of = counted(sum(counts.values()), "failure")
        alt = f"Heat map of failures by {name}: {against}, {of}."
        svg = heat_map(counts, classes, axes=axes, alt=alt, noun="failure")
        kept = "confirmed" if one.get("confirmed") is not None else "valid"
        plots.append(Plot(f"Failures by {name}", svg, f"{of}, {kept}: {against}."))
    return plots


def _natural(text: str) -> tuple[int, float, str]:
    return (0, float(text), "") if text.lstrip("-").isdigit() else (1, 0.0, text)


def _separation(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = result["separation"]
    return [
        ("norm", str(found["norm"])),
        ("reference codes", number(found.get("codes"))),
        ("r, half the least distance between codes of two labels", number(found["r"], 4)),
        ("trimmed r", number(found["trimmed"], 4)),
        ("median radius of the accepted seeds", number(found.get("median_radius"), 4)),
    ]
