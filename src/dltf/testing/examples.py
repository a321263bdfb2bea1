"""What an author gives the kit to test with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Factory, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from dltf.values import Observations, Sample, TensorSpec


@frozen(eq=False)
class ModelExample:
    """A model file of a backend, and a batch of inputs for it: `inputs` maps tensor names to [n, …], n at least 2.

    The n inputs should differ, and so should the answers to them. An empty `target` is the backend's default. A backend
    that takes samples as they are gets them by the name "sample"; one that needs no file gets `Path()`.
    """

    file: Path
    inputs: Mapping[str, NDArray[Any]]
    target: str = ""


@frozen(eq=False)
class ConversionExample:
    """A model file for a converter, in a folder with nothing else but what it needs.

    A converter that needs seeds gets `calibration`: model inputs by name, one sample each [1, …].
    """

    source: Path
    calibration: Sequence[Mapping[str, NDArray[Any]]] = ()


@frozen(eq=False)
class Examples:
    """The material for a plugin's components; each field serves some shelves, and may stay empty without them.

    - `samples`: native samples of the domain: several shapes where it has them, two different ones of some shape.
      For domains, mutation operators and operator presets.
    - `inputs`: model inputs that the domain prepares samples for. For domains.
    - `settings`: by component name, the fields that have no default (or that should differ from it).
    - `models`: by backend name, files with inputs. For model backends.
    - `conversions`: by converter name, model files, with seeds where it needs them. For converters.
    - `outputs`: by decoder name, batches of real-valued raw outputs [n, …] by tensor name, n at least 2, all finite.
    - `observations`: by oracle name, what a reference and a candidate answered to the same inputs, some of them
      differently. An oracle that is not named here gets ten classes with their scores.
    - `labels`: by the name of an oracle that goes by labels, those of its observations.
    """

    samples: Sequence[Sample] = ()
    inputs: Sequence[TensorSpec] = ()
    settings: Mapping[str, Mapping[str, Any]] = Factory(dict)
    models: Mapping[str, Sequence[ModelExample]] = Factory(dict)
    conversions: Mapping[str, Sequence[ConversionExample]] = Factory(dict)
    outputs: Mapping[str, Sequence[Mapping[str, NDArray[Any]]]] = Factory(dict)
    observations: Mapping[str, tuple[Observations, Observations]] = Factory(dict)
    labels: Mapping[str, Sequence[Any]] = Factory(dict)
