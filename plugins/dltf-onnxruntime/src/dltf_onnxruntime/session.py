"""Opening a session on the provider that was asked for, and on no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from dltf.plugin import MissingPackageError, ModelFileError, TargetUnavailableError
from dltf_onnxruntime.assignment import RECORD
from dltf_onnxruntime.providers import CPU, runtime
from dltf_onnxruntime.reason import reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dltf_onnxruntime.providers import Provider

_LEVELS = {
    "disabled": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "layout": "ORT_ENABLE_LAYOUT",
    "all": "ORT_ENABLE_ALL",
}
_FATAL = 4  # every failure reaches us as an exception as well
_FAULTS_OF_THE_FILE = ("InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoModel", "NoSuchFile")


class SessionSettings(Protocol):
    """What a session is made with: the fields of the backend."""

    @property
    def optimisation(self) -> str: ...
    @property
    def threads(self) -> int: ...
    @property
    def provider_options(self) -> Mapping[str, Any]: ...
    @property
    def cpu_fallback(self) -> bool: ...


def open_session(settings: SessionSettings, file: Path, provider: Provider) -> Any:
    """Return an `InferenceSession`; raise `ModelFileError` or `TargetUnavailableError` where there is none to have."""
    _check_file(file)
    onnxruntime = runtime()
    options = _options(settings, provider)
    chain: list[Any] = [(provider.long_name, dict(settings.provider_options))]
    if settings.cpu_fallback:
        chain.append(CPU.long_name)
    try:
        session = onnxruntime.InferenceSession(
            str(file),
            options,
            providers=chain,
            enable_fallback=0,  # else a provider that fails is exchanged for the CPU, and only a print says so
        )
    except Exception as error:  # its exceptions have no common base
        raise _blame(error, file, provider) from error
    first = next(iter(session.get_providers()), "none")
    if first != provider.long_name:
        raise TargetUnavailableError(
            f'the target "{provider.name}" did not start: ONNX Runtime would run {file.name} on {first} instead',
            hint=f"see what it printed, and check the drivers and libraries that {provider.long_name} needs",
        )
    return session


def _check_file(file: Path) -> None:
    if not file.exists():
        raise ModelFileError(f"there is no model file {file}")
    if not file.is_file():
        raise ModelFileError(f"{file} is not a file", hint="give the .onnx file itself")
    if file.stat().st_size == 0:
        raise ModelFileError(f"{file} is empty (0 bytes)", hint="export or download it again")


def _options(settings: SessionSettings, provider: Provider) -> Any:
    onnxruntime = runtime()
    level = getattr(onnxruntime.GraphOptimizationLevel, _LEVELS[settings.optimisation], None)
    if level is None:
        raise MissingPackageError(
            f'ONNX Runtime {onnxruntime.__version__} has no optimisation level "{settings.optimisation}"',
            hint='pip install --upgrade onnxruntime, or use optimisation = "extended" or "all"',
        )
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    if provider is not CPU:
        options.add_session_config_entry(RECORD if settings.cpu_fallback else "session.disable_cpu_ep_fallback", "1")
    return options


def _blame(error: Exception, file: Path, provider: Provider) -> Exception:
    if provider is CPU or type(error).__name__ in _FAULTS_OF_THE_FILE:
        return ModelFileError(f"ONNX Runtime cannot open {file}: {reason(error)}", hint=_cure(error))
    hint = ""
    if "fallback to CPU EP has been explicitly disabled" in str(error):
        hint = f"{provider.long_name} lacks some of its operators; cpu_fallback = true lets the CPU run those"
    return TargetUnavailableError(
        f'the target "{provider.name}" cannot open {file}: {reason(error)}',
        hint=hint or "check the provider_options, drivers and libraries; or use another target",
    )


def _cure(error: Exception) -> str:
    if type(error).__name__ == "NotImplemented":
        return "ONNX Runtime has no kernel for this operator and type: convert the model to another type or opset"
    if "not a registered function/op" in str(error):
        return "it uses an operator that is not part of ONNX: export it without custom operators"
    if "No graph was found" in str(error) or "parsing failed" in str(error):
        return "is it an ONNX file, and all of it? Export or download it again"
    return ""
