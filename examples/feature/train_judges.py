"""Train the small networks that a test of generated pictures needs: judges, and a simple model to be tested.

    python train_judges.py judges/mnist                   # digits: five minutes of one core
    python train_judges.py judges/fashion --data fashion  # clothes: eight

Judges decide whether a generated picture still shows what its seed shows. Those that a check asks (check-*.onnx) and
those that measure what came of it (measure-*.onnx) are different networks, trained apart. mlp90.onnx, of clothes
linear.onnx, is softmax regression, stopped after one pass: simple enough to fail. All take raw pictures, float32
[n, 1, 28, 28] in 0 … 255, and give ten logits. Two trainings on one machine give the same files, byte for byte.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from attrs import frozen
from torch import nn

from dltf_image.seeds.mnist import FashionMnist, Mnist

PICTURES = {"mnist": Mnist, "fashion": FashionMnist}


class Raw(nn.Module):
    """Takes pictures in 0 … 255, so that who asks a network need not know how it was trained."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        return self.network(picture / 127.5 - 1)


def _block(inputs: int, outputs: int, size: int, stride: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU()


def strided() -> nn.Module:
    """Wide kernels that step, and no pooling."""
    features = *_block(1, 24, 5, 2), *_block(24, 48, 5, 2), *_block(48, 64, 3)
    return nn.Sequential(*features, nn.Flatten(), nn.Dropout(0.2), nn.Linear(64 * 49, 10))


def pooled() -> nn.Module:
    """Narrow kernels, pooling, and a hidden layer."""
    features = *_block(1, 20, 3), nn.MaxPool2d(2), *_block(20, 40, 3), nn.MaxPool2d(2)
    head = nn.Linear(40 * 49, 96), nn.ReLU(), nn.Dropout(0.2), nn.Linear(96, 10)
    return nn.Sequential(*features, nn.Flatten(), *head)


def averaged() -> nn.Module:
    """Convolutions only; each class is the mean of a map."""
    first = *_block(1, 24, 3, 2), *_block(24, 48, 3), nn.MaxPool2d(2), *_block(48, 96, 3), *_block(96, 96, 3)
    return nn.Sequential(*first, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, 10))


def patches() -> nn.Module:
    """Patches of 4×4 pixels, each seen as a whole, and then their neighbourhoods."""
    features = nn.Conv2d(1, 64, 4, 4), nn.BatchNorm2d(64), nn.ReLU(), *_block(64, 96, 3), *_block(96, 64, 3)
    return nn.Sequential(
        *features, nn.Flatten(), nn.Linear(64 * 49, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10)
    )


