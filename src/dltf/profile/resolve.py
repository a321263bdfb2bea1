"""Tables taken apart, and a checked profile written down again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from dltf.joining import Joined
from dltf.profile import model
from dltf.profile.structure import unstructure

VARIANTS = ("reference", "candidate")


def keys(cls: Any) -> tuple[str, ...]:
    """Return the keys of a table's class."""
    return tuple(field.name for field in attrs.fields(cls))


def split(table: Mapping[str, Any], cls: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the host's own keys of a table from those of the component that it names."""
    own = {field.name for field in attrs.fields(cls)}
    return {k: v for k, v in table.items() if k in own}, {k: v for k, v in table.items() if k not in own}


def plain(component: Any) -> dict[str, Any]:
    """Return a component's settings as TOML values."""
    written: dict[str, Any] = unstructure(component) if attrs.has(type(component)) else {}
    return written


def numbered(operators: list[model.NamedOperator]) -> list[model.NamedOperator]:
    """Tell operators of one name apart: the second blur is blur#2."""
    seen: dict[str, int] = {}
    for position, entry in enumerate(operators):
        seen[entry.name] = seen.get(entry.name, 0) + 1
        if seen[entry.name] > 1:
            operators[position] = attrs.evolve(entry, name=f"{entry.name}#{seen[entry.name]}")
    return operators


def resolved(profile: model.Profile, tables: Mapping[str, Any], operators: list[dict[str, Any]]) -> dict[str, Any]:
    """Write the profile down again, defaults filled in and paths absolute, so that a run can be repeated from it."""
    names = {name: tables["models"][name].get("output", {}).get("use", "classes") for name in VARIANTS}
    tree: dict[str, Any] = {
        "campaign": unstructure(profile.campaign),
        "seeds": unstructure(profile.seeds) | unstructure(profile.seed_source),
        "models": {},
        "search": unstructure(profile.search) | unstructure(profile.strategy),
        "shrink": unstructure(profile.shrink),
        "amplify": unstructure(profile.amplify),
        "operators": operators,
        "oracle": _oracle(profile.oracle, tables.get("oracle", {"use": "top_label"})),
        "gate": tables.get("gate", {}),
    }
    if profile.paths is not None:
        tree["paths"] = unstructure(profile.paths.table) | unstructure(profile.paths.generator)
    if shared := plain(profile.domain):
        tree["domain"] = shared
    for name, variant in zip(VARIANTS, (profile.reference, profile.candidate), strict=True):
        tree["models"][name] = unstructure(variant.table) | unstructure(variant.backend)
        if variant.feeds:
            tree["models"][name]["feed"] = unstructure(variant.feeds)
        tree["models"][name]["input"] = unstructure(variant.input)
        tree["models"][name]["output"] = {"use": names[name]} | unstructure(variant.decoder)
    return tree


def _oracle(oracle: Any, table: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(oracle, Joined):
        parts = zip(oracle.oracles, table[oracle.rule], strict=True)
        return {oracle.rule: [_oracle(part, inner) for part, inner in parts]}
    written: dict[str, Any] = {"use": table["use"]} | unstructure(oracle)
    return written
