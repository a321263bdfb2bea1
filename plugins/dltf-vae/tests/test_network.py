"""The network and its two losses."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dltf_vae.epoch import Part, measure
from dltf_vae.network import Network, padding


@pytest.mark.parametrize(
    ("shape", "grid"),
    [
        ((32, 32, 3), (8, 2, 2)),  # 32 → 16 → 8 → 4 → 2
        ((28, 28, 1), (8, 2, 2)),  # padded to 32
        ((64, 32, 3), (8, 10, 2)),  # 64 → 32 → 16 → 12 → 10
        ((4, 5, 1), (8, 2, 2)),
    ],
)
def test_the_grid_is_that_of_a_dry_run(shape, grid):
    network = Network(shape, maps=8, width=4)
    assert network.grid == grid
    assert network.latent == math.prod(grid)


@given(height=st.integers(4, 70), width=st.integers(4, 70), channels=st.sampled_from([1, 3]))
def test_pictures_of_any_size_come_back_in_it(height, width, channels):
    network = Network((height, width, channels), maps=1, width=1).eval()
    samples = torch.zeros(2, height, width, channels, dtype=torch.uint8)
    with torch.no_grad():
        mean, log_variance = network.encode(network.pixels(samples))
        assert mean.shape == log_variance.shape == (2, network.latent)
        assert network.decode(mean).shape == (2, channels, height, width)


def test_28_pixels_are_padded_by_their_border_on_all_sides():
    assert padding(28, 28) == (2, 2, 2, 2)
    assert padding(32, 33) == (1, 2, 0, 0)


def test_bytes_become_minus_one_to_one():
    network = Network((28, 28, 1), maps=1, width=1)
    levels = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(3, 1, 1, 1)
    assert network.pixels(levels).flatten().tolist() == pytest.approx([-1.0, -0.6, 1.0])


def test_codes_are_not_normalised_over_their_batch():
    network = Network((28, 28, 1), maps=2, width=4)
    assert isinstance(network.encoder[-1], torch.nn.Conv2d)
    assert sum(isinstance(layer, torch.nn.BatchNorm2d) for layer in network.modules()) == 6


class ByHand(torch.nn.Module):
    """Says of every picture: grey, mean (1, 0), log-variance (0, log 4)."""

    def pixels(self, samples):
        return samples.float() / 255

    def forward(self, pixels, noise):
        n = len(pixels)
        return (
            torch.full_like(pixels, 0.5),
            torch.tensor([[1.0, 0.0]]).repeat(n, 1),
            torch.tensor([[0.0, math.log(4)]]).repeat(n, 1),
        )


def test_losses_worked_by_hand():
    # Two pictures of two pixels, (0, 255) and (0, 0): each pixel is 0.5 off, so 2 · 0.25 a picture.
    # KL = Σ (μ² + σ² − 1 − log σ²) / 2 = (1 + 1 − 1 − 0) / 2 + (0 + 4 − 1 − log 4) / 2.
    data = torch.tensor([[0, 255], [0, 0]], dtype=torch.uint8)
    losses, means = measure(ByHand(), Part(data, torch.tensor([0, 1]), torch.zeros(2, 2)), beta=0.5)
    kl = 0.5 + (3 - math.log(4)) / 2
    assert losses.reconstruction == pytest.approx(0.5)
    assert losses.kl == pytest.approx(kl)
    assert losses.loss == pytest.approx(0.5 + kl / 2)
    assert means.tolist() == [[1.0, 0.0]] * 2
