"""Small models, made on the spot, and what an attacker would make of them."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.export.pt2_archive import PT2ArchiveWriter

if TYPE_CHECKING:
    from collections.abc import Callable

OPEN = torch.export.Dim("batch", min=1)


class Dense(nn.Module):
    """y = 2x + [0, 1, 2], of three columns."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.linear.weight.data = torch.diag(torch.tensor([2.0, 2.0, 2.0]))
        self.linear.bias.data = torch.tensor([0.0, 1.0, 2.0])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x)


class Models:
    """Writes models to a folder; each method returns the file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, name: str, module: nn.Module, inputs: tuple[Any, ...], shapes: Any = None, *, train=False) -> Path:
        """Export a module, in evaluation mode unless it says otherwise."""
        program = torch.export.export(module.train(train), inputs, dynamic_shapes=shapes)
        file = self.folder / f"{name}.pt2"
        torch.export.save(program, file)
        return file

    def dense(self, batch: int | None = None) -> Path:
        """Export `Dense` with an open batch, or a fixed one."""
        shapes = None if batch else {"x": {0: OPEN}}
        return self.save(f"dense_{batch}", Dense(), (torch.zeros(batch or 2, 3),), shapes)

    def state(self, name: str = "dense.pt", **more: Any) -> Path:
        """Save the state dict of `Dense`, alone or in a checkpoint."""
        state = Dense().state_dict()
        torch.save({**more, "state_dict": state} if more else state, self.folder / name)
        return self.folder / name

    def factory(self, name: str, source: str) -> dict[str, Any]:
        """Write a module with `build`, and return the settings that name it."""
        (self.folder / f"{name}.py").write_text(f"import torch\nfrom torch import nn\n{source}\n")
        return {"factory": f"{name}:build", "path": self.folder, "input_shapes": {"x": (3,)}}

    def zipped(self, name: str) -> zipfile.ZipFile:
        """Begin an archive of one's own."""
        return zipfile.ZipFile(self.folder / name, "w")

    def rewrite(self, file: Path, name: str, changes: dict[str, Any]) -> Path:
        """Copy an archive with other records: bytes in place of one, or a function of its JSON."""
        with zipfile.ZipFile(file) as archive:
            names = [entry.partition("/")[2] for entry in archive.namelist()]
            records = {entry: archive.read(f"{file.stem}/{entry}") for entry in names if not entry.startswith(".data")}
        for record, change in changes.items():
            if callable(change):
                content = json.loads(records[record])
                records[record] = json.dumps(change(content) or content).encode()
            else:
                records[record] = change
        target = self.folder / f"{name}.pt2"
        with PT2ArchiveWriter(str(target)) as writer:
            for record, content in records.items():
                writer.write_bytes(record, content)
        return target


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path)


@pytest.fixture
def rows() -> Callable[[int], np.ndarray]:
    return lambda n: np.random.default_rng(n).random((n, 3), dtype=np.float32)


@pytest.fixture
def data() -> Path:
    if "DLTF_DATA" not in os.environ:
        pytest.skip("needs the public models: set DLTF_DATA to their folder")
    return Path(os.environ["DLTF_DATA"])
