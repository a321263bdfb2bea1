"""How a VAE is trained: the table `[generator.train]`."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import ge, gt, le, lt

Device = Literal["auto", "cpu", "cuda"]


@frozen
class Recipe:
    """Sizes, loss and pace. With the defaults one idle core trains on MNIST in about twenty minutes."""

    maps: int = field(default=8, validator=ge(1))  # latent maps; on 32×32 pixels each is 2×2
    width: int = field(default=32, validator=ge(1))  # channels of the convolutions between
    beta: float = field(default=1.0, validator=ge(0))  # weight of the KL divergence
    epochs: int = field(default=50, validator=ge(1))  # at most
    patience: int = field(default=8, validator=ge(1))  # epochs without a better ELBO of what is held out
    batch: int = field(default=128, validator=ge(2))  # pictures in a step
    learning_rate: float = field(default=1e-3, validator=gt(0))  # of Adam
    schedule: Literal["cosine", "constant"] = "cosine"  # of the learning rate, to zero after `epochs`
    held_out: float = field(default=0.1, validator=[gt(0), lt(1)])  # share of the samples that the ELBO is measured on
    precision: Literal["float32", "bfloat16"] = "float32"  # of convolutions while training, by autocast
    device: Device = "auto"  # cuda where there is one
    threads: int = field(default=1, validator=[ge(1), le(1024)])  # of the training
