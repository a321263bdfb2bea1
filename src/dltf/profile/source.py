"""Reading a profile's files: `extends`, `--set`, and which file each key came from."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from dltf.errors import ProfileError, ProfileFileError, UsageError

# A part of a key is quoted, as in TOML, where it holds dots: models.reference.feed."input.1"=0
_QUOTED = r"""\s*(?:"[^"]+"|'[^']+')\s*"""
_PART = re.compile(rf"{_QUOTED}|[^.=\"']*[^.=\"'\s][^.=\"']*")
_SETTING = re.compile(rf"(?P<key>(?:{_PART.pattern})(?:\.(?:{_PART.pattern}))*)=(?P<value>.*)", re.DOTALL)


@frozen
class Tree:
    """A merged profile: its tables, and for each key path the file that set it (None: the command line)."""

    tables: dict[str, Any]
    origins: dict[tuple[str, ...], Path | None] = field(factory=dict)
    name: str = "the profile"  # what people call it, where no file is known

    def folder(self, path: tuple[str, ...]) -> Path:
        """Return the folder that relative paths under this key start from."""
        origin = self.origins.get(self._known(path))
        return origin.parent if origin else Path.cwd()

    def told_by(self, path: tuple[str, ...]) -> str:
        """Return the name of the file that set this key, or "--set"."""
        known = self._known(path)
        if known not in self.origins:
            return self.name
        origin = self.origins[known]
        return origin.name if origin else "--set"

    def _known(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return the nearest key that somebody is known to have set: this one, one below it, or one above it."""
        if path in self.origins:
            return path
        below = [keys for keys in self.origins if keys[: len(path)] == path]
        if below:
            return below[0]
        while path and path not in self.origins:
            path = path[:-1]
        return path


def load(file: Path) -> Tree:
    """Read a TOML file and all that it extends."""
    return _load(file.absolute(), ())


def override(tree: Tree, settings: Iterable[str]) -> Tree:
    """Apply `key.path=value` settings; a value is TOML, or else taken as a string."""
    for setting in settings:
        split = _SETTING.fullmatch(setting)
        if split is None:
            raise UsageError(f"--set takes KEY=VALUE, not {setting!r}", hint="for example: --set search.max_queries=50")
        keys = tuple(part.strip().strip("\"'") for part in _PART.findall(split["key"]))
        text = split["value"]
        _put(tree, keys, _value(text.strip()), setting)
    return tree


def _load(file: Path, seen: tuple[Path, ...]) -> Tree:
    file = Path(os.path.realpath(file))  # so that a circle is seen, however it is written
    if file in seen:
        raise ProfileError([f"{file}: extends itself by way of {' → '.join(p.name for p in (*seen, file))}"])
    tables = _parse(file)
    base = tables.pop("extends", None)
    own = Tree(tables)
    _note(own, (), tables, file)
    if base is None:
        return own
    if not isinstance(base, str):
        raise ProfileError([f'{file}: extends = {base!r}: give one file name, for example "base.toml"'])
    try:
        below = _load((file.parent / base).absolute(), (*seen, file))
    except ProfileFileError as error:
        raise ProfileFileError(f"{file} extends {base!r}: {error.message}", hint=error.hint) from None
    _merge(below, (), tables, own)
    return below


def _parse(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ProfileFileError(f"there is no profile {file}", hint="name a TOML file; examples/demo has one") from None
    except UnicodeDecodeError as error:
        raise ProfileFileError(f"the profile {file} is not UTF-8: {error.reason}", hint="save it as UTF-8") from None
    except OSError as error:
        raise ProfileFileError(f"the profile {file} cannot be read: {error}", hint="name a TOML file") from None
    except tomllib.TOMLDecodeError as error:
        raise ProfileFileError(f"the profile {file} is not TOML: {error}", hint="mend it at that place") from None


def _note(tree: Tree, at: tuple[str, ...], value: object, file: Path) -> None:
    tree.origins[at] = file
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _note(tree, (*at, key), inner, file)


def _merge(below: Tree, at: tuple[str, ...], tables: Mapping[str, Any], own: Tree) -> None:
    target = below.tables
    for key in at:
        target = target[key]
    for key, value in tables.items():
        here = (*at, key)
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(below, here, value, own)
            continue
        target[key] = value
        below.origins.update({path: file for path, file in own.origins.items() if path[: len(here)] == here})


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(tree: Tree, keys: tuple[str, ...], value: Any, setting: str) -> None:
    target: Any = tree.tables
    for depth, key in enumerate(keys[:-1], start=1):
        target = _item(target, key, setting) if isinstance(target, list) else target.setdefault(key, {})
        if not isinstance(target, (dict, list)):
            raise UsageError(f"--set {setting}: {'.'.join(keys[:depth])} is a value, not a table")
    if isinstance(target, list):
        _item(target, keys[-1], setting)
        target[int(keys[-1])] = value
    else:
        target[keys[-1]] = value
    tree.origins[keys] = None


def _item(items: list[Any], key: str, setting: str) -> Any:
    if not key.isdigit() or int(key) >= len(items):
        raise UsageError(f"--set {setting}: {key!r} is not one of the positions 0 to {len(items) - 1}")
    return items[int(key)]
