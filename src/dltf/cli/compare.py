"""`dltf compare`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

_KEYS = "A key of the model's input or output table, for example --input range=[0,255] or --input output.label_offset=1"


# Click keeps the lines of a paragraph that begins with this character.
_HELP = """
    Compare two models that come without a profile.

    REFERENCE and CANDIDATE are model files, or Python functions (package.module:function). How each wants its input is
    read from the file where the file says so. What no file says (a float input does not tell what black and white are)
    is tried on labelled seeds, and the settings with which the model is right most often are taken; each guess is
    told. With --save-profile the whole becomes a profile for dltf run.

    \b
      dltf compare model.onnx model-int8.tflite --seeds photos/
      dltf compare model.onnx model-int8.tflite --seeds image.cifar10_jpeg --input range=[0,255]
"""


@click.command(help=_HELP)
@click.argument("reference")
@click.argument("candidate")
@click.option(
    "--seeds", required=True, help="A folder, a file, or a seed source that dltf plugins lists (image.mnist)."
)
@click.option("--domain", default="", help="The kind of input (image), where the seeds do not tell.")
@click.option("--count", type=click.IntRange(1), help="How many seeds. Default: 1000, or all where there are fewer.")
@click.option("--queries", type=click.IntRange(0), default=100, help="For each seed; 0 only screens. Default: 100.")
@click.option("--operators", default="", metavar="PRESET", help="What mutates the seeds. Default: the domain's own.")
@click.option("--input", "both", multiple=True, metavar="KEY=VALUE", help=f"Of both models. {_KEYS}.")
@click.option("--reference-input", multiple=True, metavar="KEY=VALUE", help="Of the reference.")
@click.option("--candidate-input", multiple=True, metavar="KEY=VALUE", help="Of the candidate.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any key of a profile: --set campaign.seed=1"
)
@click.option("--save-profile", type=click.Path(path_type=Path), help="Write the profile to this file, to go on from.")
@click.option("--out", type=click.Path(path_type=Path), help="The run's folder. Default: runs/NAME-001, -002, …")
@click.option("--dry-run", is_flag=True, help="Fill in, tell the plan and estimate the time; run nothing.")
@click.option("--quiet", is_flag=True, help="No progress; errors and the summary only.")
def command(  # noqa: PLR0913  # one parameter an option
    reference: str,
    candidate: str,
    seeds: str,
    domain: str,
    count: int | None,
    queries: int,
    operators: str,
    both: tuple[str, ...],
    reference_input: tuple[str, ...],
    candidate_input: tuple[str, ...],
    settings: tuple[str, ...],
    save_profile: Path | None,
    out: Path | None,
    dry_run: bool,
    quiet: bool,
) -> int:
    """Compare two models."""
    from dltf.campaign.comparison import Wish, tree_of
    from dltf.campaign.infer import infer
    from dltf.cli.campaign import carry_out, folder_for
    from dltf.cli.filled import of_models, tell_filled
    from dltf.cli.plan import tell_plan
    from dltf.host import Host
    from dltf.profile import override, read_tree, save
    from dltf.store import RunFolder

    host = Host()
    wish = Wish(reference, candidate, seeds, domain, count, queries, operators)
    given = [
        *of_models(both, ("reference", "candidate")),
        *of_models(reference_input, ("reference",)),
        *of_models(candidate_input, ("candidate",)),
    ]
    tree = override(tree_of(wish, host), [*given, *settings])
    inferred = infer(tree, host)
    tell_filled(inferred.told)
    profile = read_tree(inferred.tree, host)
    if save_profile is not None:
        save(profile, save_profile)
        click.echo(f"the profile is in {save_profile}: dltf run {shlex.quote(str(save_profile))}", err=True)
    if dry_run:
        tell_plan(profile)
        return 0
    folder = RunFolder(out or folder_for(profile.campaign.name, resume=False))
    again = shlex.join(["dltf", "run", str(folder.path), "--resume"])
    return carry_out(profile, host, folder, again, resume=False, quiet=quiet)
