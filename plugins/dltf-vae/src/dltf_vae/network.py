"""The convolutional VAE of the dissertation and of HDA: four convolutions, and four transposed ones back.

Kernel, stride and padding are 4-2-1, 4-2-1, 5-1-0 and 3-1-0, with batch normalisation and ReLU between them. What is
normalised over a batch would make a code depend on its batch-mates, so the mean and the log-variance are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

_LAYERS = ((4, 2, 1), (4, 2, 1), (5, 1, 0), (3, 1, 0))  # kernel, stride, padding
_MULTIPLE = 4  # the two strides of 2
_LEAST = 28  # pixels, before padding: below, the last kernels find too few
LEVELS = 255


class Network(nn.Module):
    """Pictures as bytes [n, h, w, c] to `maps` maps of means and log-variances, and flat codes [n, k] back."""

    def __init__(self, shape: Sequence[int], maps: int, width: int) -> None:
        super().__init__()
        height, wide, channels = shape
        self.shape = (height, wide, channels)
        self.pads = padding(height, wide)
        self.encoder = _encoder(channels, width, 2 * maps)
        self.decoder = _decoder(maps, width, channels)
        self.grid = self._grid(maps)
        self.latent = self.grid[0] * self.grid[1] * self.grid[2]

    def _grid(self, maps: int) -> tuple[int, int, int]:
        """Ask a dry run for the size of the maps."""
        left, right, top, bottom = self.pads
        height, wide, channels = self.shape
        with torch.no_grad():
            dry = self.encoder.eval()(torch.zeros(1, channels, height + top + bottom, wide + left + right))
        self.encoder.train()
        return maps, int(dry.shape[2]), int(dry.shape[3])

    def on(self, device: torch.device) -> Network:
        """Move it to a device, its channels last, which is how its kernels are quickest."""
        moved: Any = self.to(device)  # PyTorch's types know no memory_format here
        network: Network = moved.to(memory_format=torch.channels_last)
        return network

    def pixels(self, samples: Tensor) -> Tensor:
        """Return uint8 [n, h, w, c] as float32 [n, c, h, w] from −1 to 1."""
        return samples.permute(0, 3, 1, 2).to(torch.float32).mul(2 / LEVELS).sub(1)

    def encode(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the means and log-variances of [n, c, h, w], both float32 [n, k]."""
        padded = functional.pad(pixels, self.pads, mode="replicate") if any(self.pads) else pixels
        mean, log_variance = self.encoder(padded.contiguous(memory_format=torch.channels_last)).float().chunk(2, dim=1)
        return mean.flatten(1), log_variance.flatten(1)

    def decode(self, codes: Tensor) -> Tensor:
        """Return float32 [n, c, h, w] from −1 to 1 for codes [n, k]."""
        left, _, top, _ = self.pads
        height, wide, _ = self.shape
        maps = codes.reshape(-1, *self.grid).contiguous(memory_format=torch.channels_last)
        pixels: Tensor = self.decoder(maps).float()
        return pixels[:, :, top : top + height, left : left + wide]

    def forward(self, pixels: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the reconstruction from one draw of the posterior, the means and the log-variances."""
        mean, log_variance = self.encode(pixels)
        return self.decode(mean + noise * torch.exp(log_variance / 2)), mean, log_variance


def padding(height: int, width: int) -> tuple[int, int, int, int]:
    """Return left, right, top and bottom: to a multiple of 4 that leaves the last kernels something, 28 → 32."""
    across, down = (_padded(size) - size for size in (width, height))
    return across // 2, across - across // 2, down // 2, down - down // 2


def _padded(size: int) -> int:
    wanted = max(size, _LEAST + _MULTIPLE)
    return -(-wanted // _MULTIPLE) * _MULTIPLE


def _encoder(channels: int, width: int, out: int) -> nn.Sequential:
    sizes = (channels, width, width, width, out)
    layers: list[nn.Module] = []
    for i, (kernel, stride, pad) in enumerate(_LAYERS):
        layers.append(nn.Conv2d(sizes[i], sizes[i + 1], kernel, stride, pad))
        layers += _between(width) if i < len(_LAYERS) - 1 else []
    return nn.Sequential(*layers)


def _decoder(maps: int, width: int, channels: int) -> nn.Sequential:
    sizes = (maps, width, width, width, channels)
    layers: list[nn.Module] = []
    for i, (kernel, stride, pad) in enumerate(reversed(_LAYERS)):
        layers.append(nn.ConvTranspose2d(sizes[i], sizes[i + 1], kernel, stride, pad))
        layers += _between(width) if i < len(_LAYERS) - 1 else [nn.Tanh()]
    return nn.Sequential(*layers)


def _between(width: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(width), nn.ReLU()]
