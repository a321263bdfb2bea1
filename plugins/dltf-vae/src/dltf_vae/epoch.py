"""One pass over samples: the two losses, and the steps that lower them.

The likelihood is a normal distribution of variance 1/2 around the decoder's output, in pixels from −1 to 1: its
negative logarithm is the squared error summed over the picture, and a constant that is left out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from attrs import frozen

if TYPE_CHECKING:
    from torch import Tensor

    from dltf_vae.network import Network
    from dltf_vae.recipe import Recipe

_MEASURED = 500  # pictures at a time


@frozen
class Losses:
    """Means for each picture, in nats: squared error, KL divergence, and the first plus beta times the second."""

    reconstruction: float
    kl: float
    loss: float  # the negative ELBO where beta is 1, but for a constant

    @property
    def finite(self) -> bool:
        return math.isfinite(self.reconstruction) and math.isfinite(self.kl)


@frozen(eq=False)
class Part:
    """Rows of the data, int64 [n], and the noise that their posteriors are drawn with, float32 [n, k]."""

    data: Tensor
    rows: Tensor
    noise: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def batches(self, size: int) -> list[tuple[Tensor, Tensor]]:
        """Return the rows and their noise, batch by batch."""
        return list(zip(torch.split(self.rows, size), torch.split(self.noise, size), strict=True))


def train(network: Network, optimiser: torch.optim.Optimizer, part: Part, recipe: Recipe) -> Losses:
    """Step once for each batch; the losses are those before each step."""
    network.train()
    device = part.data.device
    sums = torch.zeros(2, dtype=torch.float64, device=device)
    half = recipe.precision == "bfloat16"
    for rows, noise in part.batches(recipe.batch):
        pixels = network.pixels(part.data[rows])
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            answer = network(pixels, noise)
        reconstruction, kl = _losses(pixels, *answer)
        optimiser.zero_grad(set_to_none=True)
        loss = (reconstruction + recipe.beta * kl) / len(rows)
        loss.backward()  # type: ignore[no-untyped-call]  # PyTorch's own has no types
        optimiser.step()
        sums += torch.stack([reconstruction.detach(), kl.detach()])
    return _mean(sums, len(part), recipe.beta)


@torch.inference_mode()
def measure(network: Network, part: Part, beta: float) -> tuple[Losses, Tensor]:
    """Return the losses in evaluation mode and full precision, and the means of the codes, float64 [n, k]."""
    network.eval()
    sums = torch.zeros(2, dtype=torch.float64, device=part.data.device)
    means = []
    for rows, noise in part.batches(_MEASURED):
        pixels = network.pixels(part.data[rows])
        answer = network(pixels, noise)
        sums += torch.stack(_losses(pixels, *answer))
        means.append(answer[1].double().cpu())
    return _mean(sums, len(part), beta), torch.cat(means)


def _losses(pixels: Tensor, answer: Tensor, mean: Tensor, log_variance: Tensor) -> tuple[Tensor, Tensor]:
    reconstruction = (answer - pixels).square().sum()
    kl = (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2
    return reconstruction, kl


def _mean(sums: Tensor, n: int, beta: float) -> Losses:
    reconstruction, kl = (sums / n).tolist()
    return Losses(reconstruction, kl, reconstruction + beta * kl)
