"""Train a small speech-to-text network on strings of spoken digits: ten minutes of one core's time.

    python examples/speech/train.py models/speech                 # FOLDER: what is made goes there
    python examples/speech/train.py models/speech --resume        # after an interruption, or --minutes
    python examples/speech/quantise.py examples/speech/digits-trained.toml models/speech/digits-int8.onnx
    dltf run examples/speech/digits-trained.toml

Strings are put together from the free spoken digits (those held out by their authors are held out here), and prepared
as the profile prepares them. FOLDER gets digits.onnx, digits.json, which tells its conventions, training.svg, and
training.pt, from which a training goes on as if it had not been interrupted: step i depends on the seed and i alone.
"""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import jiwer
import numpy as np
import torch
from attrs import asdict, field, frozen
from digit_network import CHARSET, DigitNetwork, encoded, read
from digit_strings import Recordings, preparation
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from training_curve import Point, write

HELD_OUT = 200  # strings


@frozen
class Settings:
    """What the result depends on; a training is resumed under the same alone."""

    steps: int = 2500
    batch: int = 32
    channels: int = 128
    peak_rate: float = 3e-3
    seed: int = 0


@frozen(eq=False)
class Training:
    """The state of a training, and its two verbs."""

    settings: Settings
    network: DigitNetwork
    optimiser: torch.optim.Optimizer
    points: list[Point] = field(factory=list)
    losses: list[float] = field(factory=list)  # since the last point

    @classmethod
    def begin(cls, settings: Settings) -> Training:
        torch.manual_seed(settings.seed)
        network = DigitNetwork(settings.channels)
        return cls(settings, network, torch.optim.AdamW(network.parameters(), settings.peak_rate, weight_decay=1e-2))

    def step(self, number: int, log_mel: torch.Tensor, texts: Sequence[str]) -> float:
        """Learn from one batch; return its loss."""
        torch.manual_seed(self.settings.seed + number)  # what is dropped out
        for group in self.optimiser.param_groups:
            group["lr"] = _rate(self.settings, number)
        self.network.train()
        logs = self.network(log_mel).log_softmax(2).transpose(0, 1)
        targets = [torch.tensor(encoded(text)) for text in texts]
        lengths = torch.tensor([len(target) for target in targets])
        given = torch.full((len(texts),), len(logs))
        loss = torch.nn.functional.ctc_loss(logs, torch.cat(targets), given, lengths, zero_infinity=True)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        return float(loss.detach())

    def save(self, file: Path, step: int) -> None:
        """Write the checkpoint, at once or not at all."""
        state = {
            "made_with": self.made_with(),
            "step": step,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "points": [point.as_list() for point in self.points],
            "losses": self.losses,
        }
        unfinished = file.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(file)

    def restore(self, file: Path) -> int:
        """Go back to a checkpoint; return the step that comes next."""
        state = torch.load(file, weights_only=True)
        if state["made_with"] != self.made_with():
            raise SystemExit(f"{file} was made with {state['made_with']}; resume it with these, or remove it")
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.points[:] = [Point(int(step), *rest) for step, *rest in state["points"]]
        self.losses[:] = state["losses"]
        return int(state["step"])

    def made_with(self) -> dict[str, Any]:
        return asdict(self.settings) | {"input": dict(preparation().settings)}


def _rate(settings: Settings, step: int) -> float:
    """Return the learning rate: up in the first tenth, then down along a cosine."""
    warm = max(settings.steps // 10, 1)
    if step < warm:
        return settings.peak_rate * (step + 1) / warm
    done = (step - warm) / max(settings.steps - warm, 1)
    return settings.peak_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)


@frozen(eq=False)
class HeldOut:
    """Strings that no step learns from, prepared."""

    groups: list[tuple[list[str], torch.Tensor]]

    @classmethod
    def of(cls, clips: Sequence[Any], texts: Sequence[str]) -> HeldOut:
        prepared = preparation()(clips)
        return cls([([texts[row] for row in rows], _tensor(tensors)) for rows, tensors in prepared])

    def shares(self, network: DigitNetwork) -> tuple[float, float]:
        """Return the shares of words and of whole strings that are right."""
        network.eval()
        with torch.inference_mode():
            heard = [text for _, log_mel in self.groups for text in read(network(log_mel))]
        said = [text for texts, _ in self.groups for text in texts]
        hits = jiwer.process_words(said, heard).hits
        right = [ours == theirs for ours, theirs in zip(said, heard, strict=True)]
        return hits / sum(len(text.split()) for text in said), float(np.mean(right))


