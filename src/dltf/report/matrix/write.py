"""Writing the report of a matrix: `report.html` for people, and `junit.xml` for CI where there are gates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dltf.errors import ReportError
from dltf.report.matrix.gates import gates_of
from dltf.report.matrix.headline import verdict
from dltf.report.matrix.inputs import Images
from dltf.report.matrix.junit import junit
from dltf.report.matrix.page import page
from dltf.report.matrix.reading import amount, part, words
from dltf.report.matrix.rows import rows_of
from dltf.report.matrix.view import gathered
from dltf.report.write import JUNIT, REPORT
from dltf.store.folder import write_whole


def write_matrix_report(written: Mapping[str, Any], folder: Path, images: Images | None = None) -> Path:
    """Write the report of what `matrix.json` holds into `folder`, whole or not at all; return the page's path.

    `images` draws the input of a case. Raise `ReportError` where the report cannot be made, whatever the reason.
    """
    try:
        html = page(gathered(written, images)).encode(errors="backslashreplace")
        xml = _junit(written)
    # A finished matrix is worth more than its report: what a bug of ours brings up is told as such.
    except Exception as error:
        raise ReportError(
            f"the report of the matrix cannot be made: {type(error).__name__}: {error}",
            hint=f"the matrix itself is whole, in {folder / 'matrix.json'}",
        ) from error
    if xml is not None:
        write_whole(folder / JUNIT, xml)
    write_whole(folder / REPORT, html)
    return folder / REPORT


def _junit(written: Mapping[str, Any]) -> bytes | None:
    if part(written, "gates") is None:
        return None
    rows = rows_of(written)
    told = verdict(rows, words(written, "reference") or "the reference", amount(written, "seeds"))
    return junit(written, rows, gates_of(written), told)
