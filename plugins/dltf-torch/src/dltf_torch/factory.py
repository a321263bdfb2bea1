"""State dicts: a function of the user's builds the module, the file fills it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, Protocol

from dltf.plugin import MisfitError, ModelFileError, TensorSpec, nearest
from dltf_torch import compiled as inductor
from dltf_torch.devices import runtime
from dltf_torch.int8 import Int8, with_8_bits
from dltf_torch.network import Network, Sizes, dtype_name, kept_outputs
from dltf_torch.reason import reason
from dltf_torch.state import read_state
from dltf_torch.tree import flatten, name

_IMPORTING = threading.Lock()  # sys.path is one for all threads
_SHOWN = 4  # keys that a message names
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)
_PROBES = (64, 96)  # sizes that stand for one left open, to see which sizes of the outputs follow it


class FactorySettings(Protocol):
    """How a module is built and fed: fields of the backend."""

    @property
    def factory(self) -> str: ...
    @property
    def factory_arguments(self) -> Mapping[str, Any]: ...
    @property
    def path(self) -> Path | None: ...
    @property
    def state_dict_key(self) -> str: ...
    @property
    def input_shapes(self) -> Mapping[str, tuple[int, ...]]: ...
    @property
    def input_dtypes(self) -> Mapping[str, str]: ...
    @property
    def int8(self) -> Int8: ...


def open_module(settings: FactorySettings, file: Path, device: Any, *, compiled: bool) -> Network:
    """Build the module, fill it from the file, and find out what it takes and gives."""
    if not settings.factory:
        raise ModelFileError(
            f"{file} holds weights, and not what to compute with them",
            hint='set factory = "package.module:function", which returns the model; or export it to a .pt2 file',
        )
    state = read_state(file, settings.state_dict_key)
    module = _build(settings)
    _fill(module, state, file)
    module.eval().requires_grad_(False).to(device)
    layers = with_8_bits(module, settings.int8, file)
    inputs = _inputs(module, settings)
    outputs = _probe(_caller(module, module, inputs), inputs, device, file)
    answer = _caller(inductor.compiled(module) if compiled else module, module, inputs)
    kept, specs, notes = kept_outputs(outputs, lambda spec: spec.shape[:1] == (None,), file)

    def call(tensors: Sequence[Any]) -> list[Any]:
        found = [value for _, value in flatten(answer(tensors))]
        return [found[i] for i in kept]

    dtypes = tuple(getattr(runtime(), spec.dtype) for spec in inputs)
    dynamic = tuple(tuple(axis for axis, size in enumerate(spec.shape) if size is None) for spec in inputs)
    return Network(inputs, specs, Sizes(), (*notes, *layers), call, dtypes, dynamic)


def sources(settings: FactorySettings) -> list[Path]:
    """Return the file of the factory's module, where it is found; what that imports is not looked at."""
    with _IMPORTING:
        _look_in(settings.path)
        try:
            spec = importlib.util.find_spec(settings.factory.partition(":")[0])
        except (ImportError, ValueError):
            return []
    return [Path(spec.origin)] if spec is not None and spec.origin is not None and spec.has_location else []


def _build(settings: FactorySettings) -> Any:
    torch = runtime()
    where, _, function = settings.factory.partition(":")
    try:
        with _IMPORTING:
            _look_in(settings.path)
            module = importlib.import_module(where)
        _is_ours(module, where, settings.path)
        build = getattr(module, function)
    except ModelFileError:
        raise
    except Exception as error:
        raise ModelFileError(
            f"the factory {settings.factory} cannot be imported: {type(error).__name__}: {reason(error)}",
            hint=f"modules are looked for {f'in {settings.path}, then ' if settings.path else ''}where Python always "
            "does; the setting path names a further folder",
        ) from error
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # what the file does not fill is the same every time
            module = build(**settings.factory_arguments)
    except Exception as error:
        raise ModelFileError(
            f"the factory {settings.factory} raised {type(error).__name__}: {reason(error)}",
            hint="it is called with factory_arguments as they are in the profile",
        ) from error
    if not isinstance(module, torch.nn.Module):
        raise ModelFileError(f"the factory {settings.factory} returned {type(module).__name__}, and no torch.nn.Module")
    return module


def _look_in(path: Path | None) -> None:
    """Let modules of this folder be found; it stays there, since functions import late, too."""
    if path is not None and str(path) not in sys.path:
        sys.path.insert(0, str(path))
    importlib.invalidate_caches()


