"""Operators of ONNX as functions of PyTorch: each takes the node's attributes, then its inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch.nn import functional

Attributes: TypeAlias = dict[str, Any]
Tensor: TypeAlias = torch.Tensor

WEIGHTS = {
    "BatchNormalization": ("input", "weight", "bias", "running_mean", "running_var"),
    "Conv": ("input", "weight", "bias"),
    "Gemm": ("input", "weight", "bias"),
    "MatMul": ("left", "weight"),
}
"""What constant inputs are called, by operator and position."""

LISTS = {
    "Clip": (1, 2),
    "Pad": (1, 2, 3),
    "ReduceMean": (1,),
    "Reshape": (1,),
    "Squeeze": (1,),
    "Unsqueeze": (1,),
}
"""The inputs that are shapes, axes or bounds, and have to be constant."""

_CONV = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
_MAX_POOL = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
_AVERAGE_POOL = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}


def conv(at: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    rank = weight.ndim - 2
    strides, dilations = at.get("strides", [1] * rank), at.get("dilations", [1] * rank)
    x, padding = padded(at, x, list(weight.shape[2:]), strides, dilations, 0.0)
    return _CONV[rank](x, weight, bias, strides, padding, dilations, at.get("group", 1))


def max_pool(at: Attributes, x: Tensor) -> Tensor:
    kernel = at["kernel_shape"]
    rank = len(kernel)
    strides, dilations = at.get("strides", [1] * rank), at.get("dilations", [1] * rank)
    x, padding = padded(at, x, kernel, strides, dilations, float("-inf"))
    return _MAX_POOL[rank](x, kernel, strides, padding, dilations, bool(at.get("ceil_mode", 0)))


def average_pool(at: Attributes, x: Tensor) -> Tensor:
    kernel = at["kernel_shape"]
    rank, counted = len(kernel), bool(at.get("count_include_pad", 0))
    strides, ceil = at.get("strides", [1] * rank), bool(at.get("ceil_mode", 0))
    before, after = pads(at, x, kernel, strides, [1] * rank)
    if before == after:
        return _AVERAGE_POOL[rank](x, kernel, strides, before, ceil, counted)
    wide = functional.pad(x, around(before, after))
    sums = _AVERAGE_POOL[rank](wide, kernel, strides, 0, ceil)
    if counted:
        return sums
    ones = functional.pad(torch.ones_like(x[:1, :1]), around(before, after))
    return sums / _AVERAGE_POOL[rank](ones, kernel, strides, 0, ceil)


def padded(
    at: Attributes, x: Tensor, kernel: list[int], strides: list[int], dilations: list[int], value: float
) -> tuple[Tensor, list[int]]:
    """Return the input and the padding that PyTorch adds to it: it has none that differs from side to side."""
    before, after = pads(at, x, kernel, strides, dilations)
    if before == after:
        return x, before
    return functional.pad(x, around(before, after), value=value), [0] * len(kernel)


def pads(
    at: Attributes, x: Tensor, kernel: list[int], strides: list[int], dilations: list[int]
) -> tuple[list[int], list[int]]:
    """Return how much is added before and after each axis."""
    rank, kind = len(kernel), at.get("auto_pad", "NOTSET")
    if kind in {"NOTSET", "VALID"}:
        both = at.get("pads", [0] * (2 * rank)) if kind == "NOTSET" else [0] * (2 * rank)
        return both[:rank], both[rank:]
    short = [
        max((-(-size // stride) - 1) * stride + (taps - 1) * dilation + 1 - size, 0)
        for size, taps, stride, dilation in zip(x.shape[2:], kernel, strides, dilations, strict=True)
    ]
    less, more = [each // 2 for each in short], [each - each // 2 for each in short]
    return (less, more) if kind == "SAME_UPPER" else (more, less)


def around(before: list[int], after: list[int]) -> list[int]:
    """Return the padding as `functional.pad` takes it: the last axis first."""
    return [each for pair in reversed(list(zip(before, after, strict=True))) for each in pair]


def batch_norm(at: Attributes, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    return functional.batch_norm(x, mean, variance, weight, bias, training=False, eps=at.get("epsilon", 1e-5))


def gemm(at: Attributes, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    a, b = a.T if at.get("transA") else a, b.T if at.get("transB") else b
    if c is None:
        return at.get("alpha", 1.0) * (a @ b)
    return torch.addmm(c, a, b, beta=at.get("beta", 1.0), alpha=at.get("alpha", 1.0))


def softmax(at: Attributes, x: Tensor) -> Tensor:
    if at["opset"] >= 13:
        return torch.softmax(x, at.get("axis", -1))
    axis = at.get("axis", 1) % x.ndim  # until opset 13 over all axes from this one on
    return torch.softmax(x.flatten(axis), -1).reshape(x.shape)


def clip(at: Attributes, x: Tensor, low: float | None = None, high: float | None = None) -> Tensor:
    low, high = at.get("min", low), at.get("max", high)
    return x if low is None and high is None else torch.clamp(x, low, high)


def reduce_mean(at: Attributes, x: Tensor, axes: list[int] | None = None) -> Tensor:
    over = at.get("axes", axes)
    if not over and at.get("noop_with_empty_axes"):
        return x
    return x.mean(over or list(range(x.ndim)), keepdim=bool(at.get("keepdims", 1)))


def reshape(at: Attributes, x: Tensor, shape: list[int]) -> Tensor:
    kept = not at.get("allowzero")
    return x.reshape([x.shape[i] if size == 0 and kept else size for i, size in enumerate(shape)])


def flatten(at: Attributes, x: Tensor) -> Tensor:
    axis = at.get("axis", 1)
    axis = axis + x.ndim if axis < 0 else axis
    return x.reshape(1, -1) if axis == 0 else x.flatten(0, axis - 1).flatten(1) if axis < x.ndim else x.reshape(-1, 1)


def squeeze(at: Attributes, x: Tensor, axes: list[int] | None = None) -> Tensor:
    over = at.get("axes", axes)
    return x.squeeze() if over is None else x.squeeze(tuple(over))


def unsqueeze(at: Attributes, x: Tensor, axes: list[int] | None = None) -> Tensor:
    over = at["axes"] if axes is None else axes
    rank = x.ndim + len(over)
    for axis in sorted(each % rank for each in over):
        x = x.unsqueeze(axis)
    return x


def pad(
    at: Attributes,
    x: Tensor,
    widths: list[int] | None = None,
    value: float | None = None,
    axes: list[int] | None = None,
) -> Tensor:
    both = at["pads"] if widths is None else widths
    before, after = [0] * x.ndim, [0] * x.ndim
    for i, axis in enumerate(range(x.ndim) if axes is None else axes):
        before[axis], after[axis] = both[i], both[i + len(both) // 2]
    mode = at.get("mode", "constant")
    if mode == "constant":
        return functional.pad(x, around(before, after), value=at.get("value", value or 0.0))
    if any(before[:2] + after[:2]):
        raise NotImplementedError(f"Pad of the mode {mode} on batch or channels")
    return functional.pad(x, around(before[2:], after[2:]), mode={"edge": "replicate"}.get(mode, mode))


OPERATORS: dict[str, Callable[..., Tensor]] = {
    "Add": lambda at, a, b: a + b,
    "AveragePool": average_pool,
    "BatchNormalization": batch_norm,
    "Clip": clip,
    "Concat": lambda at, *parts: torch.cat(parts, at["axis"]),
    "Conv": conv,
    "Div": lambda at, a, b: a / b,
    "Dropout": lambda at, x, *settings: x,
    "Flatten": flatten,
    "Gemm": gemm,
    "GlobalAveragePool": lambda at, x: x.mean(list(range(2, x.ndim)), keepdim=True),
    "GlobalMaxPool": lambda at, x: x.amax(list(range(2, x.ndim)), keepdim=True),
    "Identity": lambda at, x: x,
    "LeakyRelu": lambda at, x: functional.leaky_relu(x, at.get("alpha", 0.01)),
    "MatMul": lambda at, a, b: a @ b,
    "MaxPool": max_pool,
    "Mul": lambda at, a, b: a * b,
    "Pad": pad,
    "ReduceMean": reduce_mean,
    "Relu": lambda at, x: torch.relu(x),
    "Reshape": reshape,
    "Sigmoid": lambda at, x: torch.sigmoid(x),
    "Softmax": softmax,
    "Squeeze": squeeze,
    "Sub": lambda at, a, b: a - b,
    "Tanh": lambda at, x: torch.tanh(x),
    "Transpose": lambda at, x: x.permute(at.get("perm", list(range(x.ndim))[::-1])),
    "Unsqueeze": unsqueeze,
}
"""Every operator that is rebuilt."""
