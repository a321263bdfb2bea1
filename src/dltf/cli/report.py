"""`dltf report`."""

from __future__ import annotations

from pathlib import Path

import click

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=_FILE, help="Where the page goes. Default: report.html in the run's folder.")
@click.option("--junit", type=_FILE, help="Where the file for CI goes. Default: junit.xml in the run's folder.")
@click.option("--most", type=click.IntRange(min=0), default=60, show_default=True, help="Findings in the gallery.")
@click.option("--open", "open_it", is_flag=True, help="Open the page in a browser.")
def command(run: Path, out: Path | None, junit: Path | None, most: int, open_it: bool) -> int:
    """Write what a run has found as a page.

    RUN is the folder of a run. The page is one file that opens from disk and asks for nothing: the verdict, what was
    compared, figures, plots, and the findings themselves, the worst first. Beside it, junit.xml has a test case for
    each gate.
    """
    from dltf.errors import UsageError
    from dltf.host import Host
    from dltf.report import write_report
    from dltf.store import RunFolder, Store

    folder = RunFolder(run)
    named = [file.absolute() for file in (out, junit) if file is not None]
    if len(set(named)) < len(named) or {folder.database.absolute(), folder.summary.absolute()} & set(named):
        raise UsageError(
            f"{named[-1].name} would be written over", hint="name a file of its own with --out, and one with --junit"
        )
    with Store(RunFolder(run).for_reading(), write=False) as store:
        page = write_report(store, Host(), run, most=most, html=out, xml=junit)
    click.echo(f"{page}")
    if open_it:
        click.launch(page.absolute().as_uri())
    return 0
