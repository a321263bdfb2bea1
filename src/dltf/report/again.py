"""How to do it again: the profile as TOML, and the commands."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from dltf.profile.save import to_toml


@frozen
class Command:
    """A command, and what it is for."""

    line: str
    purpose: str


def profile_text(tree: Mapping[str, Any]) -> str:
    """Write the profile of a run, as it was resolved, as TOML."""
    tables = dict(tree)
    operators = tables.pop("operators", [])
    if any(isinstance(value, (Mapping, list)) for operator in operators for value in operator.values()):
        return to_toml(tree)
    # An array of tables reads better than the one line that the writer makes of it.
    return to_toml(tables) + "".join(f"\n[[operators]]\n{to_toml(operator)}" for operator in operators)


def commands(folder: str, example: int | None, *, finished: bool, findings: int) -> list[Command]:
    """Return what one can do with the run, or with its profile saved as `profile.toml`."""
    run = shlex.quote(folder)
    lines = [] if finished else [Command(f"dltf run profile.toml --out {run} --resume", "go on where it stopped")]
    lines.append(Command("dltf run profile.toml", "the same campaign again, in a folder of its own"))
    if example is not None:
        lines.append(Command(f"dltf replay {run} {example}", "show one finding to both variants again"))
    if findings:
        lines.append(Command(export_line(folder), f"write all {findings:,} as files, with previews and a manifest"))
    lines.append(Command(f"dltf report {run}", "write this page again"))
    return lines


def export_line(folder: str) -> str:
    """Return the command that writes all findings as files."""
    return f"dltf export {shlex.quote(folder)} DIR"
