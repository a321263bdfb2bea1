"""`dltf record`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("profile", type=click.Path(path_type=Path))
@click.argument("role", metavar="ROLE", type=click.Choice(["reference", "candidate"]))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a key: --set seeds.count=500")
@click.option("--quiet", is_flag=True, help="No progress.")
def command(profile: Path, role: str, file: Path, settings: tuple[str, ...], quiet: bool) -> int:
    """Record what one model answers on the seeds of a profile.

    PROFILE is a TOML file, ROLE one of its two models: reference or candidate. FILE becomes an .npz archive of its raw
    outputs, each with the sha256 of its seed, which stands for the model where it cannot be run: in another profile,
    file = "FILE" compares what was recorded (on a phone, say) with another model. Recorded outputs answer for their
    seeds alone, so that such a profile has max_queries = 0 in [search].
    """
    from rich.console import Console
    from rich.progress import Progress

    from dltf.campaign.recording import record
    from dltf.errors import UsageError
    from dltf.host import Host
    from dltf.profile import read_profile

    if file.suffix.lower() != ".npz":  # by which it is known as recorded, and no model is written over
        raise UsageError(f"{file} is no name for recorded outputs", hint=f"name it {file.with_suffix('.npz').name}")
    checked = read_profile(profile, Host(), settings)
    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as bars:
        task = bars.add_task(f"recording the {role}", total=None)
        count = record(checked, role, file, lambda done: bars.update(task, completed=done))
    click.echo(f"the outputs of the {role} on {count} seeds are in {file}")
    return 0
