"""Where the models for these tests are."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from tiny_tflite import BIAS, WEIGHTS, TinyModels


@pytest.fixture
def tiny(tmp_path: Path) -> TinyModels:
    return TinyModels(tmp_path)


@pytest.fixture
def dense_answers() -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: x @ WEIGHTS.T + BIAS


@pytest.fixture
def data() -> Path:
    if "DLTF_DATA" not in os.environ:
        pytest.skip("needs the public models: set DLTF_DATA to their folder")
    return Path(os.environ["DLTF_DATA"])


@pytest.fixture
def cifar10(data: Path) -> Mapping[str, np.ndarray]:
    """The first 300 test pictures, uint8 [300, 32, 32, 3], and their labels."""
    cv2 = pytest.importorskip("cv2", reason="decodes the pictures: pip install opencv-python-headless")
    with np.load(data / "cifar10_jpeg.npz") as arrays:
        stream, offsets, labels = arrays["jpeg_test"], arrays["offsets_test"], arrays["y_test"][:300]
    pictures = [cv2.imdecode(stream[offsets[i] : offsets[i + 1]], cv2.IMREAD_COLOR)[:, :, ::-1] for i in range(300)]
    return {"pictures": np.stack(pictures), "labels": labels}
