"""`dltf run`."""

from __future__ import annotations

import re
import shlex
import signal
from pathlib import Path
from typing import Any

import click

_LONGEST_NAME = 60  # characters, of up to four bytes each: a file name has room for 255 bytes


@click.command()
@click.argument("profile", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The run's folder. Default: runs/NAME-001, -002, …")
@click.option(
    "--resume", is_flag=True, help="Go on with a run that was interrupted (the latest one, or that of --out)."
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a key: --set search.max_queries=50")
@click.option("--quiet", is_flag=True, help="No progress; errors and the summary only.")
def command(profile: Path, out: Path | None, resume: bool, settings: tuple[str, ...], quiet: bool) -> int:
    """Search for inputs on which two variants differ.

    PROFILE is a TOML file. Both variants see every seed once; on the seeds where they agree the search goes on, with
    up to search.max_queries mutants each. What is found is confirmed alone and kept in the run's folder as it is found
    (run.sqlite), with the figures in summary.json. Ctrl-C ends a run cleanly; --resume goes on where it stopped, with
    the same findings as if it had never stopped.
    """
    from dltf.campaign import run
    from dltf.cli.progress import Progress
    from dltf.cli.tell import tell_summary
    from dltf.host import Host
    from dltf.profile import read_profile
    from dltf.store import RunFolder

    signal.signal(signal.SIGTERM, _interrupt)
    host = Host()
    checked = read_profile(profile, host, settings)
    folder = RunFolder(out or _folder(checked.campaign.name, resume=resume))
    folder.check(resume=resume)
    if resume and not folder.database.exists():
        click.echo(f"there is nothing to resume in {folder.path}: starting anew", err=True)
    if not quiet:
        with Progress() as progress:
            host.observe(progress)
            outcome = run(checked, host, folder, resume=resume)
    else:
        outcome = run(checked, host, folder, resume=resume)
    if outcome.was_finished:
        click.echo(f"{folder.path} was finished already; nothing was left to do", err=True)
    changes = [part for setting in settings for part in ("--set", setting)]
    tell_summary(outcome, shlex.join(["dltf", "run", str(profile), "--out", str(folder.path), *changes, "--resume"]))
    for failure in host.failures:
        click.echo(f"plugin {failure.plugin} ({failure.distribution}): {failure.cause}", err=True)
    if outcome.interrupted:
        return 130
    return 0 if outcome.gates_hold else 1


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _folder(name: str, *, resume: bool) -> Path:
    from dltf.errors import UsageError
    from dltf.store.folder import DATABASE, next_free

    runs = Path("runs")
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)[:_LONGEST_NAME]
    if not resume:
        return next_free(runs, safe)
    numbered = {
        int(folder.name.rpartition("-")[2]): folder
        for folder in runs.glob("*")
        if re.fullmatch(rf"{re.escape(safe)}-[0-9]{{3,}}", folder.name) and (folder / DATABASE).exists()
    }
    if not numbered:
        raise UsageError(
            f"there is no run of {name} in {runs}/ to go on with", hint="name it with --out, or leave --resume out"
        )
    return numbered[max(numbered)]
