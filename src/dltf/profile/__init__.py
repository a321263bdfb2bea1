"""Profiles: TOML in, typed settings out, complaints by key path."""

from dltf.profile.model import (
    CampaignTable,
    Gate,
    ModelTable,
    NamedOperator,
    Profile,
    SearchTable,
    SeedsTable,
)
from dltf.profile.read import read_profile, read_tree
from dltf.profile.source import Tree

__all__ = [
    "CampaignTable",
    "Gate",
    "ModelTable",
    "NamedOperator",
    "Profile",
    "SearchTable",
    "SeedsTable",
    "Tree",
    "read_profile",
    "read_tree",
]
