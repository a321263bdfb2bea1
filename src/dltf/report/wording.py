"""How values and names are written for people; a name from data stays text, whatever it holds."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

FORMS = {"shrink": "shrunk", "amplify": "amplified"}
"""What a finding is called after a phase."""

_LONGEST = 160  # characters of a name that a page shows; what is longer says so

# Marks that change the direction of what follows them: shown as escapes, so that no name poses as another.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def readable(text: str) -> str:
    """Escape control characters, marks of direction and what is no Unicode; line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if _plain(character) else ascii(character)[1:-1] for character in text)


def _plain(character: str) -> bool:
    if character in "\n\t":
        return True
    # Neither half a pair of surrogates nor a noncharacter is for HTML or XML.
    strange = unicodedata.category(character) in {"Cc", "Cs"} or (ord(character) & 0xFFFE) == 0xFFFE
    return not strange and character not in _TURNING and not 0xFDD0 <= ord(character) <= 0xFDEF


def short(text: object, longest: int = _LONGEST) -> str:
    """Cut a long name in its middle: its beginning and its end tell most."""
    whole = readable(str(text)).replace("\n", " ")
    if len(whole) <= longest:
        return whole
    half = (longest - 1) // 2
    return f"{whole[:half]}…{whole[-half:]}"


def number(value: Any, digits: int = 3) -> str:
    """Write a figure: whole numbers with their thousands apart, others with so many significant digits."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "not a number")
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    if abs(value) >= 10**digits:
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:.{digits}g}".replace("e-0", "e-").replace("e+0", "e").replace("-", "−")


def percent(share: float | None) -> str:
    """Write a share of 1: 4.00%, 100%."""
    if share is None:
        return "–"
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return f"{share:.2%}"


def size(count: int) -> str:
    """Write a number of bytes."""
    if count < 1000:
        return f"{count} B"
    power = min(int(math.log10(count)) // 3, 3)
    return f"{number(count / 1000**power)} {('kB', 'MB', 'GB')[power - 1]}"


def tail(name: str) -> str:
    """Return a component's name without its domain's, which all of a run share: "image.blur" is "blur"."""
    return name.partition(".")[2] or name


def counted(count: int, noun: str, nouns: str = "") -> str:
    """Write "1 finding" or "2 findings"."""
    return f"{number(count)} {noun if count == 1 else nouns or noun + 's'}"
