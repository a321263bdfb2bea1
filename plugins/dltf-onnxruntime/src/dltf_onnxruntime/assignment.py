"""Which operators the CPU runs in place of the provider that was asked for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from dltf.plugin import TargetUnavailableError
from dltf_onnxruntime.providers import CPU

if TYPE_CHECKING:
    from pathlib import Path

    from dltf_onnxruntime.providers import Provider

RECORD = "session.record_ep_graph_assignment_info"
"""The setting of a session that makes it remember (ONNX Runtime 1.24; earlier ones ignore it)."""


def fallback_note(session: Any, file: Path, provider: Provider) -> str:
    """Return what a reader of the results has to know; raise where the CPU would run everything."""
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return f"operators that {provider.long_name} lacks run on the CPU"
    taken = [
        (part.ep_name, node.op_type)
        for part in session.get_provider_graph_assignment_info()
        for node in part.get_nodes()
    ]
    left = Counter(operator for name, operator in taken if name == CPU.long_name)
    if taken and sum(left.values()) == len(taken):
        raise TargetUnavailableError(
            f'the target "{provider.name}" takes no operator of {file.name}: the CPU would run all of them',
            hint='use target = "cpu", or convert the model to a type that the provider takes',
        )
    if not left:
        return f"{provider.long_name} runs every operator, the CPU none"
    listed = ", ".join(f"{operator} × {count}" for operator, count in sorted(left.items()))
    return f"{provider.long_name} lacks {left.total()} of {len(taken)} operators, which run on the CPU: {listed}"
