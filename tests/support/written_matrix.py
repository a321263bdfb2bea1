"""What a matrix of one network in many environments comes to, made up: its answers and its noise are drawn, all figures
are computed from them as a real matrix computes its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from attrs import evolve, frozen

from dltf.matrix.claims import claims, noise_figures
from dltf.matrix.labels import accuracy, label_differences, worst
from dltf.matrix.metrics import Outputs, compare, distances
from dltf.matrix.timing import Timings
from dltf.matrix.tolerance import tolerance_of
from dltf.matrix.verdict import FAILURES, verdict_of

SEEDS = 1000
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ROUNDS = 14
REFERENCE = "torch-eager"
BATCHES = (1, 64)


@frozen
class Made:
    """One variant: how far its scores are off, how long it takes, how large it is, and what became of it."""

    name: str
    backend: str
    off: float = 0.0
    takes: float = 1.0
    megabytes: float = 0.32
    precision: str = "float32"
    convert: tuple[str, ...] = ()
    failure: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()


_ONNX, _TFLITE = ("torch.to_onnx",), ("torch.to_tflite",)
_NO_GPU = "the installed onnxruntime has no CUDA provider; pip install onnxruntime-gpu, or leave the target out"
_ALONE = "its answers depend on the batch (by up to 0.021): it was shown inputs one by one"

VARIANTS = (
    Made(REFERENCE, "torch"),
    Made("torch-compiled", "torch", 2e-7, 0.71),
    Made("torch-bf16", "torch", 0.004, 1.35, 0.17, "bfloat16"),
    Made("torch-int8", "torch", 0.1, 1.62, 0.11, "int8"),
    Made("ort-cpu-disabled", "onnxruntime", 0.0, 1.0, 0.31, convert=_ONNX),
    Made("ort-cpu-basic", "onnxruntime", 2e-7, 0.66, 0.31, convert=_ONNX),
    Made("ort-cpu-extended", "onnxruntime", 2e-7, 0.58, 0.31, convert=_ONNX),
    Made("ort-cpu-all", "onnxruntime", 3e-7, 0.41, 0.31, convert=_ONNX),
    Made("ort-float16", "onnxruntime", 0.003, 1.9, 0.16, "float16", (*_ONNX, "onnx.float16")),
    Made("ort-dynamic-int8", "onnxruntime", 0.12, 1.04, 0.09, "int8", (*_ONNX, "onnx.dynamic_int8"), notes=(_ALONE,)),
    Made("ort-static-int8-qdq-minmax", "onnxruntime", 0.15, 0.44, 0.1, "int8", (*_ONNX, "onnx.static_int8")),
    Made("ort-static-int8-qdq-entropy", "onnxruntime", 0.9, 0.44, 0.1, "int8", (*_ONNX, "onnx.static_int8")),
    Made("ort-static-int8-uncalibrated", "onnxruntime", 5.0, 0.43, 0.1, "int8", (*_ONNX, "onnx.static_int8")),
    Made("ort-cuda", "onnxruntime", convert=_ONNX, failure="not available here", reason=_NO_GPU),
    Made("litert-float-default", "tflite", 2e-7, 0.52, 0.33, convert=_TFLITE),
    Made("litert-float-reference-kernels", "tflite", 3e-7, 11.8, 0.33, convert=_TFLITE),
    Made("litert-int8-default", "tflite", 0.16, 0.31, 0.09, "int8", _TFLITE),
    Made("litert-int8-no-delegate", "tflite", 0.3, 0.38, 0.09, "int8", _TFLITE),
    Made("litert-int8-reference-kernels", "tflite", 0.3, 6.1, 0.09, "int8", _TFLITE),
    Made("openvino-f32", "openvino", 3e-7, 0.37, 0.31, convert=(*_ONNX, "openvino.from_onnx")),
    Made("openvino-bf16", "openvino", 0.02, 0.36, 0.16, "bfloat16", (*_ONNX, "openvino.from_onnx")),
    Made("openvino-int8", "openvino", 0.13, 0.24, 0.1, "int8", (*_ONNX, "openvino.int8")),
    Made(
        "openvino-npu",
        "openvino",
        convert=(*_ONNX, "openvino.from_onnx"),
        failure="does not load",
        reason='there is no device "NPU" on this machine; the devices are CPU',
    ),
    Made(
        "tflite-pruned-then-onnx",
        "onnxruntime",
        convert=(*_TFLITE, "onnx.prune"),
        failure="does not convert",
        reason="onnx.prune reads .onnx, and model.tflite is none; put another conversion before it",
    ),
)

GATES = [
    {"variant": "ort-cpu-all", "figure": "figures.labels.share", "value": 0.0, "at_least": None, "at_most": 0.01}
    | {"holds": True, "reason": ""},
    {"variant": "openvino-int8", "figure": "verdict", "value": "label change", "at_least": None}
    | {"at_most": "rank change", "holds": False, "reason": "5 is above 4"},
]


def written_matrix(
    variants: Sequence[Made] = VARIANTS, *, labelled: bool = True, timing: bool = True, **more: Any
) -> dict[str, Any]:
    """Return what `matrix.json` holds, after a round trip through JSON."""
    stream = np.random.default_rng(6)
    scores = stream.normal(0.0, 3.0, (SEEDS, len(CLASSES)))
    labels = (scores + stream.normal(0.0, 1.2, scores.shape)).argmax(axis=1)
    answered = [None if one.failure else _answers(one, scores) for one in variants]
    known = labels.tolist() if labelled else [None] * SEEDS
    ours = answered[0]
    assert ours is not None, "the reference is the first, and runs"
    told = {
        "schema": 1,
        "name": "resnet8 on ten classes",
        "reference": variants[0].name,
        "seeds": SEEDS,
        "skipped": 0,
        "labelled": labelled,
        "classes": list(CLASSES),
        "batch": 64,
        "calibration": {"seeds": 100, "apart": True},
        "variants": [_variant(one, out, ours, known) for one, out in zip(variants, answered, strict=True)],
        "differences": label_differences(answered),
        "worst": _worst(variants, answered, known),
        "threads": 1,
        "pinned": "every runtime that has a setting for it runs on 1 thread; litert has none",
        "environment": {"python": "3.11.9", "processor": "AMD EPYC 7B13", "plugins": {"dltf-image": "0.1"}},
    }
    if timing:
        told["timing"] = _timed(variants, told["variants"], stream)
    read: dict[str, Any] = json.loads(json.dumps(told | more))
    return read


def many(count: int) -> tuple[Made, ...]:
    """Return so many variants: those of `VARIANTS`, again and again, each time on another number of threads."""
    rounds = -(-count // len(VARIANTS))
    named = [
        evolve(one, name=f"{one.name}-{turn + 1}-threads" if turn else one.name, takes=one.takes / (turn + 1))
        for turn in range(rounds)
        for one in VARIANTS
    ]
    return tuple(named[:count])


def _answers(one: Made, scores: Any) -> Outputs:
    # What is off by as much, is off in the same way: two kernel sets give the same bits.
    noise = np.random.default_rng(int(one.off * 1e9)).normal(0.0, 1.0, scores.shape)
    logits = scores + one.off * noise * (np.array([1.0] * 9 + [2.5]) if one.off > 2 else 1.0)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    if one.precision == "float16":
        shares[17] = np.nan
    finite = np.isfinite(shares).all(axis=1)
    decisions = np.where(finite, np.nan_to_num(shares).argmax(axis=1), 0)
    return Outputs(decisions, {"probabilities": shares}, shares, finite, np.zeros(SEEDS, dtype=bool))


def _variant(one: Made, out: Outputs | None, ours: Outputs, labels: Sequence[Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"name": one.name, "verdict": one.failure, "reason": one.reason, "backend": one.backend}
    told |= {"target": "cpu", "conversions": [] if one.failure in FAILURES[:1] else _conversions(one)}
    if out is None:
        return told
    share, bounds = accuracy(out, labels)
    told |= {"accuracy": share, "accuracy_interval": bounds, "bytes": int(one.megabytes * 1e6)}
    told |= {"file": f"models/{one.name}/model.{one.backend}", "sha256": hashlib.sha256(one.name.encode()).hexdigest()}
    told |= {"versions": {one.backend: "1.20.1", "numpy": "2.1"}, "notes": list(one.notes)}
    told |= {"load_s": 0.05 + 0.4 * one.takes, "peak_memory_bytes": int(1.5e8 + 4e8 * one.megabytes)}
    if out is ours:
        return told | {"verdict": "reference", "reason": ""}
    figures = compare(ours, out, labels, tolerance=tolerance_of(one.precision))
    verdict, reason = verdict_of(figures)
    return told | {"verdict": verdict, "reason": reason, "figures": figures}


def _conversions(one: Made) -> list[dict[str, Any]]:
    facts: Mapping[str, Mapping[str, Any]] = {
        "torch.to_onnx": {"opset": 18, "nodes": 61, "largest_difference": 9.5e-7},
        "torch.to_tflite": {"operators": 38, "largest_difference": 1.2e-6},
        "onnx.float16": {"initializers": 28, "kept_in_float32": 0},
        "onnx.dynamic_int8": {"operators": ["MatMul", "Gemm"], "tensors": 1, "weights_int8": 0.83},
        "onnx.static_int8": {"format": "QDQ", "calibration": one.name.rpartition("-")[2], "tensors": 56},
        "openvino.from_onnx": {"operations": 84},
        "openvino.int8": {"calibration": 100, "quantised": {"convolutions": 9, "products": 1}},
    }
    return [
        {"use": use, "facts": facts[use], "seconds": 0.8 + len(use) / 7, "bytes": 90_000 if "int8" in use else 310_000}
        for use in one.convert
    ]


def _worst(variants: Sequence[Made], answered: Sequence[Outputs | None], labels: Sequence[Any]) -> list[dict[str, Any]]:
    ours, found = answered[0], []
    assert ours is not None
    for one, out in zip(variants[1:], answered[1:], strict=True):
        if out is not None:
            told = worst(ours, out, labels, np.minimum(distances(ours, out), 9.0), 6)
            found += [{"variant": one.name, **each, "seed_name": f"test/{each['case']:05d}.png"} for each in told]
    return sorted(found, key=lambda one: (one["kind"] != "not finite", -(one["margin"] or 0.0)))[:40]


def _timed(variants: Sequence[Made], told: Sequence[dict[str, Any]], stream: np.random.Generator) -> dict[str, Any]:
    timings = {}
    for batch in BATCHES:
        base = 0.0011 * batch**0.8
        noise = {one.name: np.exp(stream.normal(0.0, 0.02, (ROUNDS, 2))) for one in variants if not one.failure}
        takes = {one.name: one.takes if batch == 1 else one.takes**0.8 for one in variants}
        timings[batch] = Timings({name: base * takes[name] * turns for name, turns in noise.items()})
    for batch, timed in timings.items():
        for one in told:
            if one["name"] in timed.seconds:
                one.setdefault("timing", {})[str(batch)] = timed.figures()[one["name"]]
    found = [claim.as_dict() for claim in claims(timings, variants[0].name)]
    floors = {str(batch): noise_figures(timed) for batch, timed in timings.items()}
    return {"noise_floor": floors, "repetitions": ROUNDS, "threads": 1, "claims": found}
