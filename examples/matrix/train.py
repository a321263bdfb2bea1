"""Train a small convolutional network, and export it as a .pt2 file with an open batch: what a matrix begins with.

    python train.py digits.pt2                            # scikit-learn's digits, in seconds, nothing to download
    python train.py fashion.pt2 --pictures fashion_mnist  # clothes, about a minute

Two trainings on one machine give the same file, byte for byte.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn

from dltf_image.seeds.digits import Digits
from dltf_image.seeds.mnist import FashionMnist, Mnist

PICTURES = {"digits": (Digits, 25), "mnist": (Mnist, 2), "fashion_mnist": (FashionMnist, 2)}
"""For each set, where it comes from, and how often the training looks at each picture."""


class Network(nn.Module):
    """Two convolutions with batch normalisation and two linear layers: grey pictures of `size`² to ten scores."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        )
        self.head = nn.Sequential(nn.Linear(32 * (size // 4) ** 2, 64), nn.ReLU(), nn.Linear(64, 10))

    def logits(self, picture: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(picture).flatten(1))

    def forward(self, picture: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"scores": torch.softmax(self.logits(picture), 1)}


def pictures(name: str, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pictures as float32 [n, 1, height, width] in [0, 1], and their labels."""
    seeds = PICTURES[name][0](split=split).open()
    found = [seeds[i] for i in range(len(seeds))]
    stacked = np.stack([seed.sample for seed in found]).astype(np.float32) / 255
    return torch.tensor(stacked).permute(0, 3, 1, 2).contiguous(), torch.tensor([seed.label for seed in found])


def train(network: Network, x: torch.Tensor, labels: torch.Tensor, epochs: int) -> None:
    """Fit by Adam, with a rate that falls to nothing."""
    batches = [torch.randperm(len(x)).split(64) for _ in range(epochs)]
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.01, sum(map(len, batches)))
    for rows in (rows for epoch in batches for rows in epoch):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network.logits(x[rows]), labels[rows]).backward()
        optimiser.step()
        schedule.step()


def main() -> None:
    """Train, measure, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, metavar="FILE.pt2")
    parser.add_argument("--pictures", choices=PICTURES, default="digits")
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)  # sums in one order
    torch.use_deterministic_algorithms(True)
    x, labels = pictures(args.pictures, "train")
    network = Network(x.shape[-1])
    train(network, x, labels, PICTURES[args.pictures][1])
    network.eval()
    held_out, truth = pictures(args.pictures, "test")
    with torch.inference_mode():
        right = sum(
            int((network.logits(x).argmax(1) == y).sum())
            for x, y in zip(held_out.split(500), truth.split(500), strict=True)
        )
    print(f"trained on {len(x)} pictures: accuracy {right / len(truth):.4f} on the {len(truth)} of the test split")
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(network, (torch.zeros_like(held_out[:2]),), dynamic_shapes={"picture": {0: batch}})
    args.file.parent.mkdir(parents=True, exist_ok=True)
    torch.export.save(program, args.file)
    print(f"wrote {args.file} ({args.file.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
