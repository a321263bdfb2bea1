"""Targets: a device and the precision of its arithmetic, never another one than the name says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from attrs import frozen

from dltf.plugin import MissingPackageError, Target, TargetUnavailableError, nearest
from dltf_openvino.runtime import openvino


@frozen
class Place:
    """One target. `precision` as OpenVINO writes it, `capability` what a device that has it lists."""

    name: str
    summary: str
    device: str
    precision: str
    capability: str


PLACES: tuple[Place, ...] = (
    Place("cpu", "the processor, float32 throughout", "CPU", "f32", "FP32"),
    Place("cpu-bf16", "the processor, bfloat16 where it can (OpenVINO's own default there)", "CPU", "bf16", "BF16"),
    Place("cpu-f16", "the processor, float16 where it can", "CPU", "f16", "FP16"),
    Place("gpu", "an Intel GPU, float32 throughout", "GPU", "f32", "FP32"),
    Place("gpu-f16", "an Intel GPU, float16 where it can (OpenVINO's own default there)", "GPU", "f16", "FP16"),
    Place("npu", "an Intel NPU, float16: it has no other real numbers", "NPU", "f16", "FP16"),
)
_DEVICES = {
    "GPU": "OpenVINO finds no GPU: it takes one of Intel's, with its OpenCL or Level Zero driver",
    "NPU": "OpenVINO finds no NPU: it takes one of Intel's, with its driver",
    "CPU": "OpenVINO finds no processor that it supports",
}


def targets() -> tuple[Target, ...]:
    """List every target, each with the reason where it is not here."""
    try:
        openvino()
    except MissingPackageError as error:
        why_not = f"{error.message}: {error.hint}"
        return tuple(Target(place.name, place.summary, why_not) for place in PLACES)
    return tuple(Target(place.name, place.summary, _why_not(place)) for place in PLACES)


def usable(name: str) -> Place:
    """Return the target of this name; raise `TargetUnavailableError` where this machine has none."""
    known = {place.name: place for place in PLACES}
    if name not in known:
        raise TargetUnavailableError(f'the backend "openvino" has no target "{name}"{nearest(name, known)}')
    why_not = _why_not(known[name])
    if why_not:
        there = [place.name for place in PLACES if not _why_not(place)]
        raise TargetUnavailableError(
            f'the target "{name}" is not usable here: {why_not}', hint=f"usable here: {', '.join(there)}"
        )
    return known[name]


def _why_not(place: Place) -> str:
    here = _capabilities()
    if place.device not in here:
        return _DEVICES[place.device]
    if place.capability not in here[place.device]:
        return f"OpenVINO has no {place.precision} on this {place.device}, and would take another precision unasked"
    return ""


@cache
def _capabilities() -> Mapping[str, frozenset[str]]:
    """Return what each device that is here can do; where there are two of a kind, the first."""
    core = openvino().Core()
    first = {name.partition(".")[0]: name for name in sorted(core.available_devices, reverse=True)}
    return {kind: frozenset(core.get_property(name, "OPTIMIZATION_CAPABILITIES")) for kind, name in first.items()}
