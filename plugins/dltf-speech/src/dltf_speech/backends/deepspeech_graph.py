"""The interface of Mozilla DeepSpeech's TFLite graph, versions 0.7 to 0.9, and the parts that it is run in.

One graph holds two: `input_samples` → `mfccs`, and `input_node` with the LSTM's state → `logits` with its new state.
Mozilla's client gives its interpreter an execution plan for either. LiteRT's Python interpreter has no such plans and
would run the whole network for each window of features, so we cut the graph into the two, and a third that gives the
constants of the file's description.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from dltf.plugin import ModelFileError
from dltf_speech.backends.clips import existing, one_line
from dltf_speech.backends.litert import Graph, interpreters, load

ACOUSTIC_INPUTS = ("input_node", "previous_state_c", "previous_state_h")
ACOUSTIC_OUTPUTS = ("logits", "new_state_c", "new_state_h")
DESCRIPTION = (
    "metadata_version",
    "metadata_sample_rate",
    "metadata_feature_win_len",
    "metadata_feature_win_step",
)
ALPHABET = "metadata_alphabet"
OLDEST = 6  # the graph version of 0.7 to 0.9: "logits" are probabilities, features are the graph's own


@frozen(eq=False)
class Parts:
    """A DeepSpeech graph, taken apart. `window` and `step` are in samples."""

    features: Graph
    acoustic: Graph
    rate_hz: int
    window: int
    step: int
    steps: int  # feature windows that go in at a time
    context: int  # windows on either side that go in with each
    coefficients: int  # of one feature window
    state: int  # the LSTM's cells
    classes: int  # characters, and the blank, which is the last
    alphabet: tuple[str, ...] | None


def open_parts(file: Path, operators: Any, threads: int) -> Parts:
    """Return the parts of a graph; raise `ModelFileError` where it is no such graph."""
    content = existing(file, "model file").read_bytes()
    try:
        shapes, names = _interface(content)
        _require(file, shapes, names)
        alphabet_too = [*DESCRIPTION, *(name for name in (ALPHABET,) if name in names)]
        told = load(_cut(content, alphabet_too), operators, threads)()
        features = load(_cut(content, ["mfccs"]), operators, threads)
        acoustic = load(_cut(content, ACOUSTIC_OUTPUTS), operators, threads)
    except (RuntimeError, ValueError, TypeError, struct.error, IndexError) as error:
        raise ModelFileError(
            f"LiteRT cannot open {file}: {one_line(error)}", hint="is it all of the .tflite file? Download it again"
        ) from error
    return _parts(file, shapes, {name: value.ravel() for name, value in told.items()}, features, acoustic)


def _parts(
    file: Path, shapes: Mapping[str, tuple[int, ...]], told: Mapping[str, Any], features: Graph, acoustic: Graph
) -> Parts:
    version, rate_hz, window_ms, step_ms = (int(told[name][0]) for name in DESCRIPTION)
    if version < OLDEST:
        raise ModelFileError(
            f"{file} is a DeepSpeech graph of version {version}, and {OLDEST} is the oldest that is understood",
            hint="take the .tflite file of release 0.7.0 to 0.9.3",
        )
    _, steps, width, coefficients = shapes["input_node"]
    if shapes["input_samples"] != (rate_hz * window_ms // 1000,):
        raise ModelFileError(
            f"{file} tells windows of {window_ms} ms at {rate_hz} Hz, and takes {shapes['input_samples']} samples"
        )
    return Parts(
        features=features,
        acoustic=acoustic,
        rate_hz=rate_hz,
        window=shapes["input_samples"][0],
        step=rate_hz * step_ms // 1000,
        steps=steps,
        context=width // 2,
        coefficients=coefficients,
        state=shapes["previous_state_c"][-1],
        classes=shapes["logits"][-1],
        alphabet=_alphabet(told[ALPHABET][0]) if ALPHABET in told else None,
    )


def _interface(content: bytes) -> tuple[dict[str, tuple[int, ...]], list[str]]:
    """Return the shapes of inputs and outputs by name, and the names of the outputs."""
    whole = interpreters().Interpreter(model_content=content)  # it checks the file, which the schema's reader does not
    details = [*whole.get_input_details(), *whole.get_output_details()]
    shapes = {detail["name"]: tuple(int(size) for size in detail["shape"]) for detail in details}
    return shapes, [detail["name"] for detail in whole.get_output_details()]


def _require(file: Path, shapes: Mapping[str, tuple[int, ...]], outputs: Iterable[str]) -> None:
    wanted = ("input_samples", "mfccs", *ACOUSTIC_INPUTS, *ACOUSTIC_OUTPUTS, *DESCRIPTION)
    missing = [name for name in wanted if name not in shapes]
    if missing:
        lacks = ", ".join(f'"{name}"' for name in missing)
        raise ModelFileError(
            f"{file} is no graph of DeepSpeech 0.7 to 0.9: it lacks {lacks}",
            hint='for other .tflite files set backend = "tflite"',
        )
    forms = (len(shapes["input_node"]), len(shapes["input_samples"]))
    if forms != (4, 1) or not set(ACOUSTIC_OUTPUTS) <= set(outputs):
        raise ModelFileError(
            f"{file} takes input_node {shapes['input_node']} and input_samples {shapes['input_samples']}, not "
            "[1, steps, windows, coefficients] and [samples]"
        )


def _cut(content: bytes, outputs: Iterable[str]) -> bytes:
    """Return the part of a graph that these outputs depend on, as a model of its own."""
    import flatbuffers  # type: ignore[import-untyped]  # it ships no types
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    graph = model.subgraphs[0]
    index_of = {graph.tensors[index].name.decode(): int(index) for index in graph.outputs}
    wanted = [index_of[name] for name in outputs]
    kept, needed = _ancestors(graph.operators, wanted)
    graph.operators, graph.outputs = kept, wanted
    graph.inputs = [int(index) for index in graph.inputs if int(index) in needed]
    used = {tensor.buffer for number, tensor in enumerate(graph.tensors) if number in needed}
    for number, tensor in enumerate(graph.tensors):
        tensor.buffer = tensor.buffer if number in needed else 0
    for number, buffer in enumerate(model.buffers):
        buffer.data = buffer.data if number in used else None
    model.signatureDefs, model.metadata, model.metadataBuffer = None, None, None  # they tell of the whole
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _ancestors(operators: list[Any], outputs: Iterable[int]) -> tuple[list[Any], set[int]]:
    """Return the operators that these tensors depend on, in their order, and all tensors on the way."""
    needed, kept = set(outputs), []
    for operator in reversed(operators):  # a graph lists its operators in an order that they can be run in
        if needed & {int(index) for index in operator.outputs}:
            kept.append(operator)
            needed |= {int(index) for index in (*operator.inputs, *operator.outputs) if index >= 0}
    return kept[::-1], needed


def _alphabet(packed: bytes) -> tuple[str, ...]:
    """Return the characters, as DeepSpeech packs them: how many, then the number, length and UTF-8 of each."""
    (count,) = struct.unpack_from("<H", packed)
    labels, at = {}, 2
    for _ in range(count):
        number, length = struct.unpack_from("<HH", packed, at)
        labels[number] = packed[at + 4 : at + 4 + length].decode()
        at += 4 + length
    return tuple(labels[number] for number in sorted(labels))
