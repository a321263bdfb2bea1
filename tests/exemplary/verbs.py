"""What dltf-signal does not offer, either: a command, sound."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def waves() -> None:
    """Look at waves."""


@waves.command()
@click.argument("profile", type=click.Path(path_type=Path))
@click.option("--quiet", is_flag=True, help="No progress.")
@click.pass_obj
def count(bench: object, profile: Path, quiet: bool) -> int:
    """Count the samples that a profile names."""
    click.echo(len(bench.training(profile).cases))  # type: ignore[attr-defined]
    return 0
