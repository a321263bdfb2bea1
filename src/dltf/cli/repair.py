"""`dltf repair`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

# Click keeps the lines of a paragraph that begins with this character.
_HELP = """
    Make the candidate answer as the reference does, as far as its scores allow.

    RUN… is the folder of a run, or several of one pair. A head learns from the candidate's scores on seeds and findings
    what the reference answers; by cross-validation it is measured what it repairs, and what it spoils. It intervenes
    from a threshold on that keeps what it spoils below --max-inducing. DIR gets the head, repair.json to deploy it, and
    report.html; a head that makes things worse is not written.

    \b
      dltf repair runs/NAME-001 --out repairs/name
      dltf repair runs/NAME-001 runs/NAME-002 --out repairs/name --head linear
      dltf repair runs/NAME-001 --out repairs/name --set repair.hard_negatives=0 --set repair.clean=0
                                               with the runs alone, without their models
"""

_REFUSED = 1


@click.command(help=_HELP)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN…")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where the head and its report go.")
@click.option("--head", help="A head that dltf plugins lists. Default: the one that does best inside the folds.")
@click.option("--max-inducing", type=float, help="The share of seeds that may be spoilt. Default: 0.005.")
@click.option("--profile", type=click.Path(path_type=Path), help="A TOML file with a table [repair].")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A key: repair.folds=3, or one of the runs' profile."
)
@click.option("--force", is_flag=True, help="Write the head even where it makes things worse.")
@click.option("--quiet", is_flag=True, help="No progress.")
def command(  # noqa: PLR0913  # one parameter an option
    runs: tuple[Path, ...],
    out: Path,
    head: str | None,
    max_inducing: float | None,
    profile: Path | None,
    settings: tuple[str, ...],
    force: bool,
    quiet: bool,
) -> int:
    """Repair, measure, and tell what it is worth."""
    from dltf.cli.steps import telling
    from dltf.host import Host
    from dltf.repair.run import REPAIR, repair
    from dltf.repair.settings import asked
    from dltf.report.repair import write_repair_report

    host = Host()
    bound = [] if max_inducing is None else [f"repair.max_inducing={max_inducing}"]
    wanted = asked(host, [*settings, *bound], profile, head)
    with telling("reading runs", quiet=quiet) as told:
        result = repair(runs, wanted, host, out, told, force=force)
    report = write_repair_report(result, out)
    for line in lines(result):
        click.echo(line)
    click.echo(f"\nThe report is {report}")
    if not result["written"]:
        for why in result["refused"]:
            click.echo(f"not written: {why}", err=True)
        click.echo("  find more, or allow more with --max-inducing; --force writes it as it is", err=True)
        return _REFUSED
    click.echo(f"Deploy it: [models.candidate] repair = {shlex.quote(str(out / REPAIR))}")
    return 0


def lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield the table, in the form of the paper's, and what goes beyond it."""
    counts, deployed = result["counts"], result["deployed"]
    kinds = ", ".join(f"{counts[kind]:,} {kind}" for kind in _KINDS if counts[kind])
    yield f"{result['candidate']['name']} is to answer as {result['reference']['name']} does: {kinds}"
    yield ""
    yield from _table(result)
    yield ""
    yield f"deployed: {deployed['head']}, threshold {deployed['threshold']:.4g}; {deployed['statement']}"
    accuracy = deployed["figures"]["accuracy"]
    if accuracy is not None:
        before, after, reference = (accuracy[name]["ratio"] for name in ("before", "after", "reference"))
        told = f"{before:.2%} before, {after:.2%} after, the reference {reference:.2%}"
        yield f"accuracy on {accuracy['of']:,} {_WHERE[accuracy['on']]}: {told}"
    yield from _bound(result["bound"])


_KINDS = ("seed", "finding", "natural", "hard negative", "clean")
_WHERE = {"clean": "seeds that no run has used", "seeds": "seeds of the runs"}
_HEAD = ("head", "repair", "inducing", "improvement [95 %]", "hard negatives spoilt", "natural repaired")


def _table(result: Mapping[str, Any]) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [_HEAD]
    for one in result["heads"]:
        rows.append(_row(f"{one['name']}, always", one["always"]))
        rows.append(_row(f"{one['name']}, bounded", one["bounded"]))
    if len(result["heads"]) > 1:
        rows.append(_row("the best, bounded", result["best"]))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(name: str, told: Mapping[str, Any]) -> tuple[str, ...]:
    shares = [told[key] for key in ("repaired", "induced", "hard_negatives", "natural")]
    repaired, induced, hard, natural = (
        "–" if one["ratio"] is None else f"{one['count']:.1f} of {one['of']:,} ({one['ratio']:.2%})" for one in shares
    )
    net = told["improvement"]
    low, high = net["interval"] or (float("nan"), float("nan"))
    improvement = "–" if net["ratio"] is None else f"{net['ratio']:.2%} [{low:.2%}, {high:.2%}]"
    return name, repaired, induced, improvement, hard, natural


def _bound(told: Mapping[str, Any]) -> Iterator[str]:
    exact, bins, near = told["exact"], told["bins"], told["neighbours"]
    every, binned = exact["repaired"]["ratio"] or 0.0, bins["repaired"]["ratio"] or 0.0
    shared = f"{exact['shared']:,} inputs share a vector with another"
    yield f"any function of the output vector repairs at most {every:.2%} of the findings ({shared})"
    yield f"one that cannot tell apart what is within {told['bin']} nats: {binned:.2%}"
    if near is not None:
        inputs = f"{near['inputs']:,} findings and hard negatives"
        yield f"near the boundary, the nearest of {inputs} is answered otherwise for {near['nearest_error']:.1%}"
