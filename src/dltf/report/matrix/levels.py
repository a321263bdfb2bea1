"""The levels of verdicts for people: each with its class in the style sheet and what it means, in one line."""

from __future__ import annotations

from dltf.matrix.verdict import FAILURES, VERDICTS

MEANINGS = {
    "reference": "what the others are compared with",
    "identical": "every bit of every output is the reference’s",
    "within tolerance": "outputs differ by rounding alone",
    "numeric drift": "outputs differ by more than rounding; labels and ranks do not",
    "rank change": "the best label is the same, the order behind it is not",
    "label change": "some seeds get another label",
    "accuracy change": "more labels are right, or fewer, than chance explains",
    "does not convert": "a conversion failed",
    "does not load": "its runtime does not take the file",
    "fails while running": "it stopped on a seed",
    "not available here": "its runtime, package or device is not on this machine",
}


def css(level: str) -> str:
    """Return a level's class in the style sheet; one that is not known has one of its own."""
    return f"level-{level.replace(' ', '-')}" if level in MEANINGS else "level-unknown"


def failed(level: str) -> bool:
    """Whether a variant of this level has no figures."""
    return level in FAILURES or level not in VERDICTS
