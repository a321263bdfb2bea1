"""Virtual environments that see this one's packages, except dltf and its plugins, which are installed for real."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
HOST_AND_PLUGINS = (ROOT, *sorted((ROOT / "plugins").iterdir()))


@frozen
class Environment:
    python: Path

    def install(self, *folders: Path) -> None:
        self._pip("install", "--no-deps", "--no-build-isolation", "--no-index", *folders)

    def uninstall(self, *names: str) -> None:
        self._pip("uninstall", "--yes", *names)

    def _pip(self, *arguments: object) -> None:
        command = [str(self.python), "-m", "pip", "--quiet", "--disable-pip-version-check", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def make_environment(folder: Path) -> Environment:
    """Make an environment without dltf; third-party packages are linked, not copied."""
    venv.create(folder, with_pip=False, symlinks=True)
    here = Path(sysconfig.get_path("purelib"))
    there = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    for entry in here.iterdir():
        if "dltf" not in entry.name.lower() and entry.suffix != ".pth":
            (there / entry.name).symlink_to(entry)
    return Environment(folder / "bin" / Path(sys.executable).name)
