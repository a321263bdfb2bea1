"""The file of a trained VAE: weights and facts, read without unpickling anything but tensors and plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from attrs import frozen

from dltf.plugin import ModelFileError
from dltf_vae.network import Network

if TYPE_CHECKING:
    from torch import Tensor

    from dltf.plugin import FloatArray

_FORMAT = "dltf-vae 1"
INACTIVE = 0.01  # variance of a mean over the training samples, up to which its dimension tells nothing


@frozen(eq=False)
class Artefact:
    """A VAE: its sizes, its weights, the variance of each mean over the samples [k], and what it was made of."""

    shape: tuple[int, int, int]
    maps: int
    width: int
    weights: Mapping[str, Tensor]
    variances: FloatArray
    facts: Mapping[str, Any]

    def network(self) -> Network:
        """Return the network with these weights, in evaluation mode."""
        with torch.random.fork_rng(devices=[]):  # the weights that it begins with are drawn, and given up at once
            network = Network(self.shape, self.maps, self.width)
        network.load_state_dict(dict(self.weights))
        return network.eval()


def save_artefact(artefact: Artefact, file: Path) -> None:
    """Write it in one step: whoever reads the file finds the old one or the new one, whole."""
    write_whole(
        {
            "format": _FORMAT,
            "shape": list(artefact.shape),
            "maps": artefact.maps,
            "width": artefact.width,
            "weights": {name: tensor.detach().cpu().clone() for name, tensor in artefact.weights.items()},
            "variances": torch.from_numpy(np.asarray(artefact.variances, np.float64).copy()),
            "facts": dict(artefact.facts),
        },
        file,
    )


def load_artefact(file: Path) -> Artefact:
    """Read one; raise `ModelFileError` where there is none, or none of this form, or its weights were altered."""
    found = _read(file)
    if found.get("format") != _FORMAT:
        told = f'its format is "{found["format"]}"' if "format" in found else "it states no format"
        raise ModelFileError(
            f'{file} is no VAE that this version reads: {told}, not "{_FORMAT}"', hint="train it again: dltf vae train"
        )
    try:
        artefact = Artefact(
            shape=tuple(found["shape"]),
            maps=found["maps"],
            width=found["width"],
            weights=found["weights"],
            variances=found["variances"].numpy(),
            facts=found["facts"],
        )
        artefact.network()
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelFileError(f"{file} is broken: {reason}", hint="train it again: dltf vae train") from error
    if weights_digest(artefact.weights) != artefact.facts.get("weights"):
        raise ModelFileError(
            f"{file}: its weights are not those whose sha256 it states", hint="train it again: dltf vae train"
        )
    return artefact


def check_active(artefact: Artefact, file: Path) -> None:
    """Raise `ModelFileError` where no dimension tells samples apart."""
    if artefact.facts["active"] == 0:
        raise ModelFileError(
            f"{file} has collapsed: none of its {artefact.facts['latent']} dimensions tells samples apart "
            f"(the variance of every mean is at most {INACTIVE:g})",
            hint=f"train it with a lower beta than {artefact.facts['training']['beta']:g}, more epochs, "
            "or a lower learning_rate",
        )


def weights_digest(weights: Mapping[str, Tensor]) -> str:
    """Return the sha256 of names, dtypes, shapes and values, in the order of names: the same on every device."""
    whole = hashlib.sha256()
    for name in sorted(weights):
        array = weights[name].detach().cpu().contiguous().numpy()
        whole.update(f"{name} {array.dtype.str}{array.shape}".encode() + array.tobytes())
    return whole.hexdigest()


def write_whole(content: Mapping[str, Any], file: Path) -> None:
    """Save with PyTorch, in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    torch.save(dict(content), part)
    part.replace(file)


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise ModelFileError(f"there is no {file}", hint="make it: dltf vae train PROFILE")
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # its exceptions have no common base
        raise ModelFileError(
            f"{file} is no file of weights and plain values that PyTorch reads", hint="make it: dltf vae train PROFILE"
        ) from error
    if not isinstance(found, dict):
        raise ModelFileError(f"{file} holds no VAE", hint="make it: dltf vae train PROFILE")
    return found
