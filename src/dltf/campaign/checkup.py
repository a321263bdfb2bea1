"""What a model file expects, whether it runs here, and whether two of them can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from dltf.errors import DltfError, ModelFileError, nearest
from dltf.profile.backends import PYTHON, names_callable, suffixes
from dltf.profile.structure import unstructure

if TYPE_CHECKING:
    from dltf.contracts import Runner
    from dltf.host import Host
    from dltf.values import Suggestion, TensorSpec

# Where a suffix is nobody's, the distribution that would read it.
_BRINGS = {
    ".onnx": "dltf-onnxruntime",
    ".ort": "dltf-onnxruntime",
    ".tflite": "dltf-tflite",
    ".lite": "dltf-tflite",
    ".pt2": "dltf-torch",
    ".pt": "dltf-torch",
    ".pth": "dltf-torch",
    ".safetensors": "dltf-torch",
    ".h5": "",
    ".keras": "",
}
_KERAS = "convert it to .tflite or .onnx; no plugin reads Keras files"


@frozen
class Domain:
    """How one domain would prepare its samples for a model: (key, value, where it is from), and the open choices."""

    name: str
    settings: tuple[tuple[str, Any, str], ...]
    choices: int  # ways that no file can tell apart


@frozen
class Checkup:
    """What was found out about one model; `wrong` says why it cannot be used, or is empty."""

    model: str
    backend: str = ""
    target: str = ""
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    notes: tuple[str, ...] = ()
    domains: tuple[Domain, ...] = ()
    runs: str = ""  # "yes", or why it could not be tried
    wrong: str = ""
    cure: str = ""
    widths: Mapping[str, int] = field(factory=dict)  # numbers for each input, by output


def check_up(model: str, host: Host) -> Checkup:
    """Open a model file with the backend that reads it, and run it on zeros."""
    try:
        name = _backend(model, host)
        cls = host.find("dltf_model_backends", name).load()
        backend = cls(model) if name == PYTHON else cls()
        usable = [target for target in backend.targets() if target.usable]
        if not usable:
            why = "; ".join(f"{target.name}: {target.why_not}" for target in backend.targets())
            return Checkup(model, name, wrong="no target of its runtime is usable here", cure=why)
        with backend.open(Path() if name == PYTHON else Path(model), usable[0].name) as runner:
            return _opened(model, name, usable[0].name, runner, host)
    except DltfError as error:
        return Checkup(model, wrong=error.message, cure=error.hint)


def comparable(one: Checkup, other: Checkup) -> list[str]:
    """Return what two models have in common or not, sentence by sentence, and what to set."""
    told = []
    ours, theirs = _first_width(one), _first_width(other)
    if ours is None or theirs is None:
        told.append("how many numbers they give is not known before they run on a seed")
    elif ours == theirs:
        told.append(f"both give {ours} numbers for each input: their answers can be compared")
    elif abs(ours - theirs) == 1:
        role = "reference" if ours > theirs else "candidate"
        told.append(
            f"one gives {ours} numbers for each input, the other {theirs}: if the first of the longer is a background "
            f"class, set models.{role}.output.label_offset = 1 (dltf compare finds out by labelled seeds)"
        )
    else:
        told.append(f"one gives {ours} numbers for each input, the other {theirs}: their answers cannot be compared")
    for checkup, role in ((one, "reference"), (other, "candidate")):
        told += (
            [f"the {role} has {len(checkup.outputs)} outputs: name the one to compare in models.{role}.output.output"]
            if len(checkup.outputs) > 1
            else []
        )
        told += (
            [f"the {role} has {len(checkup.inputs)} inputs: say in models.{role}.feed what the further ones get"]
            if len(checkup.inputs) > 1
            else []
        )
        told += [
            f"{domain.choices} ways to prepare {domain.name} samples for the {role} look alike to its file: "
            "dltf compare tries them on labelled seeds, or set them in its input table"
            for domain in checkup.domains
            if domain.choices > 1
        ]
    return told


def _backend(model: str, host: Host) -> str:
    path = Path(model)
    if names_callable(model):
        return PYTHON
    if path.is_dir():
        raise ModelFileError(f"{model} is a folder", hint="name a model file; dltf compare takes folders of seeds")
    if not path.is_file():
        raise ModelFileError(f"there is no such file: {model}")
    suffix = path.suffix.lower()
    readers = suffixes(host).get(suffix, [])
    if len(readers) == 1:
        return readers[0]
    if readers:
        raise ModelFileError(f"more than one backend reads {suffix} files: {', '.join(readers)}")
    brings = _BRINGS.get(suffix)
    known = nearest("", suffixes(host)).removeprefix("; ")
    cure = f"pip install {brings}" if brings else _KERAS if brings == "" else known
    raise ModelFileError(f"no installed plugin reads {suffix or 'such'} files", hint=cure)


def _opened(model: str, backend: str, target: str, runner: Runner, host: Host) -> Checkup:
    inputs, outputs = tuple(runner.inputs), tuple(runner.outputs)
    seen, runs = _run_on_zeros(runner, inputs)
    return Checkup(
        model,
        backend,
        target,
        inputs,
        outputs,
        tuple(runner.notes),
        tuple(_domains(inputs, host)),
        runs,
        widths={name: int(np.prod(values.shape[1:])) for name, values in seen.items()},
    )


def _run_on_zeros(runner: Runner, inputs: Sequence[TensorSpec]) -> tuple[Mapping[str, Any], str]:
    opened = [spec for spec in inputs if None in spec.shape[1:]]
    if not inputs:
        return {}, "not tried: it takes samples of the campaign"
    if opened:
        return {}, f"not tried: {opened[0]} leaves a size open"
    try:
        return runner.run({spec.name: np.zeros(_one(spec), spec.dtype) for spec in inputs}), "yes"
    except DltfError as error:
        return {}, f"no: {error.message}"


def _one(spec: TensorSpec) -> tuple[int, ...]:
    return (1, *(size for size in spec.shape[1:] if size is not None))


def _domains(inputs: Sequence[TensorSpec], host: Host) -> list[Domain]:
    """Ask each domain how it would prepare samples for these inputs; those that would not are left out."""
    found = []
    for shelved in host.shelves["dltf_domains"]:
        try:
            tensors = shelved.component.load()().tensors
            suggest = getattr(tensors, "suggest", None)  # contracts.Suggests
            if suggest is None:
                tensors.bind(inputs, tensors.settings())
                found.append(Domain(shelved.component.name, (), 1))
            else:
                suggested = suggest(inputs, tensors.settings(), [])
                found.append(Domain(shelved.component.name, _told(suggested), len(suggested)))
        # A domain may be broken, as dltf plugins tells, or have settings without defaults: it is asked in a profile.
        except (DltfError, TypeError):
            continue
    return found


def _told(suggested: Sequence[Suggestion]) -> tuple[tuple[str, Any, str], ...]:
    first = suggested[0]
    written = unstructure(first.settings)
    return tuple((key, written.get(key), because) for key, because in first.because.items())


def _first_width(checkup: Checkup) -> int | None:
    return next(iter(checkup.widths.values()), None)
