"""From models and seeds, named on the command line, to the profiles that their gaps are measured by."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from attrs import frozen

from dltf.campaign.comparison import Wish, tree_of
from dltf.campaign.infer import Told, infer
from dltf.profile import override, read_tree

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.profile import Profile, Tree

COUNT = 300  # seeds, where there are as many


@frozen
class Asked:
    """Whose gaps somebody wants to know; what is left out is filled in."""

    reference: str  # a model file, or "package.module:function"
    candidates: Sequence[str]
    seeds: str  # a folder, a file, or the name of a seed source
    domain: str = ""
    count: int | None = None  # None: three hundred, or all where there are fewer
    operators: str = ""  # a preset; none: lines alone
    settings: Sequence[str] = ()  # "models.reference.input.range=[0,1]"

    @property
    def names(self) -> list[str]:
        """Return what people call the candidates: their files, or as they were given where that tells no two apart."""
        short = [Path(given).name for given in self.candidates]
        times = Counter(short)
        return [name if times[name] == 1 else given for name, given in zip(short, self.candidates, strict=True)]


def profiles_of(asked: Asked, host: Host) -> tuple[list[Profile], list[Told]]:
    """Return a profile for each candidate, everything filled in, and what was filled in.

    The reference is prepared once, and alike for all.
    """
    profiles: list[Profile] = []
    told: list[Told] = []
    first: Tree | None = None
    for candidate, name in zip(asked.candidates, asked.names, strict=True):
        tree = _tree(asked, candidate, host)
        if first is not None:
            tree.tables["models"]["reference"] = copy.deepcopy(first.tables["models"]["reference"])
        inferred = infer(tree, host)
        roles = {"reference": "reference", "candidate": "candidate" if len(asked.candidates) == 1 else name}
        new = [item for item in inferred.told if first is None or item.role == "candidate"]
        told += [attrs.evolve(item, role=roles[item.role]) for item in new]
        first = first or inferred.tree
        profiles.append(_with_count(read_tree(inferred.tree, host), asked.count))
    return profiles, told


def _tree(asked: Asked, candidate: str, host: Host) -> Tree:
    wish = Wish(asked.reference, candidate, asked.seeds, asked.domain, asked.count, queries=0, name="gap")
    tree = tree_of(wish, host)
    if asked.operators:
        tree.tables["operators"] = [{"preset": asked.operators}]
    return override(tree, asked.settings)


def _with_count(profile: Profile, count: int | None) -> Profile:
    if count is not None:
        return profile
    most = min(COUNT, len(profile.seed_source.open()))
    return attrs.evolve(profile, seeds=attrs.evolve(profile.seeds, count=most))
