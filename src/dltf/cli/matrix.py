"""`dltf matrix`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dltf.host import Host

# Click keeps the lines of a paragraph that begins with this character.
_HELP = """
    Run one model in every way it may be deployed: what differs, and how fast each is.

    PROFILE has a table [matrix] with its variants: conversions, runtimes, targets, precisions. Each variant is
    converted, shown the same seeds, compared with the reference variant and timed beside the others. What cannot be had
    is a row with its reason. An interrupted matrix goes on with --resume; a variant that is added later runs alone.

    \b
      dltf matrix matrix.toml --out runs/matrix
      dltf matrix matrix.toml --out runs/matrix --resume
      dltf matrix matrix.toml --out runs/matrix --pair ort-int8 pair.toml
                                               then: dltf run pair.toml, or dltf gap on its files
"""


@click.command(help=_HELP)
@click.argument("profile", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The matrix's folder. Default: runs/NAME-001, -002, …")
@click.option(
    "--resume", is_flag=True, help="Go on in a folder that holds this matrix; what is there is not run again."
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any key: --set matrix.repetitions=100")
@click.option("--baseline", type=click.Path(path_type=Path), help="A stored matrix, for gates that say no_worse.")
@click.option(
    "--pair",
    nargs=2,
    metavar="VARIANT FILE",
    help="Write the profile of a search: the reference variant against VARIANT (or A:B), and run nothing else.",
)
@click.option("--dry-run", is_flag=True, help="Check everything, and list the variants; run nothing.")
@click.option("--quiet", is_flag=True, help="No progress.")
def command(  # noqa: PLR0913  # one parameter an option
    profile: Path,
    out: Path | None,
    resume: bool,
    settings: tuple[str, ...],
    baseline: Path | None,
    pair: tuple[str, str] | None,
    dry_run: bool,
    quiet: bool,
) -> int:
    """Run a matrix."""
    from dltf.cli.campaign import folder_for
    from dltf.errors import UsageError
    from dltf.host import Host
    from dltf.matrix.gates import read_baseline
    from dltf.matrix.run import check_folder
    from dltf.profile.matrix import read_matrix

    host = Host()
    read = read_matrix(profile, host, settings)
    if dry_run:
        for cell in read.cells:
            steps = " → ".join([cell.source.name, *(step.use for step in cell.steps)])
            click.echo(f"{cell.name}: {steps}, {cell.table.get('backend')}{' – ' + cell.wrong if cell.wrong else ''}")
        return 0
    known = read_baseline(baseline) if baseline is not None else None
    if known is None and any(gate.no_worse is not None for gate in read.gates):
        raise UsageError("a gate says no_worse, and there is nothing to compare with", hint="name it by --baseline DIR")
    if pair is not None:
        return _hand_over(read, host, out, *pair)
    folder = out or folder_for(read.campaign.name, resume=resume, holding="outputs")
    check_folder(folder, resume=resume)
    return _run(read, host, folder, known, quiet=quiet)


def _run(read: Any, host: Host, folder: Path, baseline: Mapping[str, Any] | None, *, quiet: bool) -> int:
    from dltf.cli.steps import telling
    from dltf.matrix.gates import evaluate
    from dltf.matrix.run import RESULT, run_matrix
    from dltf.report.matrix import write_matrix_report
    from dltf.store.folder import write_json

    began = time.monotonic()
    with telling("opening seeds", quiet=quiet) as told:
        result = run_matrix(read, host, folder, told)
    result["gates"] = evaluate(read.gates, result, baseline)
    write_json(folder / RESULT, result)
    report = write_matrix_report(result, folder)
    for line in lines(result):
        click.echo(line)
    click.echo(f"\n{time.monotonic() - began:.0f} seconds for all of it\nThe report is {report}")
    return 0 if all(gate["holds"] for gate in result["gates"]) else 1


def _hand_over(read: Any, host: Host, out: Path | None, named: str, file: str) -> int:
    from dltf.errors import UsageError, nearest
    from dltf.matrix.run import converted_pair
    from dltf.profile import save

    if out is None or not out.is_dir():
        raise UsageError("--pair takes its models from a matrix that was run", hint="name its folder by --out")
    first, _, second = named.rpartition(":")
    names = [first or read.reference, second]
    for name in names:
        if name not in {cell.name for cell in read.cells}:
            raise UsageError(f'there is no variant "{name}"{nearest(name, [cell.name for cell in read.cells])}')
    save(converted_pair(read, host, out, *names), Path(file))
    click.echo(f"the profile of {names[0]} against {names[1]} is in {file}: dltf run {file}")
    return 0


def lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield what people are told: a line for each variant."""
    from dltf.report.wording import number, percent, short

    count = result["seeds"]
    yield f"{len(result['variants'])} variants on {count:,} seeds, compared with {result['reference']}"
    yield ""
    width = min(40, max(len(one["name"]) for one in result["variants"]))
    for one in result["variants"]:
        told = [f"{short(one['name'], 40):{width}}  {one['verdict']:17}"]
        if one.get("accuracy") is not None:
            told.append(f"accuracy {percent(one['accuracy'])}")
        labels = one.get("figures", {}).get("labels")
        if labels is not None:
            differ = "label differs" if labels["differ"] == 1 else "labels differ"
            told.append(f"{labels['differ']:,} {differ} ({percent(labels['share'])})")
        timing = (one.get("timing") or {}).get("1")
        if timing:
            told.append(f"{number(1000 * timing['median_s'])} ms")
        if one["verdict"] not in ("reference", "identical") and one.get("reason") and labels is None:
            told.append(short(one["reason"], 160))
        yield "  ".join(told)
    for gate in result.get("gates", []):
        if not gate["holds"]:
            yield f"gate {gate['figure']} of {gate['variant']} does not hold: {gate['reason']}"
