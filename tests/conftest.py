"""Plugins that no one has installed: a test writes their source, and hands their entry points to the host."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from itertools import count
from pathlib import Path
from textwrap import dedent

import pytest

from dltf.testing import entry_point

_numbers = count()

PluginWriter = Callable[..., EntryPoint]


@pytest.fixture
def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Write a module of this source, importable for the length of the test; return its name, which no other has."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names: list[str] = []

    def write(source: str) -> str:
        names.append(f"written_module_{next(_numbers)}")
        (tmp_path / f"{names[-1]}.py").write_text(dedent(source), encoding="utf-8")
        return names[-1]

    yield write
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def write_plugin(write_module: Callable[[str], str]) -> PluginWriter:
    """Write a plugin of this source, which may use `Component` and `hookimpl`; return its entry point."""

    def write(name: str, source: str, dist: str = "") -> EntryPoint:
        head = "from dltf.plugin import Component, hookimpl\n"
        return entry_point(name, write_module(head + dedent(source)), dist or f"dltf-{name}")

    return write
