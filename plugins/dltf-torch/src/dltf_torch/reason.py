"""What PyTorch says of a failure, without its noise."""

from __future__ import annotations

import re

_NOISE = (
    re.compile(r"^backend='\w+' raised:\s*"),
    re.compile(r"\[enforce fail at [^\]]*\]\s*\.?\s*"),
    re.compile(r"\s*Exception raised from .*", re.DOTALL),
    re.compile(r"\s*Set TORCHDYNAMO_VERBOSE=1 .*", re.DOTALL),
    re.compile(r"\s*\(Triggered internally at .*", re.DOTALL),
    re.compile(r"\s*While executing %.*", re.DOTALL),
    re.compile(r"\s*from user code:.*", re.DOTALL),
)
_LONGEST = 300


def reason(error: BaseException) -> str:
    """Return one line."""
    text = str(error)
    for noise in _NOISE:
        text = noise.sub("", text)
    text = " ".join(text.split()) or type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
