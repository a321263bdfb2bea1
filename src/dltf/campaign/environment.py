"""What a run was made on and with."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from dltf.errors import ModelFileError

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.profile.model import LatentPaths, Variant


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


def model_facts(described: Variant) -> dict[str, Any]:
    """Return what a model is called, its size in bytes and its sha256; that of several files is one over theirs.

    A repaired model is those of the model and of its repair.
    """
    own = unrepaired_facts(described)
    if described.repairing is None:
        return own
    repair = described.repairing.repair
    file, head = (_file_facts(one) for one in repair.files)
    told = f"{own['sha256']}{file['sha256']}{head['sha256']}"
    return own | {
        "bytes": own["bytes"] + head["bytes"],
        "sha256": hashlib.sha256(told.encode()).hexdigest(),
        "repair": {
            "file": str(repair.file),
            "sha256": file["sha256"],
            "head": repair.use,
            "head_bytes": head["bytes"],
            "head_sha256": head["sha256"],
            "threshold": repair.threshold,
            "of": own["sha256"],
        },
    }


def unrepaired_facts(described: Variant) -> dict[str, Any]:
    """Return the facts of the model itself, whether or not it is repaired."""
    table = described.table
    many = getattr(described.backend, "files", None)  # contracts.ManyFiles
    files = [file for file in (many(table.file or Path()) if many is not None else [table.file]) if file is not None]
    facts = {str(file): _file_facts(file) for file in files}
    called = {"file": str(described.backend) if table.file is None else str(table.file)}
    if len(facts) == 1:
        return called | next(iter(facts.values()))
    told = "".join(fact["sha256"] for fact in facts.values())
    return called | {
        "bytes": sum(fact["bytes"] for fact in facts.values()),
        "sha256": hashlib.sha256(told.encode()).hexdigest(),
        "files": {name: fact["sha256"] for name, fact in facts.items()},
    }


def generator_facts(described: LatentPaths) -> dict[str, Any]:
    """Return what the paths' generator is called, and size and sha256 of its files by the key that names them."""
    generator: Any = described.generator
    named = {field.name: getattr(generator, field.name) for field in attrs.fields(type(generator))}
    files = {key: path for key, path in named.items() if isinstance(path, Path) and path.is_file()}
    return {"use": described.table.use, "files": {key: {"file": str(f)} | _file_facts(f) for key, f in files.items()}}


def _file_facts(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return {"bytes": file.stat().st_size, "sha256": digest}
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
