"""Profiles: TOML in, typed settings out, complaints by key path."""

from dltf.profile.model import (
    CampaignTable,
    Gate,
    ModelTable,
    NamedOperator,
    Profile,
    SearchTable,
    SeedsTable,
    Variant,
)
from dltf.profile.read import read_domain, read_oracle, read_profile, read_tree
from dltf.profile.save import save, to_toml
from dltf.profile.source import Tree, load, override

__all__ = [
    "CampaignTable",
    "Gate",
    "ModelTable",
    "NamedOperator",
    "Profile",
    "SearchTable",
    "SeedsTable",
    "Tree",
    "Variant",
    "load",
    "override",
    "read_domain",
    "read_oracle",
    "read_profile",
    "read_tree",
    "save",
    "to_toml",
]