def _is_ours(module: Any, name: str, path: Path | None) -> None:
    """Refuse a module of this name that another variant or package has brought from elsewhere."""
    head = name.partition(".")[0]
    wanted = None if path is None else PathFinder.find_spec(head, [str(path)])
    loaded = sys.modules[head].__spec__
    if wanted is not None and loaded is not None and loaded.origin != wanted.origin:
        raise ModelFileError(
            f'the module "{head}" is already there, from {loaded.origin}, and not from {path}',
            hint="rename one of them: a process has one module of a name (campaign.isolate has one for each)",
        )


def _fill(module: Any, state: Mapping[str, Any], file: Path) -> None:
    try:
        told = module.load_state_dict(dict(state), strict=False)
    except Exception as error:
        raise ModelFileError(f"{file} does not fit the model of its factory: {reason(error)}") from error
    complaints = [
        f"{len(keys)} {what} ({', '.join(keys[:_SHOWN])}{', …' if len(keys) > _SHOWN else ''})"
        for what, keys in (("missing", told.missing_keys), ("too many", told.unexpected_keys))
        if keys
    ]
    if complaints:
        raise ModelFileError(
            f"{file} does not fit the model of its factory, of its keys {' and '.join(complaints)}",
            hint="check factory_arguments, and that the state dict was saved from this architecture",
        )


def _inputs(module: Any, settings: FactorySettings) -> tuple[TensorSpec, ...]:
    """Return the inputs in the order of `forward`; their shapes come from the settings."""
    parameters = inspect.signature(module.forward).parameters
    anything = any(p.kind in {p.VAR_POSITIONAL, p.VAR_KEYWORD} for p in parameters.values())
    named = {key: p for key, p in parameters.items() if p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}}
    stray = [key for key in (*settings.input_shapes, *settings.input_dtypes) if key not in named and not anything]
    if stray:
        raise MisfitError(f'the model has no input "{stray[0]}"{nearest(stray[0], named)}')
    wanted = [key for key, p in named.items() if p.default is p.empty or key in settings.input_shapes]
    wanted += [key for key in settings.input_shapes if key not in named]
    without = [key for key in wanted if key not in settings.input_shapes]
    if without or not wanted:
        example = ", ".join(f"{key} = [3, 32, 32]" for key in wanted or ["x"])
        raise MisfitError(
            f"a state dict does not say the shapes of its model's inputs: {', '.join(without or ['x'])}",
            hint=f"set input_shapes = {{ {example} }}, sizes of one input without the batch; 0 leaves a size open",
        )
    return tuple(
        TensorSpec(
            key,
            (None, *(size or None for size in settings.input_shapes[key])),
            settings.input_dtypes.get(key, "float32"),
        )
        for key in wanted
    )


def _caller(run: Any, module: Any, inputs: tuple[TensorSpec, ...]) -> Any:
    parameters = inspect.signature(module.forward).parameters
    named = [spec.name for spec in inputs]
    by_position = any(p.kind in _POSITIONAL for p in parameters.values())

    def answer(tensors: Sequence[Any]) -> Any:
        return run(*tensors) if by_position else run(**dict(zip(named, tensors, strict=True)))

    return answer


def _probe(answer: Any, inputs: tuple[TensorSpec, ...], device: Any, file: Path) -> list[tuple[str, TensorSpec | None]]:
    """Run zeros of two sizes: what is equal in both is the output's own, the rest is left open."""
    torch = runtime()
    seen = []
    for n, stand_in in zip((2, 3), _PROBES, strict=True):
        zeros = [
            torch.zeros([size or (n if i == 0 else stand_in) for i, size in enumerate(spec.shape)],
                        dtype=getattr(torch, spec.dtype), device=device)
            for spec in inputs
        ]  # fmt: skip
        try:
            with torch.inference_mode():
                seen.append([(name(path), value) for path, value in flatten(answer(zeros))])
        except Exception as error:
            raise ModelFileError(
                f"the model of {file} does not run on zeros of {', '.join(map(str, inputs))}: {reason(error)}",
                hint="check input_shapes and input_dtypes, and give each size that the model does not leave open",
            ) from error
    return [(key, _spec(key, value, other)) for (key, value), (_, other) in zip(*seen, strict=False)]


def _spec(key: str, value: Any, other: Any) -> TensorSpec | None:
    if not isinstance(value, runtime().Tensor) or dtype_name(value.dtype) is None or value.ndim != other.ndim:
        return None
    rows = value.shape[:1] == (2,) and other.shape[:1] == (3,)
    shape = [a if a == b else None for a, b in zip(value.shape, other.shape, strict=True)]
    if shape:
        shape[0] = None if rows else value.shape[0]
    return TensorSpec(key, tuple(shape), str(dtype_name(value.dtype)))
