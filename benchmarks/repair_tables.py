"""The tables of docs/explanation/repair.md, of what `repair.py` has measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bracket import table

LEVELS = (0.005, 0.01, 0.02, 0.0417)  # inducing ratios; the last is the mean of the paper

# Improvement in the paper (DFlare, section 5.5), %, on its pair of this architecture and kind of compression.
PAPER = {
    "dflare lenet5": 24.16,
    "dflare ResNet-20": 14.52,
    "zoo mnist-lenet4, pruned": 48.48,
    "zoo mnist-cnn, pruned": 42.40,
    "zoo cifar10-plainnet20, pruned": 37.48,
    "zoo cifar10-plainnet20, 8-bit": 24.04,
    "zoo cifar10-plainnet20, distilled": 16.56,
    "zoo cifar10-vgg16, pruned": 32.56,
    "zoo cifar10-vgg16, 8-bit": 18.76,
    "zoo cifar10-vgg16, distilled": 14.50,
}
Done = Mapping[str, Mapping[str, dict[str, Any] | None]]
Ways = Mapping[str, tuple[str, str]]
"""Under the title of a column, a part and what is taken of it."""

PROTOCOL: Ways = {
    "its head": ("paper", "drepair, always"),
    "boosted, always": ("heads", "boosted, always"),
    "best on seeds, bounded": ("heads", "best on seeds, bounded"),
    "the same, ten times the findings": ("tenfold", "best on seeds, bounded"),
}
LEVELLED: Ways = {"": ("heads", "boosted, curve"), "ten times the findings: ": ("tenfold", "boosted, curve")}
NEAR: Ways = {
    "its head": ("paper", "drepair, always"),
    "best on seeds, bounded": ("heads", "best on seeds, bounded"),
    "best, bounded": ("heads", "best, bounded"),
    "its head, taught": ("hard", "drepair, always"),
    "residual, taught": ("hard", "residual, always"),
    "best, taught, bounded": ("hard", "best, bounded"),
    "residual, ten times": ("tenfold", "residual, always"),
}


def tables(done: Done) -> dict[str, str]:
    """Return the tables of what there is, by the markers of the page."""
    return {
        "repair short": _short(done),
        "repair protocol": _protocol(done),
        "repair levels": _levels(done),
        "repair hard": _near(done),
        "repair bound": _bounds(done),
        "repair general": _general(done),
    }


def _short(done: Done) -> str:
    """Say on how many pairs of the paper's each way does better than it, and what that costs."""
    lines = []
    for name, (part, way) in PROTOCOL.items():
        told = {pair: (parts[part] or {}).get(way) for pair, parts in done.items()}
        gains = {pair: one["improvement"]["ratio"] for pair, one in told.items() if one is not None}
        spoilt = [one["induced"]["ratio"] for one in told.values() if one is not None]
        ours = [pair for pair in gains if pair in PAPER]
        if ours:
            lines.append(
                f"- {name}: above the paper on {sum(gains[pair] > PAPER[pair] / 100 for pair in ours)} of {len(ours)} "
                f"pairs, {np.mean([gains[pair] for pair in ours]):.1%} on average where it has "
                f"{np.mean([PAPER[pair] for pair in ours]):.1f} %; inducing {np.mean(spoilt):.2%} on average of all "
                f"{len(spoilt)} pairs."
            )
    for way, (part, name) in LEVELLED.items():
        at = {pair: told[name][-1] for pair, parts in done.items() if pair in PAPER and (told := parts[part])}
        if at:
            above = sum(gain > PAPER[pair] / 100 for pair, gain in at.items())
            lines.append(
                f"- {', '.join(['boosted', *way.split(':')[:-1]])}, where {LEVELS[-1]:.2%} of the seeds are induced as "
                f"in the paper: above it on {above} of {len(at)} pairs, "
                f"{np.mean(list(at.values())):.1%} on average."
            )
    return "\n".join(lines)


def _protocol(done: Done) -> str:
    head = ["pair", "the paper", *(f"{way}: {what}" for way in PROTOCOL for what in ("improvement", "inducing"))]
    lines = []
    for pair, parts in done.items():
        cells = [pair, f"{PAPER[pair]:.2f} %" if pair in PAPER else "–"]
        for part, way in PROTOCOL.values():
            told = (parts[part] or {}).get(way)
            cells += ["–", "–"] if told is None else [_ratio(told["improvement"]), _ratio(told["induced"])]
        lines.append(cells)
    return table(head, [*lines, *_means(done, PROTOCOL, ("improvement", "induced"))])


def _levels(done: Done) -> str:
    """What might be had if more were allowed to be spoilt."""
    head = ["pair", "the paper", *(f"{way}{level:.2%}" for way in LEVELLED for level in LEVELS)]
    lines = []
    for pair, parts in done.items():
        cells = [pair, f"{PAPER[pair]:.2f} %" if pair in PAPER else "–"]
        for part, way in LEVELLED.values():
            told = (parts[part] or {}).get(way)
            cells += ["–"] * len(LEVELS) if told is None else [f"{gain:.1%}" for gain in told]
        lines.append(cells)
    return table(head, lines)


