"""`dltf export`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--for", "purpose", type=click.Choice(["people", "calibration", "training"]), default="people", show_default=True
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a key: --set models.reference.file=x"
)
def command(run: Path, directory: Path, purpose: str, settings: tuple[str, ...]) -> int:
    """Write the findings of a run as files.

    RUN is the folder of a run; DIRECTORY a new one. For people it gets findings/, seeds/ and previews/ (seed · finding
    · difference), and manifest.json with both answers, the operators and the distances of each. For calibration of a
    quantiser: calibration.npz, the reference model's own input tensors. For training: a folder of files for each
    answer of the reference, and training.npz with x, y and probabilities. These two get a manifest.csv. Calibration
    needs the run's models: --set names files that have moved.
    """
    from dltf.campaign.export import MANIFEST, export
    from dltf.campaign.handover import MANIFEST as TABLE
    from dltf.campaign.handover import hand_over
    from dltf.host import Host
    from dltf.store import RunFolder, Store

    with Store(RunFolder(run).for_reading(), write=False) as store:
        if purpose == "people":
            count, listed = len(export(store, Host(), directory)), MANIFEST
        else:
            chosen = cast("Literal['calibration', 'training']", purpose)
            count, listed = hand_over(store, Host(), directory, chosen, settings), TABLE
    click.echo(f"{count} findings in {directory}, listed in {directory / listed}")
    return 0