def linear() -> nn.Module:
    """Softmax regression."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


@frozen
class Recipe:
    """How one network is made."""

    build: Callable[[], nn.Module]
    seed: int
    epochs: int
    rate: float = 4e-3
    shift: int = 2  # pixels; a whole batch is moved at a time
    mirrored: bool = False


RECIPES: dict[str, dict[str, Recipe]] = {
    "mnist": {
        "mlp90": Recipe(linear, 0, 1, rate=1.7e-3, shift=0),
        "check-strided": Recipe(strided, 11, 4),
        "check-pooled": Recipe(pooled, 12, 4),
        "measure-averaged": Recipe(averaged, 13, 4),
        "measure-patches": Recipe(patches, 14, 5),
    },
    "fashion": {
        "linear": Recipe(linear, 0, 1, rate=2e-3, shift=0),
        "check-strided": Recipe(strided, 21, 6, shift=1, mirrored=True),
        "check-pooled": Recipe(pooled, 22, 5, shift=1, mirrored=True),
        "measure-averaged": Recipe(averaged, 23, 6, shift=1, mirrored=True),
        "measure-patches": Recipe(patches, 24, 8, shift=1, mirrored=True),
    },
}


@frozen(eq=False)
class Pictures:
    """Raw pictures as float32 [n, 1, 28, 28], and their labels."""

    x: torch.Tensor
    labels: torch.Tensor

    @classmethod
    def of(cls, data: str, split: str) -> Pictures:
        seeds = PICTURES[data](split=split).open()
        found = [seeds[i] for i in range(len(seeds))]
        stacked = torch.from_numpy(np.stack([seed.sample for seed in found])).permute(0, 3, 1, 2)
        return cls(stacked.float().contiguous(), torch.tensor([seed.label for seed in found]))


def train(network: nn.Module, recipe: Recipe, pictures: Pictures, told: Callable[[str], None]) -> None:
    """Fit by AdamW under one cycle of the rate: up, and down to nothing."""
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=1e-3)
    epochs = [torch.randperm(len(pictures.x)).split(128) for _ in range(recipe.epochs)]
    steps = sum(map(len, epochs))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, total_steps=steps + 1, pct_start=0.3)
    network.train()
    for number, batches in enumerate(epochs, 1):
        began, total = time.monotonic(), 0.0
        for rows in batches:
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(network(_moved(pictures.x[rows], recipe)), pictures.labels[rows])
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(rows)
        mean, seconds = total / len(pictures.x), time.monotonic() - began
        told(f"epoch {number} of {recipe.epochs}: loss {mean:.4f}, {seconds:.0f} s")
    network.eval()


def _moved(x: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    """Shift, and perhaps mirror, a batch."""
    shift = tuple(torch.randint(-recipe.shift, recipe.shift + 1, (2,)).tolist())
    x = torch.roll(x, shift, (2, 3)) if any(shift) else x
    return x.flip(3) if recipe.mirrored and torch.rand(()) < 0.5 else x


def accuracy(network: nn.Module, pictures: Pictures) -> float:
    """Return the share that is answered right."""
    with torch.inference_mode():
        parts = zip(pictures.x.split(500), pictures.labels.split(500), strict=True)
        return sum(int((network(x).argmax(1) == y).sum()) for x, y in parts) / len(pictures.x)


def export(network: nn.Module, file: Path) -> None:
    """Write it as ONNX, with an open batch."""
    with warnings.catch_warnings():
        # PyTorch's newer exporter needs onnxscript, too; this one warns that it is the older.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            (torch.zeros(1, 1, 28, 28),),
            str(file),
            input_names=["picture"],
            output_names=["logits"],
            dynamic_axes={"picture": {0: "n"}, "logits": {0: "n"}},
            opset_version=17,
            dynamo=False,
        )


def make(folder: Path, data: str, names: Sequence[str]) -> dict[str, float]:
    """Train and export the named networks; return the accuracy of each on the test split."""
    learnt_from, held_out = Pictures.of(data, "train"), Pictures.of(data, "test")
    folder.mkdir(parents=True, exist_ok=True)
    right = {}
    for name in names:
        recipe = RECIPES[data][name]
        torch.manual_seed(recipe.seed)
        network = Raw(recipe.build())
        train(network, recipe, learnt_from, lambda text, name=name: print(f"{name}: {text}", flush=True))
        right[name] = accuracy(network, held_out)
        export(network, folder / f"{name}.onnx")
        share = f"{right[name]:.4f} on the {len(held_out.x):,} of the test split"
        print(f"{name}: accuracy {share}, written to {folder / name}.onnx", flush=True)
    return right


def main() -> None:
    """Read the command line, and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the files go")
    parser.add_argument("--data", choices=RECIPES, default="mnist")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="networks to make (default: all)")
    args = parser.parse_args()
    known = list(RECIPES[args.data])
    if unknown := [name for name in args.only or () if name not in known]:
        parser.error(f"--only {unknown[0]}: for {args.data} there are {', '.join(known)}")
    torch.set_num_threads(1)  # sums in one order
    torch.use_deterministic_algorithms(True)
    make(args.folder, args.data, args.only or known)


if __name__ == "__main__":
    main()
