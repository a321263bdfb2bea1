"""Verbs that plugins bring: found by name, and handed what the host reads for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dltf.errors import PluginError, ProfileError

if TYPE_CHECKING:
    from dltf.component import Component
    from dltf.contracts import Training

HOOK = "dltf_commands"


class Workbench:
    """What a plugin's command is given (`click.pass_obj`); see `dltf.contracts.Workbench`."""

    def training(self, profile: Path, overrides: Sequence[str] = ()) -> Training:
        """Read what a generator is trained on."""
        from dltf.campaign.selection import select
        from dltf.contracts import Training
        from dltf.host import Host
        from dltf.profile.feature import read_feature

        read = read_feature(profile, Host(), overrides, needs=("generator",), models=False)
        table, source = read.samples
        if source is None:
            raise ProfileError([f"{profile}: there is nothing to train on: the table [reference] is missing"])
        seeds = source.open()
        cases = select(table, len(seeds), read.campaign.seed)
        return Training(read.campaign.name, read.campaign.seed, read.generator, seeds, cases, table.use)


@cache
def offered() -> Mapping[str, Component]:
    """Return the commands of plugins by name; the host's own verbs are none of them, and cannot be taken."""
    from dltf.host import Host

    return {name: shelved.component for name, shelved in Host().shelves[HOOK].items.items()}


def command_of(component: Component) -> click.Command:
    """Load a plugin's command, and hand it the workbench."""
    loaded = component.load()
    if not isinstance(loaded, click.Command):
        raise PluginError(
            f'the command "{component.name}" is {loaded!r}, and not a click.Command',
            hint=f"the plugin that brings it has to be mended: {component.target}",
        )
    loaded.context_settings.setdefault("obj", Workbench())
    return loaded
