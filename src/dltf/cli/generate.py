"""`dltf generate`."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.profile.feature import FeatureProfile

# Click keeps the lines of a paragraph that begins with this character.
_HELP = """
    Generate tests near seeds in the latent space of a generative model, and test a model, or a pair, with them.

    PROFILE names a generator, the reference samples that distances are measured among, seeds, what is under test, and
    judges. A test lies so near its seed that no reference code of another label is nearer, and inherits its label: a
    certificate about codes, which judges that are not under test then check on the pictures.

    \b
      dltf generate feature.toml --out runs/feature
      dltf generate feature.toml --out runs/feature --resume
      dltf generate feature.toml --set 'generate.methods=["ball","search"]' --set generate.tests=40
"""


@click.command(help=_HELP)
@click.argument("profile", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The folder. Default: runs/NAME-001, -002, …")
@click.option("--resume", is_flag=True, help="Go on in a folder that holds this run; finished methods are kept.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any key: --set generate.tests=100")
@click.option("--dry-run", is_flag=True, help="Check the profile, and say what would be made; run nothing.")
@click.option("--quiet", is_flag=True, help="No progress.")
def command(  # one parameter an option
    profile: Path, out: Path | None, resume: bool, settings: tuple[str, ...], dry_run: bool, quiet: bool
) -> int:
    """Generate tests."""
    from dltf.cli.campaign import folder_for
    from dltf.feature.keep import check_folder
    from dltf.host import Host
    from dltf.profile.feature import read_feature

    host = Host()
    read = read_feature(profile, host, settings)
    if dry_run:
        for line in plan(read):
            click.echo(line)
        return 0
    folder = out or folder_for(read.campaign.name, resume=resume, holding="tests")
    check_folder(folder, resume=resume)
    return _run(read, host, folder, resume=resume, quiet=quiet)


def _run(read: FeatureProfile, host: Host, folder: Path, *, resume: bool, quiet: bool) -> int:
    from dltf.cli.steps import telling
    from dltf.feature.run import generate
    from dltf.report.feature import write_feature_report

    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    with telling("opening", quiet=quiet) as told:
        result = generate(read, host, folder, told, resume=resume)
    for line in lines(result):
        click.echo(line)
    click.echo(f"\n{time.monotonic() - began:.0f} seconds for all of it\nThe tests are in {folder / 'pack'}")
    click.echo(f"The report is {write_feature_report(result, folder)}")
    return 0 if all(gate["holds"] for gate in result["gates"]) else 1


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def plan(read: FeatureProfile) -> Iterator[str]:
    """Yield what a run would do."""
    table = read.generate
    under_test = " against ".join(one.name for one in reversed(list(read.models.values())))
    yield f"{under_test}: {', '.join(table.methods)}, {table.tests} tests for each seed and method"
    yield f"generator {read.generator_name}; norm {table.norm}; {table.reach:g} of the radius ({table.radius})"
    for role, judges in read.judges.items():
        yield f"judges that {role}: {', '.join(judges) or 'none'}"


def lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield what people are told: the screen, a line for each method, and the gates."""
    from dltf.report.feature.words import remarks, removed, unmeasured
    from dltf.report.wording import number

    seeds, separation = result["seeds"], result["separation"]
    yield f"{seeds['accepted']:,} of {seeds['offered']:,} seeds pass the screen"
    for count, why in removed(result):
        yield f"  {count:,}: {why}"
    yield (
        f"separation ({separation['norm']}, {separation['codes']:,} reference codes): r {number(separation['r'])}, "
        f"{number(separation['trimmed'])} without the nearest {100 * separation['trim']:g} %; "
        f"median radius of the offered seeds {number(separation['seeds']['median'])}"
    )
    for remark in remarks(result):
        yield f"! {remark}"
    yield ""
    yield from _table(result["methods"])
    if told := unmeasured(result):
        yield told
    for gate in result["gates"]:
        yield _gate(gate)


def _table(methods: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    from dltf.report.wording import percent

    yield (
        f"{'method':10} {'tests':>8} {'valid':>7} {'label kept':>10} {'failures':>9} {'confirmed':>9} {'precision':>9} "
        "seeds with one"
    )
    for method, told in methods.items():
        shares = [told.get(name) for name in ("valid_share", "label_kept", "precision", "confirmed_seeds_share")]
        valid, kept, precision, found = ("–" if share is None else percent(share) for share in shares)
        confirmed = told.get("confirmed")
        yield (
            f"{method:10} {told['tests']:>8,} {valid:>7} {kept:>10} {told.get('failures', 0):>9,} "
            f"{'–' if confirmed is None else f'{confirmed:,}':>9} {precision:>9} {found}"
        )


def _gate(gate: Mapping[str, Any]) -> str:
    """Tell a gate as `dltf run` does."""
    bounds = ", ".join(f"{key} {gate[key]:g}" for key in ("at_least", "at_most") if key in gate)
    value = "no value" if gate["value"] is None else f"{gate['value']:.4g}"
    why = f" {gate['reason']}" if gate["value"] is None else ""
    mark = click.style("holds", fg="green") if gate["holds"] else click.style("FAILS", fg="red")
    return f"gate {gate['figure']}: {value} ({bounds}) {mark}{why}"
