"""Tables of text, line by line: CSV with a header, or JSON lines. What is wrong is said with its line."""

from __future__ import annotations

import csv
import io
import json
import re
from math import isfinite
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.plugin import SeedSourceError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

Value = str | float | bool  # an int is a float to a type checker

SUFFIXES = (".csv", ".jsonl", ".json")  # NeMo calls its JSON lines .json

# As JSON writes a number, and short enough to be one: "007", "1.2.3" and an article's number of 20 digits are text.
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,20})?([eE][+-]?\d{1,2})?", re.ASCII)
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # JSON can say it, no file can hold it


@frozen
class Row:
    """One line of a table: its number, from 1, and what it says under each name that it says something under."""

    line: int
    values: dict[str, Value]


def read_rows(path: Path, as_text: Collection[str] = ()) -> list[Row]:
    """Return the rows of a `.csv`, `.jsonl` or `.json` file; raise `SeedSourceError` with the line of a mistake.

    CSV has no kinds: columns of numbers are numbers, but for those `as_text`.
    """
    text = _text(path)
    rows = list(_csv_rows(path, text, as_text) if path.suffix.lower() == ".csv" else _json_rows(path, text))
    if not rows:
        raise SeedSourceError(f"{path} has no rows", hint="write some, or remove the file")
    return rows


def mistake(path: Path, line: int, what: str, hint: str) -> SeedSourceError:
    """Return the error for one line."""
    return SeedSourceError(f"{path}, line {line}: {what}", hint=hint)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SeedSourceError(
            f"{path} cannot be read: {error.strerror or error}",
            hint="check the path and its permissions; a relative one starts at the profile",
        ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"the byte 0x{data[error.start]:02x} is no UTF-8"
        raise mistake(path, line, what, hint="save the file as UTF-8") from error


def _csv_rows(path: Path, text: str, as_text: Collection[str]) -> Iterator[Row]:
    lines = _csv_lines(path, text)
    _, names = next(lines, (1, []))
    if "" in names or len(set(names)) < len(names):
        what = f"the header is {', '.join(names)}; each column has a name of its own"
        raise mistake(path, 1, what, hint="name each column once")
    cells: list[tuple[int, list[str]]] = []
    for line, values in lines:
        if len(values) != len(names):
            what = f"{len(values)} values, and the header names {len(names)} columns"
            raise mistake(path, line, what, hint='put a value with a comma in it between double quotes: "a, b"')
        cells.append((line, values))
    columns = zip(names, zip(*(values for _, values in cells), strict=True), strict=True) if cells else ()
    typed = {name: list(column) if name in as_text else _typed(column) for name, column in columns}
    for position, (line, _) in enumerate(cells):
        row = {name: column[position] for name, column in typed.items()}
        yield Row(line, {name: value for name, value in row.items() if value != ""})


def _csv_lines(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that are not blank, each with the number at which it begins: a quoted value may be long."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    begins = 1
    try:
        for values in reader:
            if values:
                yield begins, values
            begins = reader.line_num + 1
    except csv.Error as error:
        raise mistake(path, begins, str(error), hint="are all quotes closed?") from error


def _typed(column: tuple[str, ...]) -> list[Value]:
    """Return numbers where all that is there is numbers, so that a column is of one kind; else the text."""
    if all(value == "" or _NUMBER.fullmatch(value) for value in column):
        return [value and json.loads(value) for value in column]
    return list(column)


def _json_rows(path: Path, text: str) -> Iterator[Row]:
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            found = json.loads(content)
            if _HALF_CHARACTER.search(json.dumps(found, ensure_ascii=False)):
                raise ValueError("half of a surrogate pair is no text")
        except (ValueError, RecursionError) as error:
            hint = "write one JSON object on each line"
            raise mistake(path, line, f"this is no JSON: {error}", hint=hint) from error
        if not isinstance(found, dict):
            raise mistake(
                path, line, "this is no JSON object", hint='write one on each line: {"audio_filepath": "a.wav"}'
            )
        yield Row(line, {name: _plain(path, line, name, value) for name, value in found.items() if value is not None})


def _plain(path: Path, line: int, name: str, value: Any) -> Value:
    if isinstance(value, (str, bool, int)) or (isinstance(value, float) and isfinite(value)):
        return value
    shown = json.dumps(value)
    what = f'"{name}" is {shown if len(shown) <= 40 else shown[:39] + "…"}'
    raise mistake(path, line, what, hint="values are text, finite numbers, true or false; null where there is none")
