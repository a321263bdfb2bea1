"""Writing the report of a run: `report.html` for people, `junit.xml` for CI."""

from __future__ import annotations

import json
import shlex
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dltf.campaign import gates
from dltf.campaign.summary import SCHEMA, summarise
from dltf.errors import DltfError, ReportError, RunFolderError
from dltf.profile import Gate
from dltf.report.junit import junit
from dltf.report.page import page
from dltf.report.previews import Previews
from dltf.report.view import gathered
from dltf.store.folder import write_whole

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.store import Store

REPORT = "report.html"
JUNIT = "junit.xml"
MOST = 60  # findings in the gallery

_Made = TypeVar("_Made")


def write_report(
    store: Store, host: Host, folder: Path, *, most: int = MOST, html: Path | None = None, xml: Path | None = None
) -> Path:
    """Write both files into `folder`, or where `html` and `xml` say; return the page's path.

    The run itself is only read. Raise `ReportError` where the report cannot be made, whatever the reason.
    """
    target = html or folder / REPORT
    summary = _made(store, lambda: summary_of(store, host))
    for file, make in (
        (xml or folder / JUNIT, lambda: junit(summary)),
        (target, lambda: page(gathered(store, host, summary, most)).encode(errors="backslashreplace")),
    ):
        write_whole(file, _made(store, make))
    return target


def summary_of(store: Store, host: Host) -> dict[str, Any]:
    """Return the summary that the run wrote, or, where it was killed before it could, compute it now."""
    written = _written(store)
    if written is not None:
        return written
    profile = store.fact("profile")
    if profile is None:
        raise RunFolderError(f"{store.folder.path} holds a run that has not begun", hint="begin it with --resume")
    bounds = [
        Gate(figure, **one)
        for figure, given in profile.get("gate", {}).items()
        for one in (given if isinstance(given, list) else [given])
    ]
    sliced = [gate.slice for gate in bounds if gate.slice is not None]
    summary = summarise(store, Previews(store, host).units, sliced)
    return summary | {"gates": gates.evaluate(bounds, summary)}


def _written(store: Store) -> dict[str, Any] | None:
    """Read `summary.json` where it is of this state of the run."""
    try:
        summary: Any = json.loads(store.folder.summary.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none, or cut off: it can be computed again
        return None
    now = {"finished": store.fact("finished", False), "findings_sha256": store.findings_digest(), "schema": SCHEMA}
    same = isinstance(summary, dict) and all(summary.get(key) == value for key, value in now.items())
    return summary if same else None


def _made(store: Store, make: Callable[[], _Made]) -> _Made:
    """Make a part of the report; what goes wrong there is told as such, and the run is what it was."""
    try:
        return make()
    except (DltfError, sqlite3.Error):  # a store that is broken says so itself
        raise
    # Whatever a plugin or a bug of ours brings up: a finished run is worth more than its report.
    except Exception as error:
        folder = shlex.quote(str(store.folder.path))
        raise ReportError(
            f"the report of {store.folder.path} cannot be made: {type(error).__name__}: {error}",
            hint=f"the run itself is whole; try again with: dltf report {folder}",
        ) from error
