"""What was compared: both variants side by side, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from attrs import frozen

from dltf.report.wording import number, short, size

_FACTS = ("target", "model_input", "model_inputs")
_HASH = 12  # characters of a sha256 that are shown


@frozen
class Cell:
    """What is shown, and the whole of it where it was shortened."""

    text: str
    whole: str = ""


@frozen
class Row:
    """One thing of both variants."""

    name: str
    reference: Cell
    candidate: Cell
    telling: bool = True  # a difference here is worth a mark: two files always differ in their names

    @property
    def differs(self) -> bool:
        return self.telling and self.reference != self.candidate


@frozen
class Part:
    """Rows that belong together."""

    title: str
    rows: tuple[Row, ...]


def compared(variants: Mapping[str, Any], profile: Mapping[str, Any]) -> list[Part]:
    """Return the parts of the table, those without rows left out."""
    ours, theirs = (variants.get(role, {}) for role in ("reference", "candidate"))
    models = profile.get("models", {})
    ours_set, theirs_set = (models.get(role, {}) for role in ("reference", "candidate"))
    parts = [
        ("Model", (*_files(ours, theirs), *_runs(ours, theirs, ours_set, theirs_set))),
        ("Preparation of the input", tuple(_tables(ours.get("input"), theirs.get("input")))),
        ("Decoder", tuple(_tables(_decoder(ours, ours_set), _decoder(theirs, theirs_set)))),
        ("Probe", tuple(_probes(ours, theirs))),
    ]
    return [Part(title, tuple(rows)) for title, rows in parts if rows]


def _files(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[Row]:
    yield Row("file", _file(ours), _file(theirs), telling=False)
    yield Row("size", _size(ours), _size(theirs), telling=False)
    yield Row("sha256", _hash(ours), _hash(theirs), telling=False)


def _runs(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], ours_set: Mapping[str, Any], theirs_set: Mapping[str, Any]
) -> Iterator[Row]:
    yield Row("runtime", _runtime(ours), _runtime(theirs))
    for key in _FACTS:
        if key in ours or key in theirs:
            yield Row(key.replace("_", " "), _cell(ours.get(key)), _cell(theirs.get(key)))
    told = {"file", "target", "input", "output", "backend", *_FACTS}
    settings, others = ({k: v for k, v in table.items() if k not in told} for table in (ours_set, theirs_set))
    yield from _tables(settings, others)


def _tables(ours: Mapping[str, Any] | None, theirs: Mapping[str, Any] | None, *, at: str = "") -> Iterator[Row]:
    """Yield a row for each key; tables within are rows of their own."""
    ours, theirs = ours or {}, theirs or {}
    for key in dict.fromkeys((*ours, *theirs)):
        name, one, other = f"{at}{key}", ours.get(key), theirs.get(key)
        if isinstance(one, Mapping) or isinstance(other, Mapping):
            inner, its = (value if isinstance(value, Mapping) else {} for value in (one, other))
            yield from _tables(inner, its, at=f"{name}.")
        else:
            yield Row(short(name, 60), _cell(one), _cell(other))


def _decoder(variant: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    use = table.get("output", {}).get("use")
    return ({} if use is None else {"use": use}) | dict(variant.get("output", {}))


def _probes(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[Row]:
    if "probe" not in ours and "probe" not in theirs:
        return
    for name, tell in (("in another batch", _batch), ("asked again", _repeat), ("run", _alone)):
        yield Row(name, Cell(tell(ours)), Cell(tell(theirs)))
    notes = ["\n".join(map(str, variant.get("notes", []))) for variant in (ours, theirs)]
    if any(notes):
        yield Row("notes", Cell(notes[0] or "–"), Cell(notes[1] or "–"), telling=False)


def _batch(variant: Mapping[str, Any]) -> str:
    probe = variant.get("probe", {})
    if probe.get("batch", True):
        return "the same bits"
    return f"answers move by up to {number(probe.get('largest_difference'), 2)}"


def _repeat(variant: Mapping[str, Any]) -> str:
    return "the same bits" if variant.get("probe", {}).get("repeat", True) else "other answers"


def _alone(variant: Mapping[str, Any]) -> str:
    return "one input at a time" if variant.get("runs_alone") else "in batches"


def _file(variant: Mapping[str, Any]) -> Cell:
    whole = str(variant.get("file", ""))
    repaired = " (repaired)" if "repair" in variant else ""
    return Cell(f"{short(PurePath(whole).name or whole or '–', 80)}{repaired}", f"{whole}{repaired}")


def _size(variant: Mapping[str, Any]) -> Cell:
    count = variant.get("bytes")
    return Cell("–") if count is None else Cell(size(count), f"{count:,} bytes")


def _hash(variant: Mapping[str, Any]) -> Cell:
    whole = str(variant.get("sha256", ""))
    return Cell(f"{whole[:_HASH]}…", whole) if len(whole) > _HASH else Cell(whole or "–")


def _runtime(variant: Mapping[str, Any]) -> Cell:
    versions = ", ".join(f"{name} {version}" for name, version in variant.get("versions", {}).items())
    name = str(variant.get("backend", "–"))
    return Cell(short(f"{name} ({versions})" if versions else name))


def _cell(value: Any) -> Cell:
    text = _value(value)
    return Cell(short(text), text if len(text) > len(short(text)) else "")


def _value(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]" if value else "none"
    return number(value, 6) if isinstance(value, float) else str(value) or "–"
