"""Plugins that look installed to a process that has a folder on its path."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent


def install_plugin(site: Path, name: str, source: str, *, distribution: str = "") -> None:
    """Write a module and its entry point."""
    distribution = distribution or f"dltf-{name}"
    module = distribution.replace("-", "_")
    site.mkdir(exist_ok=True)
    (site / f"{module}.py").write_text("from dltf.plugin import Component, hookimpl\n" + dedent(source))
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[dltf]\n{name} = {module}\n")
