"""From a TOML table to a settings class, strictly: every complaint, each with its key path."""

from __future__ import annotations

import os
import re
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import attrs
from cattrs import AttributeValidationNote, Converter
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError

from dltf.errors import nearest

_NAMED = {int: "an integer", float: "a number", bool: "true or false", str: "a string", Path: "a path"}
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class _WrongError(ValueError):
    """What is wrong with one value, ready to print."""


class _From(str):
    """A string of a profile that knows the folder of the file it was read from, should it turn out to be a path."""

    folder: Path


def structure(
    cls: type, table: Mapping[str, Any], folder_of: Callable[[str], Path], beside: Sequence[str] = ()
) -> tuple[Any, list[tuple[tuple[str, ...], str]]]:
    """Return the settings object, or None and what is wrong: (key path below the table, message) each.

    `beside` names the keys of the same table that others read: they count when a misspelt key gets the nearest one. A
    relative path starts from the folder that `folder_of` gives for its key; `${NAME}` in a path stands for an
    environment variable.
    """
    attrs.resolve_types(cls)
    known = {key: _marked(value, folder_of(key)) for key, value in table.items()}
    try:
        return _converter().structure(known, cls), []
    except ClassValidationError as error:
        return None, _flatten(error, (), table, beside)


def unstructure(settings: Any) -> Any:
    """Return plain TOML values for a settings object, without the keys that are None."""
    if attrs.has(type(settings)):
        values = {f.name: unstructure(getattr(settings, f.name)) for f in attrs.fields(type(settings)) if f.init}
        return {name: value for name, value in values.items() if value is not None}
    if isinstance(settings, Path):
        return str(settings)
    if isinstance(settings, Mapping):
        return {str(key): unstructure(value) for key, value in settings.items()}
    if isinstance(settings, (tuple, list)):
        return [unstructure(value) for value in settings]
    return settings


def show(value: object) -> str:
    """Write a value as TOML would, shortened."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value).replace("'", '"')
    return text if len(text) <= 80 else text[:77] + "…"


def _marked(value: Any, folder: Path) -> Any:
    if isinstance(value, str):
        marked = _From(value)
        marked.folder = folder
        return marked
    if isinstance(value, Mapping):
        return {key: _marked(item, folder) for key, item in value.items()}
    return [_marked(item, folder) for item in value] if isinstance(value, list) else value


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    for plain in (int, bool, str):
        converter.register_structure_hook(plain, _exactly)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(Path, _path)
    converter.register_structure_hook_func(lambda cls: cls is Any, lambda value, _: _plain(value))
    converter.register_structure_hook_func(_is_literal, _literal)
    converter.register_structure_hook_factory(_is_union, lambda cls: _union(cls, converter))
    converter.register_structure_hook_factory(_is_tuple, lambda cls: _tuple(cls, converter))
    return converter


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, _From) else value


def _exactly(value: object, cls: type) -> object:
    value = _plain(value)
    if type(value) is not cls:
        raise _WrongError(f"expected {_NAMED[cls]}")
    return value


def _number(value: object, _: type) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _WrongError("expected a number")
    return float(value)


def _path(value: object, _: type) -> Path:
    if not isinstance(value, _From) or not value:
        raise _WrongError("expected a path")
    for name in _VARIABLE.findall(value):
        if name not in os.environ:
            raise _WrongError(f"the environment variable {name} is not set; set it, or write the path out")
    path = value.folder / Path(_VARIABLE.sub(lambda match: os.environ[match[1]], value)).expanduser()
    return Path(os.path.abspath(path))  # noqa: PTH100  # Path.resolve() would follow links that people named on purpose


def _literal(value: object, cls: Any) -> object:
    choices = get_args(cls)
    value = _plain(value)
    if any(type(value) is type(choice) and value == choice for choice in choices):
        return value
    if isinstance(value, str) and any(isinstance(choice, str) for choice in choices):
        raise _WrongError("no such choice" + nearest(value, [str(choice) for choice in choices]))
    told = ", ".join(show(choice) for choice in choices)
    raise _WrongError(f"expected {told}" if len(choices) == 1 else f"expected one of {told}")


def _is_literal(cls: Any) -> bool:
    return get_origin(cls) is Literal


def _is_union(cls: Any) -> bool:
    return isinstance(cls, types.UnionType) or get_origin(cls) is Union


def _union(cls: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    members = [member for member in get_args(cls) if member is not type(None)]

    def one_of(value: Any, _: Any) -> Any:
        if value is None and len(members) < len(get_args(cls)):
            return None
        wrong: list[str] = []
        for member in members:
            try:
                return converter.structure(value, member)
            except _WrongError as error:
                wrong.append(str(error))
        raise _WrongError(" or ".join(dict.fromkeys(wrong)).replace(" or expected", " or"))

    return one_of


def _is_tuple(cls: Any) -> bool:
    return get_origin(cls) is tuple


def _tuple(cls: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    members = get_args(cls)
    repeated = len(members) == 2 and members[1] is Ellipsis

    def each(value: Any, _: Any) -> Any:
        length = "" if repeated else f" of {len(members)}"
        if not isinstance(value, (list, tuple)) or not (repeated or len(value) == len(members)):
            raise _WrongError(f"expected a list{length}{_example(members[0])}")
        kinds = [members[0]] * len(value) if repeated else members
        try:
            return tuple(converter.structure(item, kind) for item, kind in zip(value, kinds, strict=True))
        except _WrongError as error:
            raise _WrongError(f"expected a list{length}, each item {str(error).removeprefix('expected ')}") from None

    return each


def _example(kind: Any) -> str:
    return f", for example {show(list(get_args(kind)[:1]))}" if _is_literal(kind) else ""


def _flatten(
    error: BaseException, at: tuple[str, ...], table: Mapping[str, Any], beside: Sequence[str]
) -> list[tuple[tuple[str, ...], str]]:
    if isinstance(error, (ClassValidationError, IterableValidationError)):
        found = []
        for inner in error.exceptions:
            named = _attribute(inner)
            found += _flatten(inner, (*at, named) if named else at, table, beside)
        return found
    if isinstance(error, ForbiddenExtraKeysError):
        known = [*(f.name for f in attrs.fields(error.cl)), *(() if at else beside)]
        return [((*at, key), "there is no such key" + nearest(key, known)) for key in sorted(error.extra_fields)]
    if isinstance(error, KeyError):
        return [(at, "is missing")]
    key = at[-1] if at else ""
    value = f" = {show(table[key])}" if key in table else ""
    if isinstance(error, _WrongError):
        return [(at, f"{value}: {error}")]
    return [_validator(error, at, table)]


def _attribute(error: BaseException) -> str:
    notes = [note for note in getattr(error, "__notes__", []) if isinstance(note, AttributeValidationNote)]
    return notes[0].name if notes else ""


def _validator(error: BaseException, at: tuple[str, ...], table: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """Turn what an attrs validator raised ("'count' must be > 0: -1") into the key and what would do."""
    message = str(error.args[0]) if error.args else type(error).__name__
    named = re.match(r"'(\w+)' (.*)", message, flags=re.DOTALL)
    if named is None:
        return at, f": {message}"
    key, rest = named[1], named[2]
    if key in table:
        return (*at, key), f" = {show(table[key])}: {re.sub(r': [^:]*$', '', rest)}"
    return (*at, key), f": {rest}"
