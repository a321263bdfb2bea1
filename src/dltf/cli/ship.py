"""`dltf ship`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import click

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.profile import Profile
    from dltf.values import Seed

_DIFFERS = 1

# Click keeps the lines of a paragraph that begins with this character.
_HELP = """
    Write a repaired candidate as files that run without dltf.

    REPAIR is the repair.json that dltf repair wrote, RUN the folder of a run on the candidate, or its profile. An ONNX
    candidate and its head become one file; a TFLite candidate gets the head beside it, with a script of a few lines.
    What was written is run as it is, on seeds and on the findings of the run, and has to give the labels that the
    repaired variant gives in memory; it is timed beside the candidate. DIR gets ship.json with all figures.

    \b
      dltf ship repairs/name/repair.json runs/NAME-001 --out shipped
      dltf ship repairs/name/repair.json profile.toml --out shipped --weights int8

    The exit status is 1 where a label differs.
"""


@click.command(help=_HELP)
@click.argument("repair", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder for the files.")
@click.option(
    "--weights", type=click.Choice(["float", "int8"]), default="float", show_default=True, help="Of the head."
)
@click.option("--count", type=click.IntRange(1), default=1000, show_default=True, help="How many seeds are shown.")
@click.option("--repetitions", type=click.IntRange(0), default=30, show_default=True, help="Rounds of timing; 0: none.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a key of the run's profile.")
@click.option("--quiet", is_flag=True, help="No progress.")
def command(  # noqa: PLR0913  # one parameter an option
    repair: Path,
    run: Path,
    out: Path,
    weights: str,
    count: int,
    repetitions: int,
    settings: tuple[str, ...],
    quiet: bool,
) -> int:
    """Export, and check what was exported."""
    from dltf.host import Host
    from dltf.ship.run import Asked, ship

    host = Host()
    profile, found = _read(host, run, (f"models.candidate.repair={repair.absolute()}", *settings))
    asked = Asked(cast("Literal['float', 'int8']", weights), count, repetitions)

    def told(what: str) -> None:
        if not quiet:
            click.echo(what, err=True)

    result = ship(profile, host, out, asked, found, told)
    for line in _lines(profile, result, out):
        click.echo(line)
    same = all(one["same"] == one["of"] for one in result["agreement"].values())
    return 0 if same else _DIFFERS


def _read(host: Host, run: Path, overrides: tuple[str, ...]) -> tuple[Profile, list[Seed]]:
    """Return the profile of a run, or of a file, and the run's findings as seeds."""
    from dltf.campaign.replay import profile_of
    from dltf.profile import read_profile
    from dltf.store import RunFolder, Store
    from dltf.values import Seed

    if not run.is_dir():
        return read_profile(run, host, overrides), []
    with Store(RunFolder(run).for_reading(), write=False) as store:
        profile = profile_of(store, host, overrides)
        found = [
            Seed(profile.domain.codec.decode(one.sample), f"finding {one.case}", one.seed_label, one.columns)
            for one in store.findings()
            if one.kind == "deviation"
        ]
    return profile, found


def _lines(profile: Profile, result: Mapping[str, Any], out: Path) -> Iterator[str]:
    told = result["runner"] or result["file"]
    yield f"{profile.candidate.name} is in {out / told}" + (f", with {result['file']}" if result["runner"] else "")
    for name, one in result["agreement"].items():
        head = f"the head takes the word on {one['repaired']:,}"
        yield f"{name}: {one['same']:,} of {one['of']:,} labels are those of the variant in memory; {head}"
        for case in one["different"]:
            yield f"  {case['name']}: {case['exported']} for {case['in_memory']}"
    cost = result["cost"]
    yield f"size: candidate {cost['candidate_bytes']:,} bytes, head {cost['head_bytes']:,}, all files {cost['bytes']:,}"
    for batch, one in result.get("latency", {}).items():
        times = f"candidate {_time(one['candidate_s'])}, repaired {_time(one['repaired_s'])}"
        yield f"latency, batch of {batch}: {times}{_ratio(one)}"
    yield from result["notes"]


def _ratio(told: Mapping[str, Any]) -> str:
    if "ratio" not in told:
        return ""
    low, high = told["interval"]
    bounds = "" if low is None else f" [{low:.3g}, {high:.3g}]"
    return f", {told['ratio']:.3g}{bounds} times as long"


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.3g} µs" if seconds < 1e-3 else f"{seconds * 1e3:.3g} ms"
