"""What a training needs to go on as if it had never stopped: weights, optimiser, course.

Random numbers are drawn from a stream for each epoch, so no state of theirs is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from attrs import frozen

from dltf.plugin import MisfitError, ModelFileError
from dltf_vae.artefact import write_whole
from dltf_vae.course import Course, course_of

if TYPE_CHECKING:
    from dltf_vae.network import Network

_FORMAT = "dltf-vae checkpoint 1"


@frozen(eq=False)
class State:
    """A training between two epochs; `identity` is what has to be equal for it to go on."""

    network: Network
    optimiser: torch.optim.Optimizer
    course: Course
    identity: Mapping[str, Any]


def checkpoint_of(file: Path) -> Path:
    """Return where the checkpoint of an artefact lies."""
    return file.with_name(f"{file.name}.checkpoint")


def save_checkpoint(state: State, file: Path) -> None:
    """Write it beside the artefact, in one step."""
    content = {
        "format": _FORMAT,
        "network": state.network.state_dict(),
        "optimiser": state.optimiser.state_dict(),
        "course": state.course.record(),
        "identity": dict(state.identity),
    }
    write_whole(content, checkpoint_of(file))


def load_checkpoint(
    file: Path, network: Network, optimiser: torch.optim.Optimizer, identity: Mapping[str, Any]
) -> Course:
    """Put the state into network and optimiser, and return the course; raise where it is of another training."""
    path = checkpoint_of(file)
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        kept = found["identity"] if found["format"] == _FORMAT else None
    except Exception as error:  # PyTorch's exceptions have no common base
        raise ModelFileError(f"{path} is no checkpoint of a VAE", hint="remove it and train anew") from error
    if kept is None:
        raise ModelFileError(f"{path} is from another version", hint="remove it and train anew")
    differing = [
        f"{key} was {kept.get(key)!r} and is {identity.get(key)!r}"
        for key in {**kept, **identity}
        if kept.get(key) != identity.get(key)
    ]
    if differing:
        raise MisfitError(
            f"{path} is of another training: {'; '.join(differing)}",
            hint="resume with the profile that it was begun with, or name another file",
        )
    network.load_state_dict(found["network"])
    optimiser.load_state_dict(found["optimiser"])
    return course_of(found["course"])
