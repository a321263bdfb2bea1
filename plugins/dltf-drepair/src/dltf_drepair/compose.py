"""One ONNX file out of two: a candidate, and the head that repairs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import frozen

from dltf.plugin import ConversionError, MisfitError, nearest
from dltf_drepair.fitted import load, read
from dltf_drepair.graph import OLDEST_OPSET, TREES, Graph
from dltf_drepair.runtime import one_line, onnx_package

if TYPE_CHECKING:
    from pathlib import Path

PREFIX = "repair/"
UNREPAIRED = "_unrepaired"
"""What the name of the candidate's own output ends with in the composed file."""

_WITHOUT_TREES = 5  # from this version on, ai.onnx.ml has no TreeEnsembleRegressor
_FLOATS = ("FLOAT", "FLOAT16", "BFLOAT16", "DOUBLE")


@frozen
class Joint:
    """How the candidate's output is read: as its decoder does in a run."""

    output: str = ""  # its name; may stay empty where there is one
    scores: Literal["probabilities", "logits"] = "probabilities"
    label_offset: int = 0  # so many leading values are no classes
    keep_own: bool = False  # give the candidate's own output, too


def composed(candidate: Path, head: Path, threshold: float, joint: Joint | None = None) -> bytes:
    """Return the file: the candidate's inputs and outputs, with the one output repaired, in float32.

    Where the head intervenes (`dltf_drepair.intervention`), the output is the head's scores, else the candidate's own
    probabilities: the softmax of its logits, where it gives these. The batch stays as open as it was. Raise
    `ModelFileError` for what is no ONNX file or no head, `MisfitError` where the two do not fit, and
    `ConversionError` where the candidate cannot be extended.
    """
    joint = joint or Joint()
    onnx, facts = onnx_package(), load(head).facts
    body = _modern(read(candidate), candidate)
    output = _pick(body, joint, candidate)
    _check_width(output, facts["states"] + joint.label_offset, candidate)
    name, own = output.name, _unused(body, output.name + UNREPAIRED)
    shape = [_size(dim) for dim in output.type.tensor_type.shape.dim]
    _rename(body.graph, name, own)
    body.graph.output[[tensor.name for tensor in body.graph.output].index(name)].name = own
    tail = _tail(read(head), name, (output.type.tensor_type.elem_type, shape), threshold, joint)
    _harmonise(body, tail, candidate)
    outputs = [name if tensor.name == own else tensor.name for tensor in body.graph.output]
    outputs += [own] if joint.keep_own else []
    _tell(body, facts, threshold, joint)
    try:
        made = onnx.compose.merge_models(body, tail, io_map=[(own, f"{PREFIX}own")], outputs=outputs)
        made.graph.output.sort(key=lambda tensor: outputs.index(tensor.name))
        data: bytes = made.SerializeToString(deterministic=True)
    except Exception as error:  # those of onnx and protobuf have no common base
        raise ConversionError(f"{candidate} and {head} cannot become one file: {one_line(error)}") from error
    return data


# --- the candidate -----------------------------------------------------------------------------------------------


def _modern(model: Any, file: Path) -> Any:
    """Return the model in an opset that has the operators of a head."""
    onnx = onnx_package()
    versions = {entry.domain: entry.version for entry in model.opset_import}
    if versions.get("", OLDEST_OPSET) < OLDEST_OPSET:
        try:
            return onnx.version_converter.convert_version(model, OLDEST_OPSET)
        except Exception as error:  # RuntimeError, and others of the converter
            raise ConversionError(
                f"{file} has opset {versions['']}, and cannot be brought to {OLDEST_OPSET}: {one_line(error)}",
                hint=f"export it with opset {OLDEST_OPSET} or newer",
            ) from error
    return model


def _pick(model: Any, joint: Joint, file: Path) -> Any:
    """Return a copy of the output to be repaired."""
    onnx = onnx_package()
    outputs = {tensor.name: tensor for tensor in model.graph.output}
    if not joint.output and len(outputs) > 1:
        raise ConversionError(f"{file} has {len(outputs)} outputs: {', '.join(outputs)}", hint="say which, by `output`")
    name = joint.output or next(iter(outputs))
    if name not in outputs:
        raise ConversionError(f'{file} has no output "{name}"{nearest(name, outputs)}')
    kind = onnx.TensorProto.DataType.Name(outputs[name].type.tensor_type.elem_type)
    if kind not in _FLOATS:
        raise ConversionError(
            f'the output "{name}" of {file} is {kind.lower()}, which a head cannot read',
            hint="export the candidate with a float output: a DequantizeLinear at its end",
        )
    picked = onnx.ValueInfoProto()
    picked.CopyFrom(outputs[name])
    return picked


