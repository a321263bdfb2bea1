"""What a run was made on and with."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dltf.errors import ModelFileError

if TYPE_CHECKING:
    from dltf.host import Host


def environment(host: Host) -> dict[str, Any]:
    """Return versions and the machine; nothing that names a person or a host."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "numpy": np.__version__,
        "plugins": {plugin.distribution: plugin.version for plugin in host.plugins},
    }


def file_facts(file: Path) -> dict[str, Any]:
    """Return where a file lies, its size in bytes and its sha256."""
    try:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return {"file": str(file), "bytes": file.stat().st_size, "sha256": digest}
    except OSError as error:
        raise ModelFileError(f"{file} cannot be read: {error.strerror}") from error


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
