"""Real pairs of models, where the folder that DLTF_DATA names has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def data() -> Path:
    """Return the folder of data, or skip the test with the cure."""
    named = os.environ.get("DLTF_DATA")
    if not named or not (Path(named) / "models").is_dir():
        pytest.skip("real models are not here: set DLTF_DATA to a folder that has models/ and mnist.npz")
    return Path(named)


DFLARE = """
[campaign]
name = "{name}"
domain = "image"

[seeds]
use = "image.{seeds}"
count = {count}

[models.reference]
backend = "{reference_backend}"
file = "${{DLTF_DATA}}/models/{reference}"
{input}

[models.candidate]
backend = "tflite"
file = "${{DLTF_DATA}}/models/{candidate}"
{candidate_input}

[search]
use = "dflare"
fitness = "{rules}"
selection = "{rules}"
max_queries = {max_queries}

[[operators]]
preset = "image.dflare-{rules}"
"""

_CIFAR = """
[models.{role}.input]
range = [0.0, 255.0]
mean = [125.307, 122.95, 113.865]
std = [62.9932, 62.0887, 66.7048]
"""


def lenet5(*, count: int = 200, max_queries: int = 10_000, rules: str = "released") -> str:
    """DFlare's LeNet-5: float on ONNX Runtime, 8-bit on LiteRT."""
    return DFLARE.format(
        name="lenet5",
        seeds="mnist",
        count=count,
        reference_backend="onnxruntime",
        reference="dflare/lenet5.onnx",
        candidate="dflare/lenet5-quan.lite",
        input="",
        candidate_input="",
        rules=rules,
        max_queries=max_queries,
    )


def resnet20(*, count: int = 200, max_queries: int = 10_000, rules: str = "released") -> str:
    """DFlare's ResNet-20: float on ONNX Runtime, 8-bit on LiteRT."""
    return DFLARE.format(
        name="resnet20",
        seeds="cifar10_jpeg",
        count=count,
        reference_backend="onnxruntime",
        reference="dflare/resnet.onnx",
        candidate="dflare/resnet-quan.lite",
        input=_CIFAR.format(role="reference"),
        candidate_input=_CIFAR.format(role="candidate"),
        rules=rules,
        max_queries=max_queries,
    )


def resnet8(*, count: int, max_queries: int) -> str:
    """MLPerf Tiny's ResNet-8, float against 8-bit, both on LiteRT; raw pixels go in."""
    return DFLARE.format(
        name="resnet8",
        seeds="cifar10_jpeg",
        count=count,
        reference_backend="tflite",
        reference="mlperf_tiny/pretrainedResnet.tflite",
        candidate="mlperf_tiny/pretrainedResnet_quant.tflite",
        input="[models.reference.input]\nrange = [0.0, 255.0]",
        candidate_input="",
        rules="released",
        max_queries=max_queries,
    )
