"""Calling the command line, as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def dltf(*arguments: object, cwd: Path, python: str | Path = sys.executable) -> subprocess.CompletedProcess[str]:
    """Run `dltf` in a process of its own."""
    command = [str(python), "-m", "dltf.cli", *map(str, arguments)]
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
