"""What a matrix comes to, in a sentence and a few figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from dltf.report.matrix.reading import amount
from dltf.report.matrix.rows import Row, differ
from dltf.report.matrix.times import Claim, claims_of, times
from dltf.report.wording import counted, number, percent, short

_NAME = 48  # characters


@frozen
class Tile:
    """A figure that the page leads with; `row` is the variant that it is of."""

    name: str
    value: str
    about: str
    row: Row | None = None
    css: str = ""


def verdict(rows: Sequence[Row], reference: str, seeds: float | None) -> str:
    """Return the sentence that the page begins with."""
    compared = [row for row in rows if differ(row) is not None]
    ran = sum(not row.failed for row in rows)
    if not compared:
        told = f"{number(ran)} of {counted(len(rows), 'variant')} ran"
        return f"{told}, and none was compared with {short(reference, _NAME)}"
    agree = sum(not differ(row) for row in compared)
    of = f"on all {number(seeds)} seeds" if seeds else "on every seed"
    told = f"{number(agree)} of {counted(len(compared), 'variant')} label as {short(reference, _NAME)} does {of}"
    worst = _worst(compared)
    if worst is None:
        return told
    return f"{told}; {short(worst.name, _NAME)} labels {_share(worst, seeds)} otherwise"


def tiles(written: Mapping[str, Any], rows: Sequence[Row]) -> list[Tile]:
    """Return the figures that matter most."""
    seeds = amount(written, "seeds")
    compared = [row for row in rows if differ(row) is not None]
    lost = sum(row.failed for row in rows)
    about = f"{number(lost)} could not be run or compared" if lost else "all of them ran"
    found = [Tile("Variants", number(len(rows)), about, css="bad" if lost else "")]
    if compared:
        agree = sum(not differ(row) for row in compared)
        about = f"of {number(len(compared))} compared: no label differs"
        found.append(Tile("Agree with the reference", number(agree), about))
        found.append(_difference(_worst(compared), seeds))
    return found + _speeds(written, rows)


def _difference(worst: Row | None, seeds: float | None) -> Tile:
    name = "Largest label difference"
    if worst is None:
        return Tile(name, "none", "no variant labels a seed otherwise")
    count = differ(worst) or 0
    share = amount(worst.written, "figures", "labels", "share")
    if share is None:
        return Tile(name, number(count), "seeds", worst)
    return Tile(name, percent(share), _share(worst, seeds), worst)


def _speeds(written: Mapping[str, Any], rows: Sequence[Row]) -> list[Tile]:
    """Return the largest slow-down and speed-up that may be claimed."""
    by_name = {row.name: row for row in rows}
    claims = [(claim, batch, by_name[name]) for (name, batch), claim in claims_of(written).items() if name in by_name]
    if not claims:
        return []
    few = all(claim.least is None for claim, _, _ in claims)  # no difference, however large, could have been claimed
    found = []
    for name, css in (("Largest slow-down", "slower"), ("Largest speed-up", "faster")):
        of = [one for one in claims if one[0].css == css]
        if not of:
            found.append(
                Tile(name, "none", "the rounds are too few to claim one" if few else "none is above the noise")
            )
            continue
        claim, batch, row = max(of, key=lambda one: one[0].ratio if css == "slower" else 1 / one[0].ratio)
        found.append(Tile(name, times(claim.ratio), f"of the time at batch {short(batch, 12)}{_change(claim)}", row))
    return found


def _change(claim: Claim) -> str:
    """Say by how many percent, where that is read more easily than a multiple."""
    if claim.ratio >= 2:
        return ""
    return f", {100 * abs(claim.ratio - 1):.0f}% {'more' if claim.ratio > 1 else 'less'}"


def _worst(compared: Sequence[Row]) -> Row | None:
    worst = max(compared, key=lambda row: differ(row) or 0)
    return worst if differ(worst) else None


def _share(row: Row, seeds: float | None) -> str:
    count = number(differ(row))
    return f"{count} of {number(seeds)}" if seeds else f"{count} seeds"
