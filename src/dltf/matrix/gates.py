"""Gates on the variants of a matrix, and against a stored one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltf.errors import UsageError
from dltf.matrix.verdict import VERDICTS

if TYPE_CHECKING:
    from dltf.profile.matrix import MatrixGate

_HIGHER_IS_BETTER = ("accuracy", "figures.accuracy.candidate", "figures.accuracy.difference")


def evaluate(
    gates: Sequence[MatrixGate], result: Mapping[str, Any], baseline: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Judge every gate on every variant that it is for; what could not be evaluated fails."""
    variants = {one["name"]: one for one in result["variants"]}
    before = {one["name"]: one for one in (baseline or {}).get("variants", [])}
    return [_judged(gate, name, variants[name], before.get(name)) for gate in gates for name in gate.of(list(variants))]


def read_baseline(file: Path) -> dict[str, Any]:
    """Read the matrix.json of another run, or of its folder."""
    named = file / "matrix.json" if file.is_dir() else file
    try:
        told = json.loads(named.read_text(encoding="utf-8"))
        told["variants"][0]["name"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f"{named} is no matrix to compare with: {error}", hint="name a folder of dltf matrix"
        ) from error
    found: dict[str, Any] = told
    return found


def value_of(variant: Mapping[str, Any], figure: str) -> Any:
    """Return a figure by its path, or None."""
    value: Any = variant
    for key in figure.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _judged(
    gate: MatrixGate, name: str, variant: Mapping[str, Any], before: Mapping[str, Any] | None
) -> dict[str, Any]:
    value = value_of(variant, gate.figure)
    record = {
        "variant": name,
        "figure": gate.figure,
        "value": value,
        "at_least": gate.at_least,
        "at_most": gate.at_most,
    }
    least: Any = gate.at_least
    most: Any = gate.at_most
    if gate.figure == "verdict":
        value, most = _rank(value), _rank(most)
        if most is None and gate.at_most is not None:
            return record | {"holds": False, "reason": f'"{gate.at_most}" is no verdict: {", ".join(VERDICTS)}'}
    if value is None or isinstance(value, (str, list, dict)):
        return record | {"holds": False, "reason": "there is nothing to judge"}
    if gate.no_worse is not None:
        known = None if before is None else value_of(before, gate.figure)
        known = _rank(known) if gate.figure == "verdict" else known
        record |= {"no_worse": gate.no_worse, "before": known}
        if known is None:
            return record | {"holds": False, "reason": "the baseline has no such figure: name one by --baseline"}
        slack = abs(known) * gate.no_worse
        if gate.figure in _HIGHER_IS_BETTER:
            least = known - slack if least is None else max(least, known - slack)
        else:
            most = known + slack if most is None else min(most, known + slack)
    holds = (least is None or value >= least) and (most is None or value <= most)
    return record | {"holds": bool(holds), "reason": "" if holds else _why(value, least, most)}


def _rank(verdict: Any) -> int | None:
    return VERDICTS.index(verdict) if verdict in VERDICTS else None


def _why(value: float, least: float | None, most: float | None) -> str:
    return f"{value:g} is below {least:g}" if least is not None and value < least else f"{value:g} is above {most:g}"
