"""What OpenVINO says of a failure, without its noise."""

from __future__ import annotations

import re

_NOISE = (
    re.compile(r"Exception from \S+:\d+:\s*"),
    re.compile(r"Check '.*' failed at \S+:\d+:\s*"),
    re.compile(r"FrontEnd API failed with \w+:\s*"),
    re.compile(r" Available frontends: .*"),
)
_LONGEST = 300


def reason(error: BaseException) -> str:
    """Return one line."""
    text = str(error)
    for noise in _NOISE:
        text = noise.sub("", text)
    text = " ".join(text.split()) or " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
