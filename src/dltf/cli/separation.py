"""`dltf separation`."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dltf.feature.measured import Asked, Measured
    from dltf.profile.feature import FeatureProfile

_RECORD = "separation.json"
_SHOWN = 10  # suspects, and pairs of labels, that the terminal is told of

# Click keeps the lines of a paragraph that begins with this character.
_HELP = """
    Measure how far apart labels lie, in a latent space or in pixels.

    PROFILE is one of dltf generate; it needs [campaign], [reference] (or [seeds]) and, for the latent space,
    [generator]. For each reference sample the nearest of another label is found, exactly; half that distance is the
    radius within which a generated test inherits its label. Where [seeds] names others, they are measured among the
    reference, too.

    \b
      dltf separation feature.toml
      dltf separation feature.toml --out runs/separation --exclude-suspects 10
      dltf separation feature.toml --space pixels --norm linf
"""


@click.command(help=_HELP)
@click.argument("profile", type=click.Path(path_type=Path))
@click.option("--space", type=click.Choice(["latent", "pixels"]), default="latent", help="Default: latent.")
@click.option("--norm", type=click.Choice(["l1", "l2", "linf"]), help="Default: the profile's generate.norm, or l2.")
@click.option("--out", type=click.Path(path_type=Path), help="A folder for separation.json, .npz and .html.")
@click.option(
    "--exclude-suspects", "exclude", type=click.IntRange(0), default=0, metavar="N", help="Also measure without the N."
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any key: --set generate.trim=0.02")
@click.option("--quiet", is_flag=True, help="No progress.")
def command(
    profile: Path,
    space: Any,
    norm: Any,
    out: Path | None,
    exclude: int,
    settings: tuple[str, ...],
    quiet: bool,
) -> int:
    """Measure a separation."""
    from dltf.errors import RunFolderError
    from dltf.feature.measured import Asked
    from dltf.host import Host
    from dltf.profile.feature import read_feature

    host = Host()
    read = read_feature(profile, host, settings, needs=("generator",) if space == "latent" else (), models=False)
    if out is not None and out.exists() and not out.is_dir():
        raise RunFolderError(f"{out} is a file", hint="name a folder with --out")
    table = read.generate
    asked = Asked(space, norm or table.norm, table.trim, table.suspects, exclude)
    measured = _measured(read, asked, quiet=quiet)
    for line in lines(measured.record, out):
        click.echo(line)
    if out is not None:
        click.echo(f"\nThe report is {_written(measured, read, out)}")
    return 0


def _measured(read: FeatureProfile, asked: Asked, *, quiet: bool) -> Measured:
    from dltf.cli.steps import telling
    from dltf.feature.measured import measure

    with telling("opening", quiet=quiet) as told:
        return measure(read, asked, told)


def _written(measured: Measured, read: FeatureProfile, out: Path) -> Path:
    import numpy as np

    from dltf.report.separation import write_separation_report
    from dltf.store.folder import RunFolder, write_json, write_whole

    RunFolder(out).make()
    held = io.BytesIO()
    np.savez_compressed(held, allow_pickle=False, **measured.arrays)
    write_whole(out / "separation.npz", held.getvalue())
    write_json(out / _RECORD, measured.record)
    return write_separation_report(measured, read.domain.preview, out)


def lines(record: Mapping[str, Any], out: Path | None = None) -> Iterator[str]:
    """Yield what people are told; `out` is the folder that gets the rest."""
    where = "pixel values" if record["space"] == "pixels" else f"{record['generator']['active']} active dimensions"
    yield f"{record['points']:,} reference samples, {len(record['by_label'])} labels, {record['norm']} over {where}"
    for doubt in record["doubts"]:
        yield f"! {doubt}"
    yield ""
    yield from _figures(record, "")
    without = record["without_suspects"]
    if without is not None:
        yield f"without {len(without['excluded'])} samples, the nearest to other labels and what they are nearest to:"
        yield from _figures({**without, "scale": record["scale"]}, "  ")
    if record["seeds"] is not None:
        seeds = record["seeds"]
        yield (
            f"{seeds['samples']:,} seeds of {seeds['use']} among them: the least distance is "
            f"{_number(seeds['least'], record)}, the median radius {_number(seeds['radii']['median'], record)}"
        )
    yield ""
    yield from _labels(record)
    yield from _pairs(record)
    yield from _suspects(record, out)
    yield ""
    if record["space"] == "latent":
        yield record["certificate"]


def _figures(record: Mapping[str, Any], indent: str) -> Iterator[str]:
    apart = _number(2 * record["r"], record)
    yield f"{indent}r               {_number(record['r'], record)}   (half the least distance, {apart})"
    yield (
        f"{indent}r, trimmed      {_number(record['trimmed'], record)}   (no more than {record['trim']:.3g} of the "
        "samples have less)"
    )
    yield f"{indent}median radius   {_number(record['radii']['median'], record)}"


def _labels(record: Mapping[str, Any]) -> Iterator[str]:
    from dltf.report.wording import short

    rows = [("label", "samples", "r", "median radius")]
    for one in record["by_label"]:
        rows.append(
            (short(one["label"], 30), f"{one['points']:,}", _number(one["r"], record), _number(one["median"], record))
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _pairs(record: Mapping[str, Any]) -> Iterator[str]:
    from dltf.report.wording import short

    if record["pairs"] is None:
        return
    names, least = record["pairs"]["labels"], record["pairs"]["r"]
    found = sorted((least[i][j], i, j) for i in range(len(names)) for j in range(i))
    told = [f"{short(names[j], 30)} and {short(names[i], 30)} {_number(value, record)}" for value, i, j in found]
    yield ""
    yield f"labels that come nearest (half the distance): {', '.join(told[:_SHOWN])}"


def _suspects(record: Mapping[str, Any], out: Path | None) -> Iterator[str]:
    from dltf.report.wording import short

    if record["suspects"]:
        yield ""
        yield "suspects, of a wrong label or twice there, the nearest first:"
    for one in record["suspects"][:_SHOWN]:
        same = ", the same sample" if one["same"] else ""
        yield (
            f"  {_number(one['distance'], record)}  {short(one['name'], 40)} ({short(one['label'], 30)}) – "
            f"{short(one['nearest_name'], 40)} ({short(one['nearest_label'], 30)}){same}"
        )
    if more := len(record["suspects"][_SHOWN:]):
        yield f"  and {more:,} more" + (f" in {out / _RECORD}" if out is not None else "; --out DIR writes all of them")


def _number(value: float, record: Mapping[str, Any]) -> str:
    from dltf.report.wording import number

    if record["scale"]:
        return f"{number(value, 5)} = {value / record['scale']:.4f}"
    return number(value, 4)
