"""Calling the command line without a process of its own: for what a process would add nothing to."""

from __future__ import annotations

import io
import json
import signal
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from attrs import frozen
from demo import copy_demo

from dltf.cli import main


@frozen
class Called:
    """What a call came to."""

    status: int
    out: str
    err: str


def call(*arguments: object, cwd: Path) -> Called:
    """Run `dltf` here; a traceback is never what a user is to see."""
    out, err = io.StringIO(), io.StringIO()
    status: Any = 0
    before = signal.getsignal(signal.SIGTERM)
    command = patch.object(sys, "argv", ["dltf", *map(str, arguments)])
    try:
        with command, chdir(cwd), redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as left:
        status = left.code
    finally:
        signal.signal(signal.SIGTERM, before)
    called = Called(status, out.getvalue(), err.getvalue())
    assert "Traceback" not in called.out + called.err, called.err
    return called


def refused(*arguments: object, cwd: Path, status: int = 2) -> str:
    """Return the one message of a call that does not work out, which leaves every file as it was."""
    before = snapshot(cwd)
    called = call(*arguments, cwd=cwd)
    assert called.status == status, called
    assert not called.out
    assert called.err.startswith("error: "), called.err
    assert called.err.count("error: ") == 1
    assert snapshot(cwd) == before, "something was written"
    return called.err


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Return all that is in a folder: the bytes of files, None for folders."""
    paths = sorted(folder.rglob("*"))
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in paths}


def small_demo(folder: Path, count: int = 30) -> Path:
    """Copy the demo with fewer seeds and queries: a run of a tenth of a second that finds something."""
    folder.mkdir(exist_ok=True)
    profile = copy_demo(folder)
    text = (
        profile.read_text()
        .replace("count = 200", f"count = {count}")
        .replace("max_queries = 1000", "max_queries = 400")
    )
    profile.write_text(text)
    return profile


def summary_of(run: Path) -> dict[str, Any]:
    """Return what summary.json holds; NaN is no JSON."""
    summary: dict[str, Any] = json.loads((run / "summary.json").read_text(), parse_constant=_strange)
    return summary


def _strange(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")
