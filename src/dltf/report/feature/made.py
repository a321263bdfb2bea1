"""What tests were made with: the generator, what is under test, and judges, each fact by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from dltf.report.wording import number, size

_ROLES = {"candidate": "under test", "reference": "reference of the pair"}
_JUDGES = {"check": "judge that checks", "measure": "judge that measures"}
_DIGEST = 64  # letters of a sha256
_SHOWN = 12  # of them


@frozen
class Model:
    """A line of the table of models."""

    role: str
    name: str
    file: str
    target: str
    size: str
    sha256: str
    notes: str


def generator_tables(generator: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the facts of a generator under titles: its own first, then those that it gives as a table."""
    tables = {key: value for key, value in generator["facts"].items() if isinstance(value, Mapping)}
    plain = {key: value for key, value in generator["facts"].items() if key not in tables}
    own = [
        ("generator", str(generator["use"])),
        ("active dimensions", f"{number(generator['active'])} of {number(generator['latent'])}"),
        *_flat({key: value for key, value in plain.items() if key not in ("latent", "active")}),
        *((f"version of {name}", str(version)) for name, version in generator["versions"].items()),
    ]
    return [("Generator", own), *((_words(key).capitalize(), list(_flat(table))) for key, table in tables.items())]


def models_of(result: Mapping[str, Any]) -> list[Model]:
    """Return what is under test, then the judges."""
    found = [_model(_ROLES.get(role, role), "", facts) for role, facts in result.get("models", {}).items()]
    for role, judges in result.get("judges", {}).items():
        found += [_model(_JUDGES.get(role, role), name, facts) for name, facts in judges.items()]
    return found


def _model(role: str, name: str, facts: Mapping[str, Any]) -> Model:
    notes = [*facts.get("notes", []), *(["run one by one"] if facts.get("one_by_one") else [])]
    bytes_ = facts.get("bytes")
    return Model(
        role=role,
        name=name,
        file=str(facts.get("name") or "–"),
        target=str(facts.get("target") or "–"),
        size="–" if bytes_ is None else size(bytes_),
        sha256=_plain(facts.get("sha256")),
        notes="; ".join(map(str, notes)),
    )


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        name = f"{above}{_words(key)}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}: ")
        else:
            yield name, _plain(value)


def _words(key: object) -> str:
    return str(key).replace("_", " ")


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value)) or "none"
    if isinstance(value, str) and len(value) == _DIGEST:
        return f"{value[:_SHOWN]}…"
    return number(value)
