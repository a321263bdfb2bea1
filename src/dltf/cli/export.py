"""`dltf export`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("directory", type=click.Path(path_type=Path))
def command(run: Path, directory: Path) -> int:
    """Write the findings of a run as files.

    RUN is the folder of a run; DIRECTORY a new one, which gets findings/, seeds/ and previews/ (seed · finding ·
    difference), and manifest.json with both answers, the operators and the distances of each.
    """
    from dltf.campaign.export import MANIFEST, export
    from dltf.host import Host
    from dltf.store import RunFolder, Store

    with Store(RunFolder(run).for_reading(), write=False) as store:
        entries = export(store, Host(), directory)
    click.echo(f"{len(entries)} findings in {directory}, listed in {directory / MANIFEST}")
    return 0
