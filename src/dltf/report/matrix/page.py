"""The page of a matrix: one file that opens from disk, has no script, and asks for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dltf.report.page import rendered


def page(gathered: Mapping[str, Any]) -> str:
    """Return the HTML."""
    return rendered(
        gathered, ("matrix.html.j2", "matrix_parts.html.j2", "macros.html.j2"), ("report.css", "matrix.css")
    )
