"""The table of methods: one column a method, one row a figure, each with its interval where it has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from dltf.report.wording import counted, number, percent

_NAMES = {
    "ball": "uniform in the ball of each seed",
    "sphere": "on the surface of the ball",
    "bridge": "between two seeds of one label whose balls overlap",
    "search": "a search for failures inside the ball",
    "posterior": "drawn from the encoder’s posterior, whatever the radius: the baseline",
}
CHECKS = {
    "label": "its code and that of its re-encoding lie nearest to its label (V1)",
    "cycle": "encoded again, it is near the code it was made of (V2)",
    "density": "its code lies where samples lie (V3)",
    "reconstruction": "it is reconstructed as well as samples are (V4)",
    "judges": "all check judges keep its label (V5)",
    "sure": "all check judges are as sure of its label as of that of held-out reconstructions (V5)",
    "distinct": "finite, in range, neither its seed nor another test again (V6)",
}


@frozen
class Row:
    """A figure of every method: `cells` are texts with the interval below."""

    title: str
    meaning: str
    cells: tuple[tuple[str, str], ...]


def methods_of(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the methods with what they do."""
    return [(name, _NAMES.get(name, "")) for name in result["methods"]]


def rows_of(result: Mapping[str, Any]) -> list[Row]:
    """Return the figures of all methods, without those that none of them has."""
    methods = list(result["methods"].values())
    rows = [
        Row(title, meaning, tuple(told(method) for method in methods)) for title, meaning, told in _figures(methods)
    ]
    return [row for row in rows if any(text != "–" for text, _ in row.cells)]


def checks_of(result: Mapping[str, Any]) -> list[Row]:
    """Return the share of tests that pass each check, method by method."""
    methods = list(result["methods"].values())
    names = dict.fromkeys(name for method in methods for name in method.get("checks", {}))
    return [Row(name, CHECKS.get(name, ""), tuple(_check(method, name) for method in methods)) for name in names]


def judges_of(result: Mapping[str, Any]) -> list[Row]:
    """Return the share of tests that each measuring judge gives their label, method by method."""
    methods = list(result["methods"].values())
    names = dict.fromkeys(name for method in methods for name in method.get("judges", {}))
    meaning = "the share of tests that this measuring judge gives their label"
    return [Row(name, meaning, tuple(_judge(method, name) for method in methods)) for name in names]


def _figures(methods: list[Mapping[str, Any]]) -> Iterator[tuple[str, str, Any]]:
    yield "tests", "generated tests, and the seeds that have one", _tests
    yield "accuracy", "tests that the model under test, or both of the pair, answer by their label", _share("accuracy")
    yield "label kept", "tests whose label all measuring judges confirm", _share("label_kept")
    yield "valid", "tests that passed every check", _share("valid_share")
    yield "label kept by the valid", "the same, of the tests that passed every check", _share("label_kept_valid")
    yield "failures", "tests that are answered wrong, or differently by the pair", _count("failures", "failure_share")
    yield "valid failures", "of these, those that passed every check", _count("valid_failures")
    yield "confirmed failures", "of these, those whose label all measuring judges confirm", _count("confirmed")
    yield "precision", "confirmed ÷ valid failures", _share("precision")
    yield "precision, unchecked", "failures whose label the judges confirm ÷ failures", _share("precision_unchecked")
    yield "seeds with a confirmed failure", "÷ accepted seeds", _share("confirmed_seeds_share", "confirmed_seeds")
    yield "tests to a confirmed failure", "tests ÷ confirmed failures", _cost("queries_per_confirmed")
    yield "seconds to a confirmed failure", "wall time ÷ confirmed failures", _cost("seconds_per_confirmed")
    yield "clusters of failures", "codes within the median radius of a first one are one cluster", _diversity
    yield "move, latent", "median distance between a test’s code and its seed’s, and its share of the radius", _moved
    yield "inside the radius", "tests to which the latent certificate applies", _share("inside_radius")
    for name in sorted(
        {name for method in methods for name in method.get("moves", {})} - {"latent", "share_of_radius"}
    ):
        yield f"move, {name}", "median distance between a test and its seed", _distance(name)


def _tests(method: Mapping[str, Any]) -> tuple[str, str]:
    return number(method.get("tests")), f"of {number(method.get('seeds_with_tests'))} seeds"


def _share(name: str, count: str = "") -> Any:
    def told(method: Mapping[str, Any]) -> tuple[str, str]:
        below = [] if not count or method.get(count) is None else [number(method[count])]
        interval = (method.get("intervals") or {}).get(name)
        below += [] if interval is None else [f"{percent(interval[0])} – {percent(interval[1])}"]
        return percent(method.get(name)), ", ".join(below)

    return told


def _count(name: str, share: str = "") -> Any:
    def told(method: Mapping[str, Any]) -> tuple[str, str]:
        return number(method.get(name)), percent(method.get(share)) if share and method.get(share) is not None else ""

    return told


def _cost(name: str) -> Any:
    def told(method: Mapping[str, Any]) -> tuple[str, str]:
        return number((method.get("cost") or {}).get(name)), ""

    return told


def _diversity(method: Mapping[str, Any]) -> tuple[str, str]:
    diversity = method.get("diversity") or {}
    pairs = diversity.get("class_pairs")
    told = "" if pairs is None else counted(pairs, "pair of classes", "pairs of classes")
    return number(diversity.get("clusters")), told


def _moved(method: Mapping[str, Any]) -> tuple[str, str]:
    moves = method.get("moves") or {}
    share = (moves.get("share_of_radius") or {}).get("median")
    return number((moves.get("latent") or {}).get("median")), "" if share is None else f"{number(share)} of the radius"


def _distance(name: str) -> Any:
    def told(method: Mapping[str, Any]) -> tuple[str, str]:
        moved = (method.get("moves") or {}).get(name) or {}
        return number((moved.get("all") or {}).get("median")), ""

    return told


def _check(method: Mapping[str, Any], name: str) -> tuple[str, str]:
    return percent(method.get("checks", {}).get(name)), ""


def _judge(method: Mapping[str, Any], name: str) -> tuple[str, str]:
    return percent(method.get("judges", {}).get(name)), ""
