"""Which backend a model is for, where the profile does not say, and whether its file is as the backend wants it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltf.errors import DltfError, nearest

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.profile.model import ModelTable

PYTHON = "python"  # the backend of callables, and its key
_CALLABLE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def names_callable(named: str) -> bool:
    """Whether this is `package.module:function`, and no file."""
    return _CALLABLE.fullmatch(named) is not None and not Path(named).exists()


def suffixes(host: Host) -> dict[str, list[str]]:
    """Return the backends that read files of each suffix; one that cannot be loaded reads none."""
    readers: dict[str, list[str]] = {}
    for shelved in host.shelves["dltf_model_backends"]:
        with suppress(DltfError):
            for suffix in getattr(shelved.component.load(), "suffixes", ()):
                readers.setdefault(suffix, []).append(shelved.component.name)
    return readers


def backend_of(table: Mapping[str, Any], host: Host) -> tuple[str | None, str]:
    """Return the backend of a model's table that names none, or None and the complaint."""
    if PYTHON in table:
        return PYTHON, ""
    suffix = Path(str(table.get("file", ""))).suffix.lower()
    known = suffixes(host)
    if len(known.get(suffix, ())) == 1:
        return known[suffix][0], ""
    why = f"more than one reads {suffix} files" if suffix in known else "no file's suffix tells it"
    names = known.get(suffix) or host.shelves["dltf_model_backends"].items
    return None, f"is missing, and {why}{nearest('', names)}"


def wrong_file(table: ModelTable, backend: Any) -> str | None:
    """Return what is wrong with a model's `file`, or None; a backend that could not be read wants none."""
    needed = getattr(backend, "needs_file", True)
    if table.file is None:
        return "is missing" if needed and backend is not None else None
    if not needed:
        return f' = "{table.file}": the backend "{table.backend}" takes no file'
    if getattr(backend, "takes_folders", False) and table.file.is_dir():
        return None
    if not table.file.is_file():
        return f": there is no such file: {table.file}"
    return None


def seeds_only(backend: Any) -> bool:
    """Whether a backend answers nothing but seeds."""
    return bool(getattr(backend, "seeds_only", False))
