"""The table `[repair]`: its own keys, and those of the head that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs
from attrs import field, frozen, validators

from dltf.errors import MisfitError, ProfileError, UnknownComponentError, nearest
from dltf.profile import Tree, load, override
from dltf.profile.structure import structure, unstructure

if TYPE_CHECKING:
    from dltf.contracts import RepairHead
    from dltf.host import Host

SHELF = "dltf_repair_heads"
BEST = "best"


@frozen
class RepairTable:
    """How a repair is made and measured."""

    use: str = BEST  # a head's name, or "best": the one that does best inside the folds
    max_inducing: float = field(  # the share of seeds that may be spoilt
        default=0.005, validator=[validators.gt(0), validators.lt(1)]
    )
    confidence: float = field(  # with which no more are spoilt
        default=0.95, validator=[validators.ge(0.5), validators.lt(1)]
    )
    bound_on: Literal["seeds", "both"] = "seeds"  # what max_inducing bounds: seeds, or hard negatives, too
    chosen_on: Literal["seeds", "both"] = "both"  # what counts against a head: spoilt seeds, or hard negatives, too
    hard_negatives: int = field(default=3, validator=validators.ge(0))  # of each finding; 0: none
    clean: int = field(default=2000, validator=validators.ge(0))  # at most so many seeds that no run has used
    folds: int = field(default=5, validator=validators.ge(2))  # of the cross-validation: seeds and all made of them
    repeats: int = field(default=5, validator=validators.ge(1))  # how often folds are dealt
    seed: int = field(default=0, validator=validators.ge(0))  # of all that is drawn


@frozen
class Asked:
    """What was asked for: the table, its heads by name, and what else of the runs' profile is to change."""

    table: RepairTable
    heads: Mapping[str, RepairHead]
    overrides: tuple[str, ...] = ()

    def written(self) -> dict[str, Any]:
        """Return it for the record."""
        return {**unstructure(self.table), "heads": {name: unstructure(head) for name, head in self.heads.items()}}


def asked(host: Host, settings: Sequence[str] = (), profile: Path | None = None, head: str | None = None) -> Asked:
    """Read `[repair]` from a file and from `--set`; keys of other tables are for the runs' own profile.

    Raise `ProfileError` with all complaints.
    """
    ours = [one for one in settings if one.strip().startswith("repair.")]
    theirs = tuple(one for one in settings if one not in ours)
    tree = override(Tree({}) if profile is None else load(profile), ours)
    table = tree.tables.get("repair", {})
    if not isinstance(table, dict):
        raise ProfileError([f"{tree.told_by(('repair',))}: repair is no table"])
    strange = [f"{profile}: there is no such table here: [{key}]" for key in tree.tables if key != "repair"]
    if strange:
        raise ProfileError([*strange, "a profile of dltf repair has a table [repair]"])
    if head is not None:
        table = {**table, "use": head}
    names = [one.name for one in attrs.fields(RepairTable)]
    own = {key: value for key, value in table.items() if key in names}
    rest = {key: value for key, value in table.items() if key not in names}
    read, wrong = structure(RepairTable, own, lambda key: tree.folder(("repair", key)))
    complaints = [_told(tree, at, what) for at, what in wrong]
    heads, more = _heads(host, str(own.get("use", BEST)), rest, tree)
    if complaints or more:
        raise ProfileError([*complaints, *more])
    return Asked(read, heads, theirs)


def _heads(host: Host, use: str, rest: dict[str, Any], tree: Tree) -> tuple[dict[str, RepairHead], list[str]]:
    """Return the heads that are asked for, by name, and what is wrong."""
    shelf = host.shelves[SHELF]
    if not len(shelf):
        raise UnknownComponentError("no plugin brings a repair head", hint="pip install dltf-drepair")
    if use == BEST:
        known = [one.name for one in attrs.fields(RepairTable)]
        keys = [_told(tree, (key,), f"there is no such key{nearest(key, known)}") for key in rest]
        hint = ["name a head to give it settings: repair.use = …"] if keys else []
        return {one.component.name: one.component.load()() for one in shelf}, [*keys, *hint]
    loaded = shelf.find(use).load()
    built, wrong = structure(loaded, rest, lambda key: tree.folder(("repair", key)), _own())
    return ({use: built} if not wrong else {}), [_told(tree, at, what) for at, what in wrong]


def _own() -> tuple[str, ...]:
    return tuple(one.name for one in attrs.fields(RepairTable))


def _told(tree: Tree, at: tuple[str, ...], what: str) -> str:
    path = ("repair", *at)
    separator = "" if what[:1] in (":", " ") else ": "
    return f"{tree.told_by(path)}: {'.'.join(path)}{separator}{what}"


def need_heads(asked_for: Asked) -> None:
    """Raise where there is nothing to choose from."""
    if not asked_for.heads:
        raise MisfitError("there is no head to try", hint="pip install dltf-drepair")