def _check_width(output: Any, width: int, file: Path) -> None:
    sizes = [dim.dim_value for dim in output.type.tensor_type.shape.dim]
    if len(sizes) == 1:
        raise MisfitError(f'the output "{output.name}" of {file} has no batch: its shape is {sizes}')
    if len(sizes) > 1 and all(sizes[1:]) and int(np.prod(sizes[1:])) != width:
        raise MisfitError(
            f'the output "{output.name}" of {file} has {int(np.prod(sizes[1:]))} values for each input, and the head '
            f"takes {width} (label_offset included)",
            hint="was the head fitted to another candidate?",
        )


def _size(dim: Any) -> int | str:
    return int(dim.dim_value) or str(dim.dim_param)


def _unused(model: Any, name: str) -> str:
    taken = {entry for node in model.graph.node for entry in (*node.input, *node.output)}
    while name in taken:
        name += "_"
    return name


def _rename(graph: Any, old: str, new: str) -> None:
    """Rename a tensor wherever it is made and used, inner graphs included."""
    for node in graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name == old:
                    names[index] = new
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                _rename(inner, old, new)
    for note in graph.value_info:
        note.name = new if note.name == old else note.name
    for entry in graph.quantization_annotation:
        entry.tensor_name = new if entry.tensor_name == old else entry.tensor_name


# --- what is appended --------------------------------------------------------------------------------------------


def _tail(head: Any, name: str, kind: tuple[int, list[int | str]], threshold: float, joint: Joint) -> Any:
    """Return the model from the candidate's output, "repair/own", to the repaired one."""
    onnx = onnx_package()
    helper, graph = onnx.helper, Graph()
    raw = graph.add("Flatten", graph.add("Cast", "own", to=1), axis=1)
    if joint.label_offset:
        bounds = [graph.constant([number], np.int64) for number in (joint.label_offset, 2**31, 1)]
        raw = graph.add("Slice", raw, *bounds)
    states = graph.add("Softmax", raw, axis=1) if joint.scores == "logits" else raw
    graph.nodes.append(helper.make_node("Identity", [states], ["head/states"], name="states"))
    head = onnx.compose.add_prefix(head, "head/")
    graph.nodes += head.graph.node
    graph.tensors += head.graph.initializer
    final = _shaped(graph, _decision(graph, states, raw, threshold), kind[1], joint.label_offset)
    graph.nodes.append(helper.make_node("Identity", [final], [name], name="result"))
    given = helper.make_tensor_value_info("own", *kind)
    made = helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, kind[1])
    whole = helper.make_graph(graph.nodes, "repair", [given], [made], graph.tensors)
    return onnx.compose.add_prefix(
        helper.make_model(whole, opset_imports=head.opset_import), PREFIX, rename_outputs=False
    )


def _decision(graph: Graph, states: str, raw: str, threshold: float) -> str:
    """Add the intervention: what `dltf_drepair.intervention` does."""
    scores, one = "head/scores", graph.constant([1], np.int64)
    # Of equal values TopK takes the first, as the rule that is measured does.
    ours, theirs = (graph.add_many("TopK", values, one, outputs=2, axis=1)[1] for values in (scores, raw))
    best, own = (graph.add("GatherElements", scores, label, axis=1) for label in (ours, theirs))
    enough = graph.add("GreaterOrEqual", graph.add("Sub", best, own), graph.constant(threshold))
    other = graph.add("Not", graph.add("Equal", ours, theirs))
    return graph.add("Where", graph.add("And", other, enough), scores, states)


def _shaped(graph: Graph, final: str, shape: list[int | str], label_offset: int) -> str:
    """Give the output its leading values and its shape back."""
    if label_offset:
        final = graph.add("Pad", final, graph.constant([0, label_offset, 0, 0], np.int64), graph.constant(0.0))
    if len(shape) > 2 and all(isinstance(size, int) for size in shape[1:]):
        final = graph.add("Reshape", final, graph.constant([0, *shape[1:]], np.int64))
    return final


# --- both --------------------------------------------------------------------------------------------------------


def _harmonise(body: Any, tail: Any, file: Path) -> None:
    """Give both the candidate's opsets and one IR version: operators of heads mean the same in all of these."""
    versions = {entry.domain: entry.version for entry in body.opset_import}
    if versions.get(TREES, 0) >= _WITHOUT_TREES and any(node.domain == TREES for node in tail.graph.node):
        raise ConversionError(
            f"{file} uses {TREES} {versions[TREES]}, in which the trees of this head have no place",
            hint="use another head, or export the candidate with an older version",
        )
    for entry in tail.opset_import:
        entry.version = versions.get(entry.domain, entry.version)
    body.ir_version = tail.ir_version = max(body.ir_version, 7)


def _tell(body: Any, facts: Any, threshold: float, joint: Joint) -> None:
    entry = body.metadata_props.add()
    entry.key = "dltf_repair"
    told = {"head": facts["head"], "threshold": threshold, "scores": joint.scores, "label_offset": joint.label_offset}
    entry.value = json.dumps(told, sort_keys=True)
