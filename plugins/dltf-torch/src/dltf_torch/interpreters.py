"""Conversions by libraries that are better off in a Python environment of their own: by another interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from attrs import frozen

from dltf.plugin import ConversionError, MissingPackageError
from dltf_torch.reason import reason

_VERSIONS = """
import importlib.metadata, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""
VARIABLE = "DLTF_LITERT_PYTHON"
"""The environment variable that names the interpreter where a profile does not."""


@frozen
class Elsewhere:
    """A work of the script `elsewhere`, and the packages that it needs; `extra` brings them here."""

    work: str
    packages: tuple[str, ...]
    extra: str

    def run(self, python: Path | None, source: Path, job: Mapping[str, Any]) -> dict[str, Any]:
        """Run the script on a job for this file; return its facts, or raise the error that fits what went wrong."""
        interpreter = _interpreter(python)
        script = Path(__file__).with_name("elsewhere.py")
        with tempfile.TemporaryDirectory() as folder:
            told, result = Path(folder) / "job.json", Path(folder) / "result.json"
            told.write_text(json.dumps(job), encoding="utf-8")
            command = [interpreter, str(script), self.work, str(told), str(result)]
            try:
                with subprocess.Popen(  # its input stays open for as long as this process lives
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder
                ) as process:
                    assert process.stdout is not None
                    said = process.stdout.read().decode(errors="replace")
            except OSError as error:
                raise self._no_interpreter(interpreter, error) from error
            if not result.exists():
                last = (said.strip().splitlines() or ["nothing"])[-1]
                raise ConversionError(
                    f"{self.packages[0]} ended with status {process.returncode} on {source.name}: {last[:300]}"
                )
            answer: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return self._facts(answer, interpreter, source)

    def versions(self, python: Path | None) -> dict[str, str]:
        """Return the versions of the packages in that environment, those that are there."""
        interpreter = _interpreter(python)
        if interpreter == sys.executable:
            return {name: metadata.version(name) for name in self.packages if _is_here(name)}
        try:
            told = subprocess.run(
                [interpreter, "-c", _VERSIONS, *self.packages], capture_output=True, check=True, timeout=60
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise self._no_interpreter(interpreter, error) from error
        found: dict[str, str] = json.loads(told.stdout)
        return found

    def _facts(self, answer: dict[str, Any], interpreter: str, source: Path) -> dict[str, Any]:
        if "missing" in answer:
            raise MissingPackageError(
                f"{self.packages[0]} is not installed for {interpreter}: {answer['missing']}",
                hint=f"pip install 'dltf-torch[{self.extra}]'; or install {' '.join(self.packages)} into an "
                f'environment of its own, and name its interpreter by python = "…" or {VARIABLE}',
            )
        if "failed" in answer:
            raise ConversionError(
                f"{source.name} cannot be converted by {self.packages[0]}: {reason(Exception(answer['failed']))}"
            )
        facts: dict[str, Any] = answer["facts"]
        return facts

    def _no_interpreter(self, interpreter: str, error: Exception) -> ConversionError:
        return ConversionError(
            f"the interpreter {interpreter} cannot be run: {error}",
            hint=f'name the python of an environment that has {self.packages[0]}: python = "…/bin/python"',
        )


def _interpreter(python: Path | None) -> str:
    return str(python) if python is not None else os.environ.get(VARIABLE) or sys.executable


def _is_here(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
