"""The variants of a matrix, one row each, and the columns in which at least one of them has something to tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.report.matrix import levels
from dltf.report.matrix.lines import bar_line
from dltf.report.matrix.reading import amount, interval, listed, part, table, words
from dltf.report.wording import counted, number, percent

if TYPE_CHECKING:
    from markupsafe import Markup


@frozen
class Row:
    """One variant: its number on the page, what was written of it, and how it is judged."""

    number: int
    name: str
    level: str
    css: str
    reason: str
    failed: bool
    written: Mapping[str, Any]


@frozen
class Cell:
    """What a row has in a column: a figure, what is said below it, and a bar."""

    text: str
    below: str = ""
    bar: Markup | None = None


@frozen
class Column:
    """One figure of every variant; `cells` is by the rows' order."""

    title: str
    meaning: str
    cells: tuple[Cell | None, ...]


def order_of(written: Mapping[str, Any]) -> list[int]:
    """Return the places of the variants as they are shown: the reference first, the others as they were given."""
    variants = listed(written, "variants")
    places = [place for place, one in enumerate(variants) if isinstance(one, Mapping)]
    reference = part(written, "reference")
    return sorted(places, key=lambda place: variants[place].get("name") != reference)


def rows_of(written: Mapping[str, Any]) -> list[Row]:
    """Return all variants in the order in which they are shown."""
    variants = listed(written, "variants")
    return [_row(number, variants[place]) for number, place in enumerate(order_of(written), 1)]


def _row(number: int, variant: Mapping[str, Any]) -> Row:
    level = words(variant, "verdict") or "unknown"
    return Row(
        number,
        words(variant, "name") or f"variant {number}",
        level,
        levels.css(level),
        words(variant, "reason"),
        levels.failed(level),
        variant,
    )


def differ(row: Row) -> float | None:
    """Return how many labels of a variant are not the reference's."""
    return amount(row.written, "figures", "labels", "differ")


def columns_of(rows: Sequence[Row], seeds: float | None) -> list[Column]:
    """Return the columns that have anything to tell."""
    most = max((differ(row) or 0.0 for row in rows), default=0.0)
    top = next((amount(row.written, "figures", "ranks", "top") for row in rows if _ranks(row)), None)
    made: list[tuple[str, str, Callable[[Row], Cell | None]]] = [
        ("accuracy", "share of the labelled seeds that get their label, and its 95 % interval", _accuracy),
        (
            "labels differ",
            "seeds that get another label than the reference gives",
            lambda row: _labels(row, most, seeds),
        ),
        (f"top {number(top)} shared", "how many of the best classes both name, on average", _top),
        ("rank overlap", "rank-biased overlap of the order of all classes, on average: 1 is the same order", _rbo),
        ("Kendall’s τ", "of the best classes, on average: 1 is the same order, −1 nothing in common", _tau),
        ("largest difference", "of any value of any output", lambda row: _output(row, "max")),
        ("mean difference", "of the values of the output that is furthest off", lambda row: _output(row, "mean")),
        ("KL divergence", "of the probabilities from the reference’s, in nats: the mean, and the largest", _kl),
        ("NaN or infinite", "values of the outputs that are no numbers, and the seeds they are on", _not_finite),
    ]
    columns = [Column(title, meaning, tuple(cell(row) for row in rows)) for title, meaning, cell in made]
    return [column for column in columns if any(cell is not None for cell in column.cells)]


def _ranks(row: Row) -> Mapping[str, Any]:
    return table(row.written, "figures", "ranks")


def _accuracy(row: Row) -> Cell | None:
    share = amount(row.written, "accuracy")
    bounds = interval(row.written, "accuracy_interval")
    if share is None:
        return None
    return Cell(percent(share), "" if bounds is None else f"{100 * bounds[0]:.2f}–{100 * bounds[1]:.2f}")


def _labels(row: Row, most: float, seeds: float | None) -> Cell | None:
    count, labels = differ(row), table(row.written, "figures", "labels")
    if count is None:
        return None
    share = amount(labels, "share")
    if share is None and seeds:
        share = count / seeds
    ties = (amount(labels, "ties") or 0) + (amount(labels, "near_ties") or 0)
    told = [percent(share)] if count and share is not None else []
    told += [counted(int(ties), "tie")] if ties else []
    return Cell(number(count), ", ".join(told), bar_line(count / most, "differs") if count else None)


def _top(row: Row) -> Cell | None:
    return _spread(_ranks(row), "top_overlap", percent)


def _rbo(row: Row) -> Cell | None:
    return _spread(_ranks(row), "rbo", _four)


def _tau(row: Row) -> Cell | None:
    return _spread(_ranks(row), "tau_top", _four)


def _spread(ranks: Mapping[str, Any], name: str, written: Callable[[float], str]) -> Cell | None:
    mean, least = amount(ranks, name, "mean"), amount(ranks, name, "min")
    if mean is None:
        return None
    return Cell(written(mean), f"least {written(least)}" if least is not None and least < mean else "")


def _output(row: Row, kind: str) -> Cell | None:
    outputs = table(row.written, "figures", "outputs")
    known = [value for name in outputs if (value := amount(outputs, name, "absolute", kind)) is not None]
    return Cell(number(max(known))) if known else None


def _kl(row: Row) -> Cell | None:
    mean, most = (amount(row.written, "figures", "probabilities", "kl", kind) for kind in ("mean", "max"))
    if mean is None:
        return None
    return Cell(number(mean), f"most {number(most)}" if most else "")


def _not_finite(row: Row) -> Cell | None:
    told = table(row.written, "figures", "not_finite", "candidate")
    values = (amount(told, "nan") or 0) + (amount(told, "inf") or 0)
    if not values:
        return None
    return Cell(number(values), f"on {counted(int(amount(told, 'inputs') or 0), 'seed')}")


def _four(value: float) -> str:
    """Write a share of 1 by four digits, and 1 only where it is."""
    return "1" if value == 1 else f"{value:.4f}".replace("-", "−") if abs(value) < 0.99995 else ">0.9999"
