"""The generator `vae`: what `dltf vae train` made, opened."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import Factory, field, frozen
from attrs.validators import ge

from dltf_vae.recipe import Device, Recipe

if TYPE_CHECKING:
    from dltf_vae.latent import VaeSpace


@frozen
class Vae:
    """A convolutional VAE in one file; the table `train` says how it is made, and is not read to open it.

    Codes are those of one device and number of threads: others may round the last bits differently.
    """

    file: Path  # what `dltf vae train` writes, and everything else reads
    device: Device = "cpu"  # for codes and pictures; "auto": cuda where there is one
    threads: int = field(default=1, validator=ge(1))  # for codes and pictures
    train: Recipe = Factory(Recipe)  # how it is trained: a table of its own, [generator.train]

    def open(self) -> VaeSpace:
        from dltf_vae.latent import open_vae

        return open_vae(self)

    def versions(self) -> Mapping[str, str]:
        return {"dltf-vae": version("dltf-vae"), "torch": version("torch")}
