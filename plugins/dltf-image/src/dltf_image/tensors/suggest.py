"""Settings for a model that comes without a profile: what its file tells, and what can only be guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from attrs import evolve

from dltf.plugin import MisfitError, Suggestion, only_input
from dltf_image.tensors.plan import plan
from dltf_image.tensors.settings import Layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Sample, TensorSpec
    from dltf_image.tensors.plan import Plan
    from dltf_image.tensors.settings import ImageInput

_IMAGENET: dict[str, Any] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def suggest(specs: Sequence[TensorSpec], settings: ImageInput, samples: Sequence[Sample]) -> list[Suggestion]:
    """Return ways to prepare these pictures for a model, the likeliest first.

    Layout, colour and size are read from the shape, and a quantised input says what its grey levels are. What a float
    input takes for black and white no file tells: 0 … 1, 0 … 255, -1 … 1, and ImageNet's mean and deviation are
    offered.
    """
    spec = only_input(specs)
    suggestions = []
    for settled, because in _laid_out(spec, settings):
        fitted, told = _fitted(spec, settled, samples, plan(spec, settled))
        for scaled, why in _scaled(spec, fitted):
            suggestions.append(Suggestion(scaled, because | told | why))
    return suggestions


def _laid_out(spec: TensorSpec, settings: ImageInput) -> list[tuple[ImageInput, dict[str, str]]]:
    if settings.layout is not None:
        return [(settings, {})]
    try:
        layout = plan(spec, settings).layout
    except MisfitError:
        if len(spec.shape) != 4:
            raise
        guesses = [evolve(settings, layout=layout) for layout in get_args(Layout)]
        why = {"layout": f"guessed: {spec} could be either"}
        return [(guess, why) for guess in guesses if _fits(spec, guess)]
    return [(evolve(settings, layout=layout), {"layout": f"read from the shape of {spec}"})]


def _fits(spec: TensorSpec, settings: ImageInput) -> bool:
    try:
        plan(spec, settings)
    except MisfitError:
        return False
    return True


def _fitted(
    spec: TensorSpec, settings: ImageInput, samples: Sequence[Sample], planned: Plan
) -> tuple[ImageInput, dict[str, str]]:
    """Convert and resize where the pictures are of other channels or sizes."""
    because = {}
    channels = {sample.shape[2] for sample in samples}
    if settings.colour is None and channels - {planned.channels}:
        settings = evolve(settings, colour=planned.colour)
        told = " and ".join(str(count) for count in sorted(channels))
        because["colour"] = f"guessed: the seeds have {told} channels, and the model takes {planned.channels}"
    sizes = {sample.shape[:2] for sample in samples}
    if settings.resize is None and None not in (planned.height, planned.width):
        others = sizes - {(planned.height, planned.width)}
        if others:
            settings = evolve(settings, resize="bilinear")
            told = f"{len(others)} sizes" if len(others) > 1 else "×".join(map(str, next(iter(others))))
            because["resize"] = f"guessed: seeds are of {told}, and the model takes {planned.height}×{planned.width}"
    return settings, because


def _scaled(spec: TensorSpec, settings: ImageInput) -> list[tuple[ImageInput, dict[str, str]]]:
    given = [key for key in ("range", "mean", "std") if getattr(settings, key) is not None]
    if given:
        return [(settings, {})]
    if not spec.dtype.startswith("float"):
        told = "the quantisation" if spec.quantisation is not None else "the dtype"
        return [(settings, {"range": f"read from {told} of {spec}"})]
    why = {"range": "guessed: a float input does not say what black and white are"}
    ranges = ((0.0, 1.0), (0.0, 255.0), (-1.0, 1.0))
    offered = [(evolve(settings, range=limits), why) for limits in ranges]
    if plan(spec, settings).channels == 3:
        normalised = evolve(settings, range=(0.0, 1.0), **_IMAGENET)
        offered.append((normalised, dict.fromkeys(("range", *_IMAGENET), why["range"])))
    return offered
