"""Execution providers: the short names that profiles use, and which package brings each."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from dltf.plugin import MissingPackageError, Target, TargetUnavailableError, nearest


@frozen
class Provider:
    """One execution provider. `brought_by` goes on from "not in this build of ONNX Runtime; it comes with …"."""

    name: str
    long_name: str
    summary: str
    brought_by: str


CPU = Provider("cpu", "CPUExecutionProvider", "the default kernels, on the processor", "every build")

PROVIDERS: tuple[Provider, ...] = (
    CPU,
    Provider("cuda", "CUDAExecutionProvider", "NVIDIA GPUs, through CUDA", "pip install onnxruntime-gpu"),
    Provider(
        "tensorrt",
        "TensorrtExecutionProvider",
        "NVIDIA GPUs, through TensorRT",
        "pip install onnxruntime-gpu and NVIDIA's TensorRT",
    ),
    Provider(
        "tensorrt_rtx",
        "NvTensorRTRTXExecutionProvider",
        "NVIDIA RTX GPUs, through TensorRT for RTX",
        "pip install onnxruntime-trt-rtx",
    ),
    Provider("openvino", "OpenVINOExecutionProvider", "Intel devices", "pip install onnxruntime-openvino"),
    Provider("dnnl", "DnnlExecutionProvider", "processors, through oneDNN", "a build with --use_dnnl"),
    Provider("xnnpack", "XnnpackExecutionProvider", "processors, through XNNPACK", "a build with --use_xnnpack"),
    Provider("coreml", "CoreMLExecutionProvider", "Apple devices", "pip install onnxruntime, on macOS"),
    Provider("qnn", "QNNExecutionProvider", "Qualcomm processors", "pip install onnxruntime-qnn"),
    Provider("dml", "DmlExecutionProvider", "DirectX 12 GPUs", "pip install onnxruntime-directml, on Windows"),
    Provider("migraphx", "MIGraphXExecutionProvider", "AMD GPUs, through MIGraphX", "AMD's onnxruntime-migraphx"),
    Provider("rocm", "ROCMExecutionProvider", "AMD GPUs, through ROCm (before 1.23)", "AMD's onnxruntime-rocm"),
    Provider("vitisai", "VitisAIExecutionProvider", "AMD NPUs, through Vitis AI", "AMD's Ryzen AI software"),
    Provider("webgpu", "WebGpuExecutionProvider", "GPUs, through WebGPU", "a build with --use_webgpu"),
    Provider("nnapi", "NnapiExecutionProvider", "Android devices, through NNAPI", "a build with --use_nnapi"),
    Provider("acl", "ACLExecutionProvider", "processors, through Arm's Compute Library", "a build with --use_acl"),
    Provider("cann", "CANNExecutionProvider", "Huawei Ascend", "pip install onnxruntime-cann"),
)

DISTRIBUTIONS: tuple[str, ...] = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-trt-rtx",
    "onnxruntime-openvino",
    "onnxruntime-qnn",
    "onnxruntime-directml",
    "onnxruntime-migraphx",
    "onnxruntime-rocm",
    "onnxruntime-cann",
)
"""What may be installed under the one import name; two of them at once overwrite each other."""


def runtime() -> Any:
    """Import ONNX Runtime, or say how to install it."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingPackageError(
            f'the backend "onnxruntime" cannot import its package: {error}', hint="pip install onnxruntime"
        ) from error
    return onnxruntime


def targets() -> tuple[Target, ...]:
    """List every provider, each with the reason where it is not here."""
    try:
        available = frozenset(runtime().get_available_providers())
    except MissingPackageError as error:
        why_not = f"{error.message}: {error.hint}"
        return tuple(Target(provider.name, provider.summary, why_not) for provider in PROVIDERS)
    return tuple(Target(p.name, p.summary, "" if p.long_name in available else _absent(p)) for p in PROVIDERS)


def usable(name: str) -> Provider:
    """Return the provider of this name; raise `TargetUnavailableError` where it is not on this machine."""
    known = {provider.name: provider for provider in PROVIDERS}
    if name not in known:
        raise TargetUnavailableError(f'the backend "onnxruntime" has no target "{name}"{nearest(name, known)}')
    provider = known[name]
    if provider.long_name not in runtime().get_available_providers():
        raise TargetUnavailableError(f'the target "{name}" is not usable here', hint=_absent(provider))
    return provider


def _absent(provider: Provider) -> str:
    return f"{provider.long_name} is not in this build of ONNX Runtime; it comes with {provider.brought_by}"
