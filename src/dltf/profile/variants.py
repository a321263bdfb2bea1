"""The variants of an environment matrix: their products, chains of conversions, and what runs the result."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from attrs import frozen

from dltf.errors import DltfError, ProfileError, UnknownComponentError
from dltf.profile.backends import backend_of
from dltf.profile.structure import structure, unstructure

if TYPE_CHECKING:
    from dltf.contracts import Converter
    from dltf.host import Host

    Table = dict[str, Any]

_KEYS = ("name", "source", "convert", "vary")  # of a variant, beside those of [models.*]


@frozen
class _Source:
    source: Path | None = None


@frozen
class Step:
    """One conversion of a chain."""

    use: str
    converter: Converter


@frozen
class Cell:
    """One variant of a matrix: a chain of conversions, and how its result is run.

    `table` is that of `[models.*]` without its file; `wrong` says why the cell cannot be had at all: a plugin that is
    not installed, say.
    """

    name: str
    source: Path
    steps: tuple[Step, ...]
    table: Mapping[str, Any]
    wrong: str = ""


def products(variant: Mapping[str, Any]) -> Iterator[Table]:
    """Yield a variant with every combination of the values under `vary`, and its name filled in with them."""
    vary = variant.get("vary", {})
    base = {key: value for key, value in variant.items() if key != "vary"}
    if not isinstance(vary, dict) or not all(isinstance(values, list) and values for values in vary.values()):
        raise ProfileError([f".vary = {vary!r}: give each key a list of its values"])
    for values in itertools.product(*vary.values()):
        chosen = dict(zip(vary, values, strict=True))
        name = str(base.get("name", ""))
        try:
            fields = list(string.Formatter().parse(name))
        except ValueError as error:
            raise ProfileError([f'.name = "{name}": {error}; write {{{{ and }}}} for braces themselves']) from None
        wanted = {part for _, part, _, _ in fields if part is not None}
        odd = next((part for _, part, how, as_ in fields if part is not None and (how or as_ or not part)), None)
        if odd is not None:
            raise ProfileError([f'.name = "{name}": write nothing but keys of vary between braces'])
        unknown = wanted - {*chosen, *base}
        if unknown:
            raise ProfileError([f'.name = "{name}": there is no {"{"}{min(unknown)}{"}"} under vary'])
        filled = name.format_map({**base, **chosen})
        if vary and not wanted & set(vary):
            filled = "-".join([filled, *map(str, values)])
        yield {**base, **chosen, "name": filled}


def cell_of(host: Host, folder: Path, variant: Table, table: Table, source: Path | None) -> Cell:
    """Return a variant, its tables merged with those of the matrix; `source` is what it begins with unless it says.

    Raise `ProfileError` with what is wrong, each by its key below the variant.
    """
    name = variant.get("name")
    if not isinstance(name, str) or not name:
        raise ProfileError([".name is missing: the variant's, told in the report"])
    file = _source(folder, variant, source)
    chain, wrong = _chain(host, folder, variant.get("convert", []))
    own = {key: value for key, value in variant.items() if key not in _KEYS}
    if "backend" not in own and not wrong:
        suffix = chain[-1].converter.writes if chain else file.suffix
        named, why = backend_of({**own, "file": f"model{suffix}"}, host)
        if named is None:
            raise ProfileError([f".backend {why}"])
        own["backend"] = named
    if own.get("backend") in host.shelves["dltf_model_backends"].items:
        cls: Any = host.find("dltf_model_backends", str(own["backend"])).load()
        if not getattr(cls, "needs_file", True):
            raise ProfileError([f'.backend = "{own["backend"]}": it runs no file, and variants are files'])
    return Cell(name, file, chain, own | _merged(table, own), wrong)


def _source(folder: Path, variant: Table, default: Path | None) -> Path:
    own, wrong = structure(_Source, {key: variant[key] for key in ("source",) if key in variant}, lambda _: folder)
    if wrong:
        raise ProfileError([f".{'.'.join(at)} {message}" for at, message in wrong])
    source: Path | None = own.source or default
    if source is None:
        raise ProfileError([".source is missing: the model file that the variant begins with (or matrix.source)"])
    if not source.is_file():
        raise ProfileError([f".source: there is no such file: {source}"])
    return source


def _chain(host: Host, folder: Path, steps: Any) -> tuple[tuple[Step, ...], str]:
    """Return the conversions, and what is wrong with one that is on no shelf."""
    if not isinstance(steps, list) or not all(isinstance(step, dict) and "use" in step for step in steps):
        raise ProfileError([f'.convert = {steps!r}: give a list of tables: [{{ use = "onnx.dynamic_int8" }}]'])
    chain: list[Step] = []
    wrong = ""
    for step in steps:
        try:
            chain.append(Step(step["use"], _converter(host, step, folder)))
        except UnknownComponentError as error:
            wrong = wrong or str(error.message)
    return tuple(chain), wrong


def _merged(table: Table, own: Table) -> Table:
    """Return the tables `input` and `output`: those of the matrix, and the variant's keys over them."""
    merged = {}
    for part in ("input", "output"):
        given = [table.get(part, {}), own.get(part, {})]
        if not all(isinstance(one, dict) for one in given):
            raise ProfileError([f".{part} = {given[1] or given[0]!r}: expected a table"])
        if given[0] or given[1]:
            merged[part] = {**given[0], **given[1]}
    return merged


def _converter(host: Host, step: Table, folder: Path) -> Converter:
    cls = host.find("dltf_converters", str(step["use"])).load()
    settings, wrong = structure(cls, {key: value for key, value in step.items() if key != "use"}, lambda _: folder)
    if wrong:
        raise ProfileError([f".convert ({step['use']}).{'.'.join(at)}: {message}" for at, message in wrong])
    converter: Converter = settings
    return converter


def pins_threads(host: Host, cell: Cell) -> bool:
    """Whether a cell's runtime has a setting for its threads."""
    try:
        cls: Any = host.find("dltf_model_backends", str(cell.table.get("backend"))).load()
    except DltfError:
        return False
    return attrs.has(cls) and "threads" in {each.name for each in attrs.fields(cls)}


def plain_steps(cell: Cell) -> list[Table]:
    """Return a cell's conversions as TOML values."""
    return [{"use": step.use} | unstructure(step.converter) for step in cell.steps]
