"""The network: 1-D separable convolutions with CTC, as QuartzNet has them, small enough for two cores."""

from __future__ import annotations

from itertools import groupby

import torch
from torch import nn

CHARSET = ("-", " ", *"efghinorstuvwxz")
"""The blank, the space, and the letters of zero to nine."""
KERNELS = (11, 13, 15, 17)
BANDS = 40


def separable(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution along time for each channel, then one across channels, normalised."""
    return nn.Sequential(
        nn.Conv1d(inputs, inputs, kernel, stride, kernel // 2, groups=inputs, bias=False),
        nn.Conv1d(inputs, outputs, 1, bias=False),
        nn.BatchNorm1d(outputs),
    )


class Block(nn.Module):
    """Two separable convolutions, and a way around them."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.first = separable(channels, channels, kernel)
        self.second = separable(channels, channels, kernel)
        self.drop = nn.Dropout(0.1)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        inner = self.drop(torch.relu(self.first(seen)))
        return self.drop(torch.relu(seen + self.second(inner)))


class DigitNetwork(nn.Module):
    """Log-mel [n, frames, 40] → logits [n, frames / 2, 17], for any n and any number of frames."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter = separable(BANDS, channels, 11, stride=2)
        self.blocks = nn.Sequential(*(Block(channels, kernel) for kernel in KERNELS))
        self.leave = separable(channels, channels, 19)
        self.classes = nn.Conv1d(channels, len(CHARSET), 1)

    def forward(self, log_mel: torch.Tensor) -> torch.Tensor:
        seen = ((log_mel + 7) / 5).transpose(1, 2)  # −13.8 is digital silence; loud speech is about 5
        seen = self.blocks(torch.relu(self.enter(seen)))
        return self.classes(torch.relu(self.leave(seen))).transpose(1, 2)


def encoded(text: str) -> list[int]:
    """Return the classes of a text's characters."""
    return [CHARSET.index(character) for character in text]


def read(logits: torch.Tensor) -> list[str]:
    """Return what the best class of each frame says, without repeats and blanks."""
    texts = ("".join(CHARSET[best] for best, _ in groupby(row) if best) for row in logits.argmax(dim=2).tolist())
    return [" ".join(text.split()) for text in texts]
