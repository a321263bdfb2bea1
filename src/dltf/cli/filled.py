"""Settings that were filled in, or given on the command line, for models without a profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dltf.campaign.infer import Told


def of_models(given: tuple[str, ...], roles: Sequence[str]) -> list[str]:
    """Turn `range=[0,1]` into settings of these models; `output.` and `feed.` name their other tables."""
    keys = [key if key.startswith(("output.", "feed.", "input.")) else f"input.{key}" for key in given]
    return [f"models.{role}.{key}" for role in roles for key in keys]


def tell_filled(told: Sequence[Told]) -> None:
    """Tell people what was filled in for each model, and what of it is a guess."""
    from dltf.profile.structure import show

    for item in told:
        shown = "" if item.value is None else f" = {show(item.value)}"
        click.echo(f"{item.role}: {item.key}{shown}, {item.because}", err=True)
    if any(item.guessed for item in told):
        click.echo("guesses are settings of a profile like any other: change one with --input KEY=VALUE", err=True)
