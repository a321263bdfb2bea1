"""Transcripts, normalised by a named rule: the words of two texts can be compared only under the same one."""

from __future__ import annotations

import unicodedata
from typing import Literal, get_args

from attrs import validators

Normalise = Literal["none", "lower", "upper", "letters"]

known_normalisation = validators.in_(get_args(Normalise))

_APOSTROPHES = "’‘ʼ＇`´"  # what typesetting makes of '


def normalise(text: str, how: Normalise) -> str:
    """Return the words of a text, separated by single spaces, with nothing before and after.

    "none" leaves the words as they are; "lower" and "upper" change their case; "letters" is lower case and keeps
    letters and the apostrophes inside words, so that everything else separates words, and figures are gone.
    """
    if how == "lower":
        text = text.lower()
    elif how == "upper":
        text = text.upper()
    elif how == "letters":
        text = _letters(text)
    return " ".join(text.split())


def _letters(text: str) -> str:
    """Return letters, combining marks and apostrophes, spaces for all else."""
    whole = unicodedata.normalize("NFC", text.lower())
    plain = "".join("'" if one in _APOSTROPHES else one for one in whole)
    kept = "".join(one if one == "'" or unicodedata.category(one)[0] in "LM" else " " for one in plain)
    return " ".join(word.strip("'") for word in kept.split())
