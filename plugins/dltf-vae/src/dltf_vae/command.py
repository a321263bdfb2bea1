"""`dltf vae`: training the generator of a profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dltf.plugin import MisfitError, RuntimeFailedError

if TYPE_CHECKING:
    from dltf.plugin import Workbench
    from dltf_vae.training import Trained


@click.group()
def vae() -> None:
    """Train the VAE that feature-level tests are generated with."""


@vae.command()
@click.argument("profile", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of the profile.")
@click.option("--resume", is_flag=True, help="Go on with a training that was stopped.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.pass_obj
def train(bench: Workbench, profile: Path, overrides: tuple[str, ...], resume: bool, quiet: bool) -> None:
    """Train the VAE of PROFILE's [generator] on the samples of its [reference], or of its [seeds].

    The file that `generator.file` names is there from the first epoch on, and always holds the best one so far; beside
    it come the history of the losses, their plot, reconstructions, and samples drawn from the prior.
    """
    training = bench.training(profile, overrides)

    from dltf_vae.beside import write_beside
    from dltf_vae.generator import Vae
    from dltf_vae.progress import TrainingProgress
    from dltf_vae.training import train_vae

    generator = training.generator
    if not isinstance(generator, Vae):
        raise MisfitError(
            f"the generator of {profile} is {type(generator).__name__}, which is not trained here",
            hint='dltf vae train makes the generator use = "vae"',
        )
    with TrainingProgress(generator.train.epochs, quiet=quiet) as progress:
        trained = train_vae(training, resume=resume, told=progress)
    written = write_beside(generator, trained.course, trained.held_out, training.seed)
    for line in summary(trained):
        click.echo(line)
    here = Path.cwd()
    file = trained.file.relative_to(here) if trained.file.is_relative_to(here) else trained.file
    click.echo(f"wrote {file}, and beside it {', '.join(path.name for path in written)}")
    if trained.ending == "not finite":
        best, last = trained.course.best, trained.course.epochs[-1]
        raise RuntimeFailedError(
            f"the loss of epoch {last.number} is no finite number; {trained.file} holds epoch "
            f"{best.number if best else 0}, the best one before",
            hint=f"to train on, begin again with a lower learning_rate than {generator.train.learning_rate:g}",
        )


def summary(trained: Trained) -> list[str]:
    """Say which epoch was kept, why the training ended, and which dimensions tell nothing."""
    best, facts = trained.course.best, trained.artefact.facts
    assert best is not None
    losses, beta = best.held_out, facts["training"]["beta"]
    why = {
        "epochs": "all epochs are done",
        "patience": f"no better one in {len(trained.course.epochs) - best.number} epochs",
        "not finite": "the loss became no finite number",
    }.get(trained.ending, "")
    collapsed = facts["collapsed"]
    told = f" (collapsed: {', '.join(map(str, collapsed))})" if collapsed else ""
    return [
        f"epoch {best.number} of {len(trained.course.epochs)} kept, {why}",
        f"held-out loss {losses.loss:.2f} = reconstruction {losses.reconstruction:.2f} + {beta:g} × KL {losses.kl:.2f}",
        f"{facts['active']} of {facts['latent']} dimensions are active{told}",
        f"weights sha256 {facts['weights']}",
    ]
