"""Real pairs of models, where the folder that DLTF_DATA names has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "dflare"


def data() -> Path:
    """Return the folder of data, or skip the test with the cure."""
    named = os.environ.get("DLTF_DATA")
    if not named or not (Path(named) / "models").is_dir():
        pytest.skip("real models are not here: set DLTF_DATA to a folder that has models/ and mnist.npz")
    return Path(named)