def _tensor(tensors: Any) -> torch.Tensor:
    return torch.from_numpy(tensors["log_mel"])


class Stop:
    """Ends a training between two steps: when it is time, or when someone asks."""

    def __init__(self, minutes: float) -> None:
        self.asked = False
        self._end = time.monotonic() + 60 * minutes
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True

    def __bool__(self) -> bool:
        return self.asked or time.monotonic() >= self._end


def train(settings: Settings, folder: Path, recordings: Path | None, *, resume: bool, every: int, stop: Stop) -> bool:
    """Train, keep checkpoints and the curve, and export; False where it was ended early."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "training.pt"
    if checkpoint.exists() != resume:
        known = "there is one: --resume it, or remove it" if checkpoint.exists() else "there is none to resume"
        raise SystemExit(f"{checkpoint}: {known}")
    training, prepare = Training.begin(settings), preparation()
    learnt_from, held_out = Recordings("train", recordings), Recordings("test", recordings).held_out(HELD_OUT)
    checked = HeldOut.of(*held_out)
    step = training.restore(checkpoint) if resume else 0
    with _progress() as progress:
        bar = progress.add_task("training", total=settings.steps, completed=step, told="")
        while step < settings.steps and not stop:
            rng = np.random.default_rng([settings.seed, step])
            clips, texts = learnt_from.batch(rng, settings.batch)
            [(_, tensors)] = prepare(clips)
            training.losses.append(training.step(step, _tensor(tensors), texts))
            step += 1
            progress.update(bar, completed=step, told=_told(training.losses[-1], training.points))
            if step % every == 0 or step == settings.steps:
                loss = float(np.mean(training.losses))
                training.losses.clear()
                training.points.append(Point(step, loss, *checked.shares(training.network)))
                training.save(checkpoint, step)
                write(training.points, "Spoken digits: training", folder / "training.svg")
    training.save(checkpoint, step)
    words, strings = checked.shares(training.network)
    print(f"step {step} of {settings.steps}: {words:.2%} of held-out words and {strings:.1%} of strings are right")
    export(training.network, folder)
    return step == settings.steps


def _progress() -> Progress:
    columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.fields[told]}")
    return Progress(*columns, refresh_per_second=2)


def _told(loss: float, points: Sequence[Point]) -> str:
    held_out = f", {points[-1].strings:.1%} of held-out strings right" if points else ""
    return f"loss {loss:.3f}{held_out}"


def export(network: DigitNetwork, folder: Path) -> None:
    """Write digits.onnx, with any batch and length, and digits.json."""
    network.eval()
    unfinished = folder / "digits.part"
    with warnings.catch_warnings():
        # PyTorch's newer exporter needs onnxscript, too; this one warns that it is the older.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            (torch.zeros(1, 100, 40),),
            str(unfinished),
            input_names=["log_mel"],
            output_names=["logits"],
            dynamic_axes={"log_mel": {0: "n", 1: "frames"}, "logits": {0: "n", 1: "steps"}},
            opset_version=17,
            dynamo=False,
        )
    unfinished.replace(folder / "digits.onnx")
    input_table = preparation().settings
    told = {"input": dict(input_table), "charset": CHARSET, "blank": 0}
    (folder / "digits.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(f"{folder / 'digits.onnx'}: {(folder / 'digits.onnx').stat().st_size:,} bytes")


def main() -> int:
    """Read the command line, and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--resume", action="store_true", help="go on from FOLDER/training.pt")
    parser.add_argument("--minutes", type=float, default=math.inf, help="end then, to be resumed")
    parser.add_argument("--recordings", type=Path, help="the digits' folder; otherwise DLTF_DATA has fsdd_flac.npz")
    parser.add_argument("--every", type=int, default=100, help="steps between checkpoints (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="one where other work keeps the cores busy (default: 2)")
    for name, default in asdict(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    settings = Settings(**{name: getattr(args, name) for name in asdict(Settings())})
    stop = Stop(args.minutes)
    if train(settings, args.folder, args.recordings, resume=args.resume, every=args.every, stop=stop):
        return 0
    print("ended early; go on with --resume")
    return 130 if stop.asked else 0


if __name__ == "__main__":
    sys.exit(main())
