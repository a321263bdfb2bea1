"""From two models and seeds, named on the command line, to a profile's tables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from attrs import frozen

from dltf.errors import DltfError, SeedSourceError, UsageError, nearest
from dltf.profile import Tree
from dltf.profile.backends import names_callable
from dltf.profile.resolve import VARIANTS

if TYPE_CHECKING:
    from dltf.host import Host

COUNT = 1000  # seeds, where there are as many
QUERIES = 100  # for each seed
_FOLDER = "/"


@frozen
class Wish:
    """What somebody wants compared; what is left out is filled in."""

    reference: str  # a model file, or "package.module:function"
    candidate: str
    seeds: str  # a folder, a file, or the name of a seed source
    domain: str = ""
    count: int | None = None  # None: a thousand, or all where there are fewer
    queries: int = QUERIES
    operators: str = ""  # a preset
    name: str = ""


def tree_of(wish: Wish, host: Host) -> Tree:
    """Return the tables of a profile; raise `UsageError` for what cannot be told."""
    source, settings = _source(wish, host)
    domain = source.partition(".")[0]
    tables: dict[str, Any] = {
        "campaign": {"name": wish.name or f"{_short(wish.reference)}-vs-{_short(wish.candidate)}", "domain": domain},
        "seeds": {"use": source, **settings, **_count(wish, host, source, settings)},
        "models": {role: _model(model) for role, model in zip(VARIANTS, (wish.reference, wish.candidate), strict=True)},
        "search": {"max_queries": wish.queries},
    }
    if wish.queries:
        tables["operators"] = [{"preset": wish.operators or _preset(domain, host)}]
    return Tree(tables, name="the command line")


def _model(named: str) -> dict[str, Any]:
    if names_callable(named):
        return {"python": named}
    return {"file": os.path.abspath(named)}  # noqa: PTH100  # Path.resolve() would follow links named on purpose


def _short(named: str) -> str:
    return named.rpartition(":")[2] if names_callable(named) else Path(named).stem


def _source(wish: Wish, host: Host) -> tuple[str, dict[str, Any]]:
    shelf = host.shelves["dltf_seed_sources"]
    if wish.seeds in shelf.items:
        _refuse_what_needs_more(wish.seeds, shelf.items[wish.seeds].component.load())
        return wish.seeds, {}
    path = Path(wish.seeds)
    if not path.exists():
        looks_like_a_name = "." in wish.seeds and os.sep not in wish.seeds
        why = nearest(wish.seeds, shelf.items) if looks_like_a_name else ""
        raise UsageError(
            f"--seeds {wish.seeds}: there is no such file, folder or seed source{why}",
            hint="give a folder, a file, or a name that dltf plugins lists",
        )
    domains = host.shelves["dltf_domains"].items
    if wish.domain and wish.domain not in domains:
        raise UsageError(f"--domain {wish.domain}: there is no such domain{nearest(wish.domain, domains)}")
    kind = _FOLDER if path.is_dir() else path.suffix.lower()
    readers = [name for name, reads in _readers(host).items() if kind in reads]
    readers = [name for name in readers if not wish.domain or name.startswith(f"{wish.domain}.")]
    settings = {"path": os.path.abspath(path)}  # noqa: PTH100
    fitting = readers if len(readers) < 2 else [name for name in readers if _opens(host, name, settings)]
    if len(fitting) != 1:
        told = "folders" if kind == _FOLDER else f"{kind or 'such'} files"
        several = f"more than one seed source reads it ({', '.join(fitting)})"
        raise UsageError(
            f"--seeds {wish.seeds}: {several if fitting else f'no seed source reads {told}'}",
            hint="say which kind of input it is with --domain" if fitting else "give another, or install the plugin",
        )
    return fitting[0], settings


def _refuse_what_needs_more(name: str, source: Any) -> None:
    """Refuse a source that has settings without defaults: the command line names it alone."""
    needed = [field.name for field in attrs.fields(source) if field.default is attrs.NOTHING]
    if needed:
        hint = "give the folder or the file itself: --seeds PATH" if "path" in needed else "write a profile: dltf run"
        raise UsageError(f"--seeds {name}: this source needs {', '.join(needed)}, too", hint=hint)


def _readers(host: Host) -> Mapping[str, tuple[str, ...]]:
    readers = {}
    for shelved in host.shelves["dltf_seed_sources"]:
        try:
            readers[shelved.component.name] = tuple(getattr(shelved.component.load(), "reads", ()))
        except DltfError:
            continue  # dltf plugins and dltf doctor say what is wrong with it
    return readers


def _opens(host: Host, name: str, settings: Mapping[str, Any]) -> bool:
    try:
        return len(_open(host, name, settings)) > 0
    except SeedSourceError:
        return False


def _open(host: Host, name: str, settings: Mapping[str, Any]) -> Any:
    given = {"path": Path(settings["path"])} if "path" in settings else {}
    return host.find("dltf_seed_sources", name).load()(**given).open()


def _count(wish: Wish, host: Host, source: str, settings: Mapping[str, Any]) -> dict[str, int]:
    if wish.count is not None:
        return {"count": wish.count}
    return {"count": COUNT} if len(_open(host, source, settings)) > COUNT else {}


def _preset(domain: str, host: Host) -> str:
    """Return the preset that the domain prefers, or the first that it has."""
    preferred = getattr(host.find("dltf_domains", domain).load(), "preset", "")
    names = sorted(name for name in host.shelves["dltf_operator_presets"].items if name.startswith(f"{domain}."))
    if preferred or names:
        return str(preferred or names[0])
    raise UsageError(
        f'the domain "{domain}" has no preset of operators to search with',
        hint="name one with --operators, or only screen the seeds with --queries 0",
    )
