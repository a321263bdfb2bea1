"""What the runtime says of a failure, without its noise; and the cure where there is a known one."""

from __future__ import annotations

import re

_NOISE = (
    re.compile(r"\S+\.(?:cc|h)(?::\d+)?:? "),  # the place in the source
    re.compile(r"See instructions: \S+\s*"),
    re.compile(r"Registration failed\.\s*$"),
)
_LONGEST = 300


def reason(error: BaseException) -> str:
    """Return one line."""
    text = str(error)
    for noise in _NOISE:
        text = noise.sub("", text)
    text = " ".join(text.split()) or type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def cure(error: BaseException) -> str:
    """Return the next step for a model that the runtime refuses, or nothing."""
    text = str(error)
    if "Select TensorFlow op" in text or "Flex" in text:
        return "it needs TensorFlow operators (Flex), which this runtime lacks: convert it with built-in ones only"
    if "custom op" in text:
        return "it uses an operator of its own: convert it without custom operators"
    if "Didn't find op for builtin opcode" in text:
        return "it is newer than the runtime, or damaged: pip install --upgrade ai-edge-litert"
    if "valid Flatbuffer" in text:
        return "the file is damaged: convert or download it again"
    return ""
