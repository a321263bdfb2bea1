"""`dltf replay`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dltf.values import Answer


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("finding", type=int)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a key: --set models.candidate.file=x"
)
@click.option("--phase", type=click.Choice(["shrink", "amplify"]), help="What became of the finding in this phase.")
def command(run: Path, finding: int, settings: tuple[str, ...], phase: str | None) -> int:
    """Show one finding's bytes to both variants again, alone.

    RUN is the folder of a run, FINDING the number of one of its findings. The models are those of the run, unless --set
    names others: files that have moved, or a new build. Exits with 1 where it does not reproduce.
    """
    from dltf.campaign.replay import replay
    from dltf.host import Host
    from dltf.store import RunFolder, Store

    with Store(RunFolder(run).for_reading(), write=False) as store:
        replayed = replay(store, Host(), finding, settings, phase)
    old = replayed.finding
    click.echo(f"finding {old.case} ({old.kind}), seed {old.seed_name}, label {old.seed_label}")
    click.echo(f"  made by    {_chain(old.chain)}")
    for role, then, now in (
        ("reference", old.reference, replayed.reference),
        ("candidate", old.candidate, replayed.candidate),
    ):
        click.echo(f"  {role}  {_told(then)} then, {_told(now)} now")
    for file in replayed.changed:
        click.echo(f"  {file} is not the file of the run: it has changed since")
    if replayed.same:
        click.echo("reproduced: the variants differ as they did")
        return 0
    click.echo("not reproduced" + (": the variants agree" if replayed.kind is None else ": the answers are others"))
    return 1


def _told(answer: Answer | None) -> str:
    return "a failure" if answer is None else f"{answer.decision} (log score {answer.log_score:.4f})"


def _chain(chain: tuple[str, ...]) -> str:
    if not chain:
        return "nothing: it is the seed itself"
    last = " → ".join(chain[-3:])
    return last if len(chain) <= 3 else f"{len(chain)} operators, the last of them {last}"
