"""What terminal and page say in the same words: why seeds were removed, and what a reader has to know of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dltf.feature.screen import STEPS, reason
from dltf.report.wording import number

PASSING: Mapping[str, str] = {
    "offered": "offered",
    "label": "nearest to its label",
    "reconstruction": "kept by the check judges",
    "right": "answered right",
    "reconstruction_right": "reconstruction as well",
    "radius": "farther than suspects",
}
"""The seeds that are left after each step, in a few words."""


def removed(result: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Yield how many seeds each step of the screen removed, and why."""
    sure = result["validity"]["bounds"]["sure"] is not None
    for step in STEPS:
        if count := result["seeds"].get(step):
            yield count, reason(step, sure=sure)


def left(result: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield how many seeds were left after each step that was made, in a few words."""
    seeds = result["seeds"]
    for step, count in {"offered": seeds["offered"], **seeds["steps"]}.items():
        if step != "reconstruction" or seeds.get(step) or _asked(result):
            yield PASSING.get(step, step), count


def remarks(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was done otherwise than the profile says, or at a price that it does not name."""
    separation, held = result["separation"], result["validity"]
    if separation["radius"] == "global" and separation["radius_used"] == "trimmed":
        yield (
            "r = 0: two samples of different labels have the same code, so that the trimmed radius "
            f"{number(separation['trimmed'])} was used; dltf separation lists the suspects"
        )
    if str(held["held_out_from"]).startswith("a fifth"):
        yield (
            f"a fifth of the seeds ({number(held['held_out'])}) was set aside for the limits of the validity checks; "
            "leave 100 seeds beyond seeds.count, and none is set aside"
        )


def unmeasured(result: Mapping[str, Any]) -> str:
    """Say that nothing measured labels, where nothing did."""
    if result["judges"].get("measure"):
        return ""
    return "Nothing measured whether tests keep their label, so no failure is confirmed: add [judges.measure.NAME]."


def _asked(result: Mapping[str, Any]) -> bool:
    """Tell whether check judges have a say in which seeds pass."""
    table = result["settings"]["validity"]
    return bool(result["judges"].get("check")) and (table["judges"] or table["sure"] is not False)
