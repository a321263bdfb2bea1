"""State dicts: what is in the file, read without running any of it."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dltf.plugin import MissingPackageError, ModelFileError, nearest
from dltf_torch.archive import is_exported
from dltf_torch.devices import runtime
from dltf_torch.network import quiet
from dltf_torch.reason import reason

if TYPE_CHECKING:
    from pathlib import Path

_DAMAGED = "export or download it again"
_EXPORT = "export it: torch.export.save(torch.export.export(model.eval(), inputs), 'model.pt2')"
_SAVE = "save torch.save(model.state_dict(), 'model.pt') and name what builds the model by the setting factory"


def check_file(file: Path) -> None:
    """Raise `ModelFileError` where there is no file, or an empty one."""
    if not file.exists():
        raise ModelFileError(f"there is no model file {file}")
    if not file.is_file():
        raise ModelFileError(f"{file} is not a file", hint="give the .pt2, .pt, .pth or .safetensors file itself")
    if file.stat().st_size == 0:
        raise ModelFileError(f"{file} is empty (0 bytes)", hint=_DAMAGED)


def holds_program(file: Path) -> bool:
    """Tell an exported program from a state dict by what is in the file; raise `ModelFileError` for other archives."""
    if not zipfile.is_zipfile(file):
        if file.suffix == ".pt2":
            raise ModelFileError(f"{file} is no exported program, or not all of one", hint=_DAMAGED)
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if is_exported(names, archive):
                return True
    except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
        raise ModelFileError(f"{file} cannot be read: {error}", hint=_DAMAGED) from error
    if "serialized_exported_program.json" in names:
        raise ModelFileError(
            f"{file} is an exported program in the form that PyTorch wrote before 2.8, with pickled weights",
            hint="save it again with torch.export.save, by PyTorch 2.9 or newer",
        )
    if any(name.endswith("/constants.pkl") for name in names):
        raise ModelFileError(f"{file} is a TorchScript file, which is not run here", hint=f"from its source, {_EXPORT}")
    return False


def read_state(file: Path, key: str) -> Mapping[str, Any]:
    """Return the tensors of a state dict by name; `key` is its entry in a checkpoint that holds more."""
    loaded = _safetensors(file) if file.suffix == ".safetensors" else _pickled(file)
    found = loaded
    for part in key.split(".") if key else ():
        if not isinstance(found, Mapping) or part not in found:
            there = map(str, found) if isinstance(found, Mapping) else ()
            raise ModelFileError(f'{file} has no entry "{key}"{nearest(part, there)}')
        found = found[part]
    tensor = runtime().Tensor
    if not isinstance(found, Mapping) or not found or not all(isinstance(value, tensor) for value in found.values()):
        raise ModelFileError(f"{file} holds no state dict: {_contents(found)}", hint=_entry(found))
    return found


def _safetensors(file: Path) -> Any:
    try:
        from safetensors.torch import load_file  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise MissingPackageError(
            f"{file.name} needs a package that is not installed: {error}", hint="pip install safetensors"
        ) from error
    try:
        return load_file(file)
    except Exception as error:  # its exceptions have no common base
        raise ModelFileError(f"{file} cannot be read: {reason(error)}", hint=_DAMAGED) from error


def _pickled(file: Path) -> Any:
    torch = runtime()
    try:
        with quiet():
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        message = str(error)
        if "Unsupported" in message or "GLOBAL" in message or "not an allowed global" in message:
            raise ModelFileError(
                f"{file} holds pickled Python objects, which could run code when they are read, and is not read: "
                f"{_global(message)}",
                hint=f"if it is a whole model, {_EXPORT}; or {_SAVE}",
            ) from error
        raise ModelFileError(f"{file} is no file of PyTorch, or not all of one: {_first(message)}") from error
    except Exception as error:  # a damaged file fails in many ways
        raise ModelFileError(
            f"{file} cannot be read: {_first(str(error)) or type(error).__name__}", hint=_DAMAGED
        ) from error


def _global(message: str) -> str:
    """Return what the file wanted to have looked up, where PyTorch names it."""
    found = re.search(r"GLOBAL [\w.]+", message)
    return found[0] if found else _first(message)


def _first(message: str) -> str:
    return (message.strip().splitlines() or [""])[0][:200]


def _contents(found: Any) -> str:
    if not isinstance(found, Mapping):
        return f"it is {type(found).__name__}"
    return "it is empty" if not found else "its entries are " + ", ".join(f'"{key}"' for key in list(found)[:6])


def _entry(found: Any) -> str:
    """Name the entry that looks like a state dict."""
    tensor = runtime().Tensor
    inner = found.items() if isinstance(found, Mapping) else ()
    nested = [(key, value.values()) for key, value in inner if isinstance(value, Mapping)]
    likely = [key for key, values in nested if any(isinstance(value, tensor) for value in values)]
    return f'set state_dict_key = "{likely[0]}"' if likely else _SAVE
