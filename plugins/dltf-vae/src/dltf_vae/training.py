"""The loop: epochs until the ELBO of what is held out gets no better, each kept, so that it can go on after a stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import torch
from attrs import frozen

from dltf.plugin import ModelFileError, RuntimeFailedError
from dltf_vae.artefact import INACTIVE, Artefact, check_active, load_artefact, save_artefact, weights_digest
from dltf_vae.checkpoint import State, checkpoint_of, load_checkpoint, save_checkpoint
from dltf_vae.course import Course, Ending, Epoch
from dltf_vae.devices import device_of, steady
from dltf_vae.epoch import Part, measure, train
from dltf_vae.network import Network
from dltf_vae.samples import Samples, read_samples

if TYPE_CHECKING:
    from torch import Tensor

    from dltf.plugin import FloatArray, Training
    from dltf_vae.generator import Vae
    from dltf_vae.recipe import Recipe

Told = Callable[[Course], None]
_RUNNING = "still running"
_SPLIT, _WEIGHTS, _HELD_OUT_NOISE, _EPOCH = range(4)  # what randomness is for


@frozen(eq=False)
class Trained:
    """What came of a training: its file, its course, why it ended, and the samples that were held out."""

    artefact: Artefact
    file: Path
    course: Course
    ending: Ending
    held_out: np.ndarray[Any, np.dtype[np.uint8]]


def train_vae(training: Training, *, resume: bool = False, told: Told = lambda course: None) -> Trained:
    """Train as `[generator]` says; the file is there, and can be opened, from the first epoch on.

    Raise `RuntimeFailedError` where the loss is no number from the first epoch on, `ModelFileError` where what was
    trained has collapsed.
    """
    vae: Vae = training.generator
    if not resume and (vae.file.exists() or checkpoint_of(vae.file).exists()):
        raise ModelFileError(
            f"{vae.file} is there, or the beginning of it",
            hint="--resume goes on where it stopped; or name another file, or remove this one",
        )
    with steady(vae.train.threads):
        run = _Run(training, read_samples(training), resume=resume)
        told(run.course)
        while not run.ending:
            run.epoch()
            told(run.course)
        return run.finished()


class _Run:
    """A training under way."""

    def __init__(self, training: Training, samples: Samples, *, resume: bool) -> None:
        vae: Vae = training.generator
        self.recipe: Recipe = vae.train
        self.file = vae.file
        self.seed = training.seed
        self.source = training.source
        self.samples = samples
        self.device = device_of(self.recipe.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_number(self.seed, _WEIGHTS))
            network = Network(samples.pixels.shape[1:], self.recipe.maps, self.recipe.width)
        self.network = network.on(self.device)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=self.recipe.learning_rate)
        self.data = torch.from_numpy(samples.pixels).to(self.device)
        order = torch.randperm(len(samples), generator=_stream(self.seed, _SPLIT))
        count = max(1, round(self.recipe.held_out * len(samples)))
        self.rows, held_out = order[count:], order[:count].sort().values
        self.held_out = self._part(held_out, _stream(self.seed, _HELD_OUT_NOISE))
        self.course = self._resumed() if resume else Course()

    @property
    def ending(self) -> Ending:
        return self.course.ending(self.recipe.epochs, self.recipe.patience)

    def epoch(self) -> None:
        """Train one epoch, measure, and keep what came of it."""
        started = time.monotonic()
        number = len(self.course.epochs) + 1
        for group in self.optimiser.param_groups:
            group["lr"] = _rate(self.recipe, number)
        stream = _stream(self.seed, _EPOCH, number)
        rows = self.rows[torch.randperm(len(self.rows), generator=stream)]
        losses = train(self.network, self.optimiser, self._part(rows, stream), self.recipe)
        measured, means = measure(self.network, self.held_out, self.recipe.beta)
        self.course = self.course.then(Epoch(number, losses, measured, time.monotonic() - started))
        if self.course.best is not None and self.course.best.number == number:
            save_artefact(self._artefact(self.network.state_dict(), means.var(0, correction=0).numpy()), self.file)
        if self.ending != "not finite":
            save_checkpoint(State(self.network, self.optimiser, self.course, self._identity()), self.file)

    def finished(self) -> Trained:
        """Measure on all samples which dimensions are active, and write the file for good."""
        if self.course.best is None:
            raise RuntimeFailedError(
                "the loss is no finite number in the first epoch, and nothing is kept",
                hint=f"a lower learning_rate than {self.recipe.learning_rate:g}, or a smaller beta",
            )
        best = load_artefact(self.file)
        network = best.network().on(self.device)
        everything = self._part(torch.arange(len(self.samples)), _stream(self.seed, _HELD_OUT_NOISE))
        _, means = measure(network, everything, self.recipe.beta)
        artefact = self._artefact(best.weights, means.var(0, correction=0).numpy(), ending=self.ending)
        save_artefact(artefact, self.file)
        checkpoint_of(self.file).unlink(missing_ok=True)
        check_active(artefact, self.file)
        held_out = self.samples.pixels[self.held_out.rows.cpu().numpy()]
        return Trained(artefact, self.file, self.course, self.ending, held_out)

    def _resumed(self) -> Course:
        checkpoint = checkpoint_of(self.file)
        if not checkpoint.exists() and self.file.exists() and _ended(load_artefact(self.file)):
            raise ModelFileError(
                f"{self.file} is trained to its end: there is nothing to go on with",
                hint="remove it, or name another file, to train again",
            )
        if not checkpoint.exists():
            return Course()
        return load_checkpoint(self.file, self.network, self.optimiser, self._identity())

    def _part(self, rows: Tensor, stream: torch.Generator) -> Part:
        # Drawn on the processor, so that every device sees the same numbers.
        noise = torch.randn(len(rows), self.network.latent, generator=stream)
        return Part(self.data, rows.to(self.device), noise.to(self.device))

    def _identity(self) -> dict[str, Any]:
        """Return what has to be equal for a training to go on."""
        free = ("patience", "device", "threads")
        recipe = {key: value for key, value in attrs.asdict(self.recipe).items() if key not in free}
        return {"seed": self.seed, "data": self.samples.digest, **recipe}

    def _artefact(self, weights: Mapping[str, Tensor], variances: FloatArray, ending: Ending = "") -> Artefact:
        active = variances > INACTIVE
        best = self.course.best
        assert best is not None
        facts = {
            "weights": weights_digest(weights),
            "data": self.samples.digest,
            "source": self.source,
            "samples": len(self.samples),
            "shape": list(self.network.shape),
            "dtype": "uint8",
            "range": [0, 255],
            "latent": self.network.latent,
            "active": int(active.sum()),
            "collapsed": np.flatnonzero(~active).tolist(),
            "training": {
                **attrs.asdict(self.recipe),
                "ran_on": self.device.type,
                "seed": self.seed,
                "epoch": best.number,
                "epochs_run": len(self.course.epochs),
                "ended": ending or _RUNNING,
                "seconds": round(self.course.seconds, 1),
                "held_out_losses": attrs.asdict(best.held_out),
                "torch": str(torch.__version__),
            },
        }
        return Artefact(self.network.shape, self.recipe.maps, self.recipe.width, weights, variances, facts)


def _ended(artefact: Artefact) -> bool:
    """Whether it is written for good: it may have been stopped before its first checkpoint."""
    return bool(artefact.facts["training"]["ended"] != _RUNNING)


def _rate(recipe: Recipe, number: int) -> float:
    if recipe.schedule == "constant":
        return recipe.learning_rate
    return recipe.learning_rate * (1 + math.cos(math.pi * (number - 1) / recipe.epochs)) / 2


def _number(seed: int, *purpose: int) -> int:
    return int(np.random.SeedSequence([seed, *purpose]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _stream(seed: int, *purpose: int) -> torch.Generator:
    return torch.Generator().manual_seed(_number(seed, *purpose))
