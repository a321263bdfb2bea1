"""`dltf run`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.profile import Profile


@click.command()
@click.argument("profile", metavar="PROFILE", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The run's folder. Default: runs/NAME-001, -002, …")
@click.option(
    "--resume", is_flag=True, help="Go on with a run that was interrupted (the latest one, or that of --out)."
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a key: --set search.max_queries=50")
@click.option("--dry-run", is_flag=True, help="Open everything, tell the plan and estimate the time; run nothing.")
@click.option("--quiet", is_flag=True, help="No progress; errors and the summary only.")
def command(
    profile: Path, out: Path | None, resume: bool, settings: tuple[str, ...], dry_run: bool, quiet: bool
) -> int:
    """Search for inputs on which two variants differ.

    PROFILE is a TOML file, or the folder of a run, whose profile is taken then. Both variants see every seed once; on
    the seeds where they agree the search goes on, with up to search.max_queries mutants each. What is found is
    confirmed alone and kept in the run's folder as it is found (run.sqlite), with the figures in summary.json and a
    page for people in report.html. Ctrl-C ends a run cleanly; --resume goes on where it stopped, with the same findings
    as if it had never stopped.
    """
    from dltf.cli.campaign import carry_out, folder_for
    from dltf.cli.plan import tell_plan
    from dltf.host import Host
    from dltf.store import RunFolder

    host = Host()
    checked = _read(profile, host, settings)
    if profile.is_dir() and resume:
        out = out or profile
    if dry_run:
        tell_plan(checked)
        return 0
    folder = RunFolder(out or folder_for(checked.campaign.name, resume=resume))
    changes = [part for setting in settings for part in ("--set", setting)]
    again = shlex.join(["dltf", "run", str(profile), "--out", str(folder.path), *changes, "--resume"])
    return carry_out(checked, host, folder, again, resume=resume, quiet=quiet)


def _read(profile: Path, host: Host, settings: tuple[str, ...]) -> Profile:
    from dltf.campaign.replay import profile_of
    from dltf.profile import read_profile
    from dltf.store import RunFolder, Store

    if not profile.is_dir():
        return read_profile(profile, host, settings)
    with Store(RunFolder(profile).for_reading(), write=False) as store:
        return profile_of(store, host, settings)
