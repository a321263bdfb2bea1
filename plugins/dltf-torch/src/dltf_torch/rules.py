"""What PyTorch keeps for the whole process (determinism, TF32, threads), set for the time of a run alone.

Two runners may run at the same time in two threads. Those under equal rules do; those under different ones wait for
each other, so that none computes under the other's.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import frozen

from dltf_torch.devices import runtime


@frozen
class Rules:
    """How arithmetic may be done."""

    deterministic: bool
    tf32: bool


class _Reign:
    """Which rules hold, and for how many runs; what there was before comes back after the last one."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._rules: Rules | None = None
        self._runs = 0
        self._before: tuple[Any, ...] = ()

    def begin(self, rules: Rules) -> None:
        with self._change:
            self._change.wait_for(lambda: self._rules in {None, rules})
            if self._rules is None:
                self._before = _state()
                _apply(rules.deterministic, rules.deterministic, False, *(["tf32" if rules.tf32 else "ieee"] * 2))
            self._rules = rules
            self._runs += 1

    def end(self) -> None:
        with self._change:
            self._runs -= 1
            if self._runs == 0:
                _apply(*self._before)
                self._rules = None
                self._change.notify_all()


_REIGN = _Reign()


@contextmanager
def in_force(rules: Rules, threads: int) -> Iterator[None]:
    """Hold these rules, and the number of threads for operators that this thread starts."""
    torch = runtime()
    _REIGN.begin(rules)
    try:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)  # stays: PyTorch remembers it for each thread that starts operators
        yield
    finally:
        _REIGN.end()


def before_cuda_starts() -> None:
    """Ask cuBLAS for results that do not depend on its workspace; it reads this once, when it starts."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def _state() -> tuple[Any, ...]:
    torch = runtime()
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
        torch.backends.cuda.matmul.fp32_precision,
        torch.backends.cudnn.conv.fp32_precision,
    )


def _apply(deterministic: bool, cudnn: bool, benchmark: bool, matmul: str, conv: str) -> None:
    torch = runtime()
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.deterministic = cudnn
    torch.backends.cudnn.benchmark = benchmark
    torch.backends.cuda.matmul.fp32_precision = matmul
    torch.backends.cudnn.conv.fp32_precision = conv
