"""What the verbs that run a campaign share: the folder, the progress, the outcome."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dltf.errors import DltfError
    from dltf.host import Host
    from dltf.profile import Profile
    from dltf.store import RunFolder

_LONGEST_NAME = 60  # characters, of up to four bytes each: a file name has room for 255 bytes


def carry_out(profile: Profile, host: Host, folder: RunFolder, again: str, *, resume: bool, quiet: bool) -> int:
    """Run a campaign and tell its outcome; return the exit status. `again` is the command that goes on with it."""
    from dltf.campaign import run
    from dltf.cli.progress import Progress
    from dltf.cli.tell import tell_summary

    signal.signal(signal.SIGTERM, _interrupt)
    folder.check(resume=resume)
    if resume and not folder.database.exists():
        click.echo(f"there is nothing to resume in {folder.path}: starting anew", err=True)
    if not quiet:
        with Progress() as progress:
            host.observe(progress)
            outcome = run(profile, host, folder, resume=resume)
    else:
        outcome = run(profile, host, folder, resume=resume)
    if outcome.was_finished:
        click.echo(f"{folder.path} was finished already; nothing was left to do", err=True)
    report, wrong = _report(host, folder)
    tell_summary(outcome, again, report)
    if wrong is not None:
        click.echo(f"error: {wrong}", err=True)
    for failure in host.failures:
        click.echo(f"plugin {failure.plugin} ({failure.distribution}): {failure.cause}", err=True)
    if outcome.interrupted:
        return 130
    return 0 if outcome.gates_hold else 1


def _report(host: Host, folder: RunFolder) -> tuple[Path | None, DltfError | None]:
    """Write the run's report; what goes wrong with it takes nothing from the run."""
    from dltf.errors import DltfError
    from dltf.report import write_report
    from dltf.store import Store

    try:
        with Store(folder, write=False) as store:
            return write_report(store, host, folder.path), None
    except DltfError as error:
        return None, error


def folder_for(name: str, *, resume: bool, holding: str = "run.sqlite") -> Path:
    """Return the next free folder for a run of this name, or with `resume` the latest that holds such a file."""
    from dltf.errors import UsageError
    from dltf.store.folder import next_free

    runs = Path("runs")
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)[:_LONGEST_NAME]
    if not resume:
        return next_free(runs, safe)
    numbered = {
        int(folder.name.rpartition("-")[2]): folder
        for folder in runs.glob("*")
        if re.fullmatch(rf"{re.escape(safe)}-[0-9]{{3,}}", folder.name) and (folder / holding).exists()
    }
    if not numbered:
        raise UsageError(
            f"there is no run of {name} in {runs}/ to go on with", hint="name it with --out, or leave --resume out"
        )
    return numbered[max(numbered)]


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
