"""Whether a model's outputs are what the settings of `detections` say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve

from dltf.plugin import MisfitError, TensorSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf_image.detection.decoder import Detections

_APART = ("boxes", "scores", "classes", "count")


def fitted(settings: Detections, specs: Sequence[TensorSpec], outputs: Mapping[str, NDArray[Any]]) -> Detections:
    """Return the settings with the only output named and `transposed` decided; raise `MisfitError` on what misfits."""
    if not settings.read and len(specs) == 1:
        settings = evolve(settings, combined=specs[0].name)
    _check_names(settings, specs)
    return _combined(settings, outputs) if settings.combined else _apart(settings, outputs)


def _check_names(settings: Detections, specs: Sequence[TensorSpec]) -> None:
    have = ", ".join(f'"{spec.name}" ({spec})' for spec in specs) or "there are none"
    hint = f"set `boxes` and `scores` (and `classes`, `count`), or `combined`, to some of the outputs: {have}"
    missing = [name for name in settings.read if name not in {spec.name for spec in specs}]
    if missing:
        raise MisfitError(f'the model has no output "{missing[0]}"', hint=hint)
    if not settings.read:
        raise MisfitError(f"the model has {len(specs)} outputs, and none is named", hint=hint)
    if settings.combined and len(settings.read) > 1:
        given = next(key for key in _APART if getattr(settings, key))
        raise MisfitError(f"`combined` and `{given}` are both named", hint=hint)
    if not settings.combined and not (settings.boxes and settings.scores):
        raise MisfitError("`boxes` and `scores` go together, and one is not named", hint=hint)


def _combined(settings: Detections, outputs: Mapping[str, NDArray[Any]]) -> Detections:
    shape = outputs[settings.combined].shape
    if len(shape) != 3:
        raise _misshapen(settings.combined, shape, "[n, boxes, values] or [n, values, boxes]")
    transposed = shape[2] > shape[1] if settings.transposed == "auto" else settings.transposed
    width = shape[1] if transposed else shape[2]
    if settings.values == "class":
        fits, needs = width == 6, "6 values a box: 4 of the box, a score, a class number"
    elif settings.values == "objectness":
        fits = width > 5 + settings.label_offset or (width == 5 and not settings.label_offset)
        needs = f"more than {4 + settings.label_offset} values a box: 4 of the box, an objectness, scores"
    else:
        fits = width > 4 + settings.label_offset
        needs = f"more than {4 + settings.label_offset} values a box: 4 of the box, scores"
    if not fits:
        raise _misshapen(settings.combined, shape, needs)
    return evolve(settings, transposed=transposed)


def _apart(settings: Detections, outputs: Mapping[str, NDArray[Any]]) -> Detections:
    boxes, scores = outputs[settings.boxes].shape, outputs[settings.scores].shape
    if len(boxes) != 3 or boxes[2] != 4:
        raise _misshapen(settings.boxes, boxes, "[n, boxes, 4]")
    per_class = len(scores) == 3 and not settings.classes
    if scores[:2] != boxes[:2] or len(scores) != 2 + per_class or (per_class and scores[2] <= settings.label_offset):
        wanted = "" if settings.classes else f" or [n, boxes, classes], more than {settings.label_offset} of them"
        raise _misshapen(settings.scores, scores, f"[n, boxes]{wanted}, for {boxes[1]} boxes")
    if settings.classes and outputs[settings.classes].shape != boxes[:2]:
        raise _misshapen(settings.classes, outputs[settings.classes].shape, f"[n, boxes], for {boxes[1]} boxes")
    if settings.count and outputs[settings.count].size != boxes[0]:
        raise _misshapen(settings.count, outputs[settings.count].shape, "[n]")
    return settings


def _misshapen(name: str, shape: Sequence[int], needed: str) -> MisfitError:
    return MisfitError(
        f'the output "{name}" is {list(shape)}, and the decoder needs {needed}',
        hint="name another output, set `transposed` or `values` as the model has them, or choose another decoder",
    )