def _near(done: Done) -> str:
    head = ["pair", *(f"{way}: {what}" for way in NEAR for what in ("repaired", "spoilt"))]
    lines = []
    for pair, parts in done.items():
        cells = [pair]
        for part, way in NEAR.values():
            told = (parts[part] or {}).get(way)
            cells += ["–", "–"] if told is None else [_plain(told["repaired"]), _plain(told["hard_negatives"])]
        lines.append(cells)
    means = _means(done, NEAR, ("repaired", "hard_negatives"))
    return table(head, [*lines, *([title, *cells] for title, _, *cells in means)])


def _bounds(done: Done) -> str:
    head = (
        "pair",
        "vectors shared",
        "exact: repaired at most",
        "bins: repaired",
        "bins: hard negatives spoilt",
        "least error of any function, estimated by the nearest neighbour’s (Cover and Hart)",
        "a vote of 15: error",
        "the candidate itself: error",
        "the paper’s head: error",
        "residual, taught hard negatives: error",
    )
    lines = []
    for pair, parts in done.items():
        told = parts["bound"]
        if told is None:
            continue
        small = told["small"]
        near = small["neighbours"]
        lines.append(
            [
                pair,
                f"{small['exact']['shared']:,}",
                _plain(small["exact"]["repaired"]),
                _plain(small["bins"]["repaired"]),
                _plain(small["bins"]["hard_negatives"]),
                f"{near['cover_hart']:.1%}",
                f"{near['voted']['error']:.1%}",
                _left_alone((parts["paper"] or {}).get("drepair, always")),
                _error((parts["paper"] or {}).get("drepair, always")),
                _error((parts["hard"] or {}).get("residual, always")),
            ]
        )
    return table(head, lines)


def _left_alone(told: Mapping[str, Any] | None) -> str:
    """Return the share of findings among findings and hard negatives: what the candidate answers wrongly."""
    if told is None:
        return "–"
    found, hard = told["repaired"]["of"], told["hard_negatives"]["of"]
    return f"{found / (found + hard):.1%}"


def _error(told: Mapping[str, Any] | None) -> str:
    """Return the share of findings and hard negatives, all of both, that are answered wrongly."""
    if told is None:
        return "–"
    found, hard = told["repaired"], told["hard_negatives"]
    return f"{(found['of'] - found['count'] + hard['count']) / (found['of'] + hard['of']):.1%}"


def _general(done: Done) -> str:
    head = ("pair", "taught", "dflare repaired", "bracket repaired", "natural", "seeds induced", "accuracy", "after")
    keys = ("dflare", "bracket", "natural", "seeds induced", "clean accuracy before", "clean accuracy after")
    lines: list[list[str]] = []
    ratios: dict[str, list[list[float | None]]] = {}
    for pair, parts in done.items():
        for one in (parts["general"] or {"rows": []})["rows"]:
            for way in ("always", "bounded"):
                told = [one[way].get(key, {"ratio": None})["ratio"] for key in keys]
                taught = f"{one['trained_on']}, {way}"
                ratios.setdefault(taught, []).append(told)
                lines.append([pair, taught, *("–" if ratio is None else f"{ratio:.1%}" for ratio in told)])
    for taught, rows in ratios.items():
        means = np.nanmean(np.array(rows, dtype=np.float64), axis=0)
        lines.append(["mean", taught, *(f"{mean:.1%}" for mean in means)])
    return table(head, lines)


def _means(done: Done, ways: Ways, keys: Sequence[str]) -> list[list[str]]:
    """Return the rows of means: over all pairs, and over those that the paper has."""
    rows = []
    for title, pairs in (
        ("mean of all", list(done)),
        ("mean of the paper’s", [pair for pair in done if pair in PAPER]),
    ):
        published = f"{np.mean([PAPER[pair] for pair in pairs]):.2f} %" if title != "mean of all" and pairs else ""
        cells = [title, published]
        for part, way in ways.values():
            for key in keys:
                found = [(done[pair][part] or {}).get(way) for pair in pairs]
                ratios = [told[key]["ratio"] for told in found if told is not None and told[key]["ratio"] is not None]
                cells.append(f"{np.mean(ratios):.2%} ({len(ratios)})" if ratios else "–")
        rows.append(cells)
    return rows


def _plain(told: Mapping[str, Any]) -> str:
    return "–" if told["ratio"] is None else f"{told['ratio']:.1%}"


def _ratio(told: Mapping[str, Any]) -> str:
    if told["ratio"] is None or told["interval"] is None:
        return "–"
    low, high = told["interval"]
    return f"{told['ratio']:.2%} [{low:.1%}, {high:.1%}]"
