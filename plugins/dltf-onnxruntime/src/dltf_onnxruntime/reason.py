"""What ONNX Runtime says of a failure, without its noise."""

from __future__ import annotations

import re

_PREFIXES = (
    re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : "),
    re.compile(r"^Load model from .*? failed:\s*"),
    re.compile(r"Non-zero status code returned while (?=running)"),
    re.compile(r"\S+\.(?:cc|h|cpp|hpp|cuh?):\d+ .*?\)(?: const)? (?=\S)"),  # file:line and the function's signature
)
_LONGEST = 300


def reason(error: Exception) -> str:
    """Return one line."""
    text = str(error)
    for prefix in _PREFIXES:
        text = prefix.sub("", text)
    text = " ".join(text.split()) or type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
