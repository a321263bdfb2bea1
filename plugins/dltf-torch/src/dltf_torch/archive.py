"""A .pt2 file, copied without whatever PyTorch would unpickle, evaluate or link when it loads it.

`torch.export.load` says of itself that it must not be given files from strangers: it unpickles sample inputs, custom
objects and tensor subclasses without restriction, and evaluates strings of the graph (see `vetting`). Here a new
archive is written, in memory, that holds the graph with each of its strings checked, and the weights as plain bytes;
anything else is left behind where it is not needed, and refused where it is. PyTorch loads the new archive alone.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.plugin import ModelFileError
from dltf_torch import vetting
from dltf_torch.reason import reason
from dltf_torch.tree import Path as TreePath
from dltf_torch.tree import leaves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_AGAIN = "save it again with torch.export.save, by PyTorch 2.9 or newer"
_PAYLOADS = {"weights": re.compile(r"weight_\d+"), "constants": re.compile(r"tensor_\d+")}
_LEAF: Mapping[str, Any] = {"type": None, "context": None, "children_spec": []}
_NAMED = {"name", "as_name", "user_input_name"}
_ATTRIBUTES = {"parameter_name", "buffer_name", "tensor_constant_name"}
_REFUSED = {"as_operator", "as_custom_obj", "custom_obj", "as_string_to_argument"}
_BY_NAME = {"tensor_values", "sym_int_values", "sym_bool_values", "sym_float_values", "range_constraints"}
_FREE = {"as_string", "as_strings"}  # they stay strings: arguments of operators
_TEXT = re.compile(r"[\w.+<>=\- ]*")


@frozen
class Archive:
    """A program that is safe to load, flat: it takes a list of inputs, and gives a list of outputs."""

    content: io.BytesIO
    constants: Mapping[int, Any]  # the inputs that are no tensors, by position
    outputs: tuple[TreePath, ...]  # where each output stood in what the model returns
    notes: tuple[str, ...]


def read_archive(file: Path, device: Any) -> Archive:
    """Read an exported program for this device; raise `ModelFileError` where it is none, or not safe to load."""
    from torch.export.pt2_archive import PT2ArchiveReader

    try:
        with PT2ArchiveReader(str(file)) as reader:
            return _copy(reader, {"type": device.type, "index": device.index})
    except vetting.UnsafeProgramError as error:
        raise ModelFileError(
            f"{file} is refused: {error}",
            hint="loading it could run code that it brings; export the model again, from plain operators and tensors",
        ) from error
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ModelFileError(f"{file} is no exported program: {reason(error)}", hint=_AGAIN) from error


def rewritten(program: io.BytesIO, outputs: Sequence[str]) -> bytes:
    """Return a program that `torch.export.save` wrote, clean, with these names for its outputs."""
    from torch.export.pt2_archive import PT2ArchiveReader

    with PT2ArchiveReader(program) as reader:
        return _copy(reader, {"type": "cpu", "index": None}, outputs).content.getvalue()


def is_exported(names: list[str], archive: zipfile.ZipFile) -> bool:
    """Tell whether a zip file is an archive of `torch.export`."""
    marks = [name for name in names if name.endswith("/archive_format")]
    return bool(marks) and archive.read(marks[0]) == b"pt2"


def _copy(reader: Any, device: dict[str, Any], outputs: Sequence[str] | None = None) -> Archive:
    from torch.export.pt2_archive import PT2ArchiveWriter

    names = reader.get_file_names()
    model = _only_model(names)
    program = json.loads(reader.read_bytes(f"models/{model}.json"))
    graph = program["graph_module"]
    tree = _tree(graph)
    constants = _constants(graph)
    notes = _notes(graph)
    content = io.BytesIO()
    with PT2ArchiveWriter(content) as writer:
        for kind in _PAYLOADS:
            _copy_payloads(reader, writer, (kind, model), names, device)
        writer.write_bytes("models/model.json", json.dumps(_clean_program(program, device, outputs)).encode())
        writer.write_bytes("data/sample_inputs/model.pt", b"")  # pickled in the original, and of no use
        writer.write_string("byteorder", reader.read_string("byteorder") if "byteorder" in names else "little")
    content.seek(0)
    return Archive(content, constants, tree, notes)


def _only_model(names: list[str]) -> str:
    if not any(name.startswith("models/") for name in names) and any("aotinductor/" in name for name in names):
        raise vetting.UnsafeProgramError("it holds machine code that was compiled ahead of time, and no graph")
    found = [name.removeprefix("models/").removesuffix(".json") for name in names if name.startswith("models/")]
    if len(found) != 1:
        raise ValueError(f"it holds {len(found)} programs, and one is read")
    return found[0]


def _copy_payloads(reader: Any, writer: Any, source: tuple[str, str], names: list[str], device: Any) -> None:
    """Copy weights or constants that are plain bytes, onto the device."""
    kind, model = source
    config = f"data/{kind}/{model}_{kind}_config.json"
    if config not in names:
        raise ValueError(f"its {kind} are in an older form, a pickle")
    entries = json.loads(reader.read_bytes(config))["config"]
    for name, entry in entries.items():
        vetting.check_attribute(name)
        if entry["use_pickle"] or not _PAYLOADS[kind].fullmatch(entry["path_name"]):
            raise vetting.UnsafeProgramError(f'"{name}" is a pickled object, and no plain tensor')
        entry["tensor_meta"] = _clean(entry["tensor_meta"], "tensor_meta", device)
    for path in sorted({entry["path_name"] for entry in entries.values()}):
        writer.write_bytes(f"data/{kind}/{path}", reader.read_bytes(f"data/{kind}/{path}"))
    writer.write_bytes(f"data/{kind}/model_{kind}_config.json", json.dumps({"config": entries}).encode())


def _clean_program(program: dict[str, Any], device: dict[str, Any], outputs: Sequence[str] | None) -> dict[str, Any]:
    """Return the program with flat inputs and outputs, without metadata, and with every string checked.

    Where outputs are given names, they come as a dictionary.
    """
    module = program["graph_module"]
    signature = module["signature"]
    taken = sum("user_input" in spec or "constant_input" in spec for spec in signature["input_specs"])
    given = sum("user_output" in spec for spec in signature["output_specs"])
    inputs = _spec("builtins.tuple", [_spec("builtins.tuple", [_LEAF] * taken), _spec("builtins.dict", [], "[]")])
    answers = _spec("builtins.tuple", [_LEAF] * given)
    if outputs is not None:
        answers = _spec("builtins.dict", [_LEAF] * given, json.dumps(list(outputs)))
    flat: dict[str, Any] = {
        "inputs": [],
        "outputs": [],
        "in_spec": json.dumps([1, inputs]),
        "out_spec": json.dumps([1, answers]),
        "forward_arg_names": None,
    }
    cleaned = {
        "graph_module": {
            "graph": _clean(module["graph"], "graph", device),
            "signature": _clean(signature, "signature", device),
            "module_call_graph": [{"fqn": "", "signature": flat}],
            "metadata": {},
            "treespec_namedtuple_fields": {},
        },
        "guards_code": [],  # Python source; shapes are checked by the runner
    }
    kept = ("opset_version", "range_constraints", "schema_version", "verifiers", "torch_version")
    return cleaned | {key: _clean(program[key], key, device) for key in kept}


def _spec(kind: str, children: list[Any], context: str = "null") -> dict[str, Any]:
    return {"type": kind, "context": context, "children_spec": children}


def _clean(value: Any, key: str, device: dict[str, Any]) -> Any:  # noqa: PLR0911  # one line for each kind of string
    """Return a copy with each string checked by the key that it stands at, and on this device."""
    if key in _REFUSED or (key == "custom_obj_values" and value):
        raise vetting.UnsafeProgramError("it uses objects of its own kind")
    if key in {"device", "as_device"}:
        return device if value is not None else None
    if key == "metadata":
        return {}
    if isinstance(value, dict):
        if key in _BY_NAME:
            return {vetting.check_name(name): _clean(inner, "", device) for name, inner in value.items()}
        return {_plain(name): _clean(inner, name, device) for name, inner in value.items()}
    if isinstance(value, list):
        kept = value if key != "nodes" else [node for node in value if not _asserts_metadata(node)]
        return [_clean(inner, key if key in _FREE else "node" if key == "nodes" else "", device) for inner in kept]
    if isinstance(value, str):
        return _checked(value, key)
    return value


def _checked(text: str, key: str) -> str | None:
    if key == "target":
        return vetting.check_target(text)
    if key == "expr_str":
        return vetting.check_expression(text)
    if key in _NAMED:
        return vetting.check_name(text)
    if key in _ATTRIBUTES:
        return vetting.check_attribute(text)
    return text if key in _FREE else _plain(text)


def _plain(text: str) -> str:
    if _TEXT.fullmatch(text):
        return text
    raise vetting.UnsafeProgramError(f'it holds the text "{text[:80]}" where none is expected')


def _asserts_metadata(node: dict[str, Any]) -> bool:
    """Tell a node that insists on the device and dtype of the export, which are ours to choose."""
    return bool(node["target"] == "torch.ops.aten._assert_tensor_metadata.default")


def _tree(module: dict[str, Any]) -> tuple[TreePath, ...]:
    """Return where each output stands; the types in the tree are only read, never looked up."""
    entry = next(entry for entry in module["module_call_graph"] if entry["fqn"] == "")
    _, root = json.loads(entry["signature"]["out_spec"])
    fields = {name: told["field_names"] for name, told in module.get("treespec_namedtuple_fields", {}).items()}
    return tuple(leaves(root, fields))


def _constants(module: dict[str, Any]) -> dict[int, Any]:
    specs = [spec for spec in module["signature"]["input_specs"] if "user_input" in spec or "constant_input" in spec]
    found = {}
    for position, spec in enumerate(specs):
        if "constant_input" in spec:
            ((kind, value),) = spec["constant_input"]["value"].items()
            found[position] = None if kind == "as_none" else value
        elif "as_tensor" not in spec["user_input"]["arg"]:
            raise ValueError(f"its input {position} is no tensor")
    return found


def _notes(module: dict[str, Any]) -> tuple[str, ...]:
    """Say what of the graph makes answers depend on more than the input."""
    nodes = module["graph"]["nodes"]
    training = sorted({node["target"].split(".")[3] for node in nodes if _trains(node)})
    notes = []
    if training:
        notes.append(
            f"the program was exported in training mode ({', '.join(training)}): answers are drawn at random or depend "
            "on the batch; call model.eval() before torch.export.export"
        )
    signature = module["signature"]
    buffers = {spec["buffer"]["arg"]["name"] for spec in signature["input_specs"] if "buffer" in spec}
    if any(str(node["target"]).startswith("torch.ops.quantized_decomposed.") for node in nodes):
        notes.append("its 8-bit values are turned into float32 before PyTorch computes with them, and rounded after")
    in_place = any("buffer_mutation" in spec for spec in signature["output_specs"])
    if in_place or any(_writes_to(node, buffers) for node in nodes):
        notes.append("the program changes buffers of its own: an answer depends on those before it")
    return tuple(notes)


def _trains(node: dict[str, Any]) -> bool:
    if not str(node["target"]).startswith("torch.ops.aten."):
        return False
    return any(
        argument["name"] in {"train", "training"} and argument["arg"].get("as_bool") is True
        for argument in node["inputs"]
    )


def _writes_to(node: dict[str, Any], buffers: set[str]) -> bool:
    """Tell an operator that changes its first argument, "add_", where that is a buffer."""
    parts = str(node["target"]).split(".")
    first = node["inputs"][0]["arg"].get("as_tensor", {}).get("name") if node["inputs"] else None
    return first in buffers and len(parts) > 3 and parts[3].endswith("_")
