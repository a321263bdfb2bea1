"""ONNX Runtime for models that are more than one graph."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

from dltf.plugin import MissingPackageError, ModelFileError, Target, TargetUnavailableError, nearest
from dltf_speech.backends.clips import existing, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PROVIDERS = {
    "cpu": ("CPUExecutionProvider", "the default kernels, on the processor"),
    "cuda": ("CUDAExecutionProvider", "NVIDIA GPUs, through CUDA"),
}
_DISTRIBUTIONS = ("onnxruntime", "onnxruntime-gpu")
_FATAL = 4  # every failure reaches us as an exception as well


def runtime() -> Any:
    """Import ONNX Runtime, or say how to install it."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingPackageError(
            f'the backend "whisper-onnx" cannot import onnxruntime: {error}', hint="pip install 'dltf-speech[whisper]'"
        ) from error
    return onnxruntime


def targets() -> Sequence[Target]:
    """List the providers, each with the reason where it is not here."""
    try:
        available = frozenset(runtime().get_available_providers())
    except MissingPackageError as error:
        return [Target(name, summary, f"{error.message}: {error.hint}") for name, (_, summary) in PROVIDERS.items()]
    return [
        Target(name, summary, "" if provider in available else f"{provider} is not in this build of ONNX Runtime")
        for name, (provider, summary) in PROVIDERS.items()
    ]


def usable(target: str) -> str:
    """Return the provider of a target; raise `TargetUnavailableError` where it is not on this machine."""
    known = {one.name: one for one in targets()}
    if target not in known:
        raise TargetUnavailableError(f'the backend "whisper-onnx" has no target "{target}"{nearest(target, known)}')
    if not known[target].usable:
        hint = f"{known[target].why_not}; pip install onnxruntime-gpu brings it" if target == "cuda" else ""
        raise TargetUnavailableError(f'the target "{target}" is not usable here', hint=hint or known[target].why_not)
    return PROVIDERS[target][0]


def open_session(file: Path, provider: str, threads: int) -> Any:
    """Return an `InferenceSession` on this provider alone; raise `ModelFileError` where the file is no model."""
    existing(file, "model file")
    onnxruntime = runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=[provider], enable_fallback=0)
    except Exception as error:  # its exceptions have no common base
        raise ModelFileError(
            f"ONNX Runtime cannot open {file}: {one_line(error)}", hint="is it all of the file? Export it again"
        ) from error
    if provider not in session.get_providers():
        raise TargetUnavailableError(f"{provider} did not start: ONNX Runtime would run {file.name} elsewhere instead")
    return session


def versions() -> Mapping[str, str]:
    """Return the versions of what is installed under ONNX Runtime's name."""
    found = {}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
