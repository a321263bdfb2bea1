"""The door for authors of plugins: import from here, and from nowhere else in `dltf`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dltf.component import Component
from dltf.contracts import (
    Codec,
    Decoder,
    Domain,
    Geometry,
    ModelBackend,
    MutationOperator,
    OperatorPreset,
    Oracle,
    Preprocess,
    Preview,
    Runner,
    Search,
    SearchStrategy,
    Seeds,
    SeedSource,
    Tensors,
)
from dltf.errors import (
    DltfError,
    MisfitError,
    MissingPackageError,
    ModelFileError,
    RuntimeFailedError,
    SeedError,
    SeedSourceError,
    TargetUnavailableError,
    nearest,
)
from dltf.hookspecs import hookimpl
from dltf.joining import Joined, Joins
from dltf.values import (
    Briefing,
    CampaignProgress,
    CampaignStarted,
    Finding,
    Observations,
    Plans,
    Quantisation,
    Seed,
    Target,
    TensorSpec,
    Turn,
    Verdicts,
)

if TYPE_CHECKING:
    from dltf.values import Batch, BoolArray, Draws, FloatArray, IntArray, Sample, Stream

__all__ = [
    "Batch",
    "BoolArray",
    "Briefing",
    "CampaignProgress",
    "CampaignStarted",
    "Codec",
    "Component",
    "Decoder",
    "DltfError",
    "Domain",
    "Draws",
    "Finding",
    "FloatArray",
    "Geometry",
    "IntArray",
    "Joined",
    "Joins",
    "MisfitError",
    "MissingPackageError",
    "ModelBackend",
    "ModelFileError",
    "MutationOperator",
    "Observations",
    "OperatorPreset",
    "Oracle",
    "Plans",
    "Preprocess",
    "Preview",
    "Quantisation",
    "Runner",
    "RuntimeFailedError",
    "Sample",
    "Search",
    "SearchStrategy",
    "Seed",
    "SeedError",
    "SeedSource",
    "SeedSourceError",
    "Seeds",
    "Stream",
    "Target",
    "TargetUnavailableError",
    "TensorSpec",
    "Tensors",
    "Turn",
    "Verdicts",
    "hookimpl",
    "nearest",
]
