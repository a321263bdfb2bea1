"""The inputs that are answered differently, the most severe first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from dltf.report.matrix.reading import amount, part, tables, words
from dltf.report.matrix.rows import Row
from dltf.report.names import Names
from dltf.report.previews import Preview
from dltf.report.wording import number, short

_MOST = 60

Images = Callable[[int], Preview | None]


@frozen
class Worst:
    """One input that a variant answers otherwise than the reference."""

    row: Row | None
    variant: str
    case: str
    seed: str
    label: str
    reference: str
    candidate: str
    reference_right: bool | None
    candidate_right: bool | None
    margin: str
    distance: str
    preview: Preview | None


def worst_of(written: Mapping[str, Any], rows: Sequence[Row], images: Images | None) -> tuple[list[Worst], int]:
    """Return those that are shown, in the order given, and how many more there are."""
    told = tables(written, "worst")
    names = Names.of({"classes": part(written, "classes") or ()})
    by_name = {row.name: row for row in rows}
    return [_one(one, by_name, names, images) for one in told[:_MOST]], max(len(told) - _MOST, 0)


def _one(told: Mapping[str, Any], rows: Mapping[str, Row], names: Names, images: Images | None) -> Worst:
    case, label = amount(told, "case"), _hashable(part(told, "label"))
    reference, candidate = (_hashable(part(told, role)) for role in ("reference", "candidate"))
    broken = words(told, "kind") == "not finite"
    margin = amount(told, "margin")
    return Worst(
        rows.get(words(told, "variant")),
        words(told, "variant"),
        "" if case is None else str(int(case)),
        words(told, "seed_name"),
        "" if label is None else names(label),
        names(reference),
        names(candidate),
        None if label is None or broken else reference == label,
        None if label is None or broken else candidate == label,
        "NaN or infinite" if broken else "–" if margin is None else f"{number(margin)} nats",
        number(amount(told, "distance")),
        _preview(images, case),
    )


def _preview(images: Images | None, case: float | None) -> Preview | None:
    if images is None or case is None:
        return None
    try:
        return images(int(case))
    # A plugin draws it, and may fail in any way; a finished matrix is to be told all the same.
    except Exception as error:
        return Preview("none", text=f"no preview: {type(error).__name__}: {short(error)}")


def _hashable(value: Any) -> Any:
    """Return a decision as it was before JSON: a list is a tuple again."""
    return tuple(_hashable(one) for one in value) if isinstance(value, list) else value
