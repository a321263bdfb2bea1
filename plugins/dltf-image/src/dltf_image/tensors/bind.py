"""From settings and a model's input to the preparation of its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from dltf.plugin import only_input
from dltf_image.tensors.levels import levels
from dltf_image.tensors.plan import plan
from dltf_image.tensors.preprocess import ImagePreprocess
from dltf_image.tensors.settings import ImageInput
from dltf_image.tensors.suggest import suggest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dltf.plugin import Sample, Suggestion, TensorSpec


@frozen
class ImageTensors:
    """Pictures → tensors, under the settings of `[models.*.input]`."""

    settings: type[ImageInput] = field(default=ImageInput, init=False)

    def bind(self, specs: Sequence[TensorSpec], settings: ImageInput) -> ImagePreprocess:
        """Return the preparation for the one input; raise `MisfitError` where file and settings do not go together."""
        spec = only_input(specs)
        planned = plan(spec, settings)
        tables = levels(spec, settings, planned.channels)
        resolved = {
            "range": list(tables.range),
            "mean": list(tables.mean),
            "std": list(tables.std),
            "layout": planned.layout,
            "colour": planned.colour,
            "size": None if None in (planned.height, planned.width) else [planned.height, planned.width],
            "resize": planned.resize,
        }
        return ImagePreprocess(resolved, spec, planned, tables.table)

    def suggest(
        self, specs: Sequence[TensorSpec], settings: ImageInput, samples: Sequence[Sample]
    ) -> Sequence[Suggestion]:
        """Return ways to fill in what is unset, the likeliest first."""
        return suggest(specs, settings, samples)
