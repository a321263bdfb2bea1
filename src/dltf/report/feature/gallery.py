"""Seed, reconstruction and tests side by side: the confirmed failures first, a row a seed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from dltf.report.previews import Preview
from dltf.report.wording import short

_MOST_SEEDS = 48  # of a method
_MOST_TESTS = 8  # of a seed
_ROOM = 24 * 2**20  # bytes of a page that are left to pictures
_FORMS = {".png": ("image", "image/png"), ".wav": ("sound", "audio/wav")}


@frozen
class Test:
    """A test as it is shown."""

    preview: Preview
    told: str
    css: str
    checks: str  # that it did not pass


@frozen
class Line:
    """A seed, what the generator makes of it, and tests."""

    seed: str
    label: str
    original: Preview
    reconstruction: Preview
    tests: tuple[Test, ...]
    more: int


@frozen
class Gallery:
    """The lines of a method, and how many seeds have failures beyond them."""

    method: str
    lines: tuple[Line, ...]
    more: int


def galleries(manifest: Sequence[Mapping[str, Any]], pack: Path) -> list[Gallery]:
    """Return what is shown of each method that has kept something."""
    pictures = _Pictures(pack)
    methods: dict[str, dict[int, list[Mapping[str, Any]]]] = {}
    for entry in manifest:
        methods.setdefault(entry["method"], {}).setdefault(entry["case"], []).append(entry)
    return [_gallery(method, cases, pictures) for method, cases in methods.items()]


def _gallery(method: str, cases: Mapping[int, list[Mapping[str, Any]]], pictures: _Pictures) -> Gallery:
    ordered = sorted(cases.values(), key=lambda tests: min(_rank(test) for test in tests))
    lines = tuple(_line(sorted(tests, key=_rank), pictures) for tests in ordered[:_MOST_SEEDS])
    return Gallery(method, lines, max(0, len(ordered) - _MOST_SEEDS))


def _rank(entry: Mapping[str, Any]) -> tuple[int, int, float]:
    order = 0 if entry["confirmed"] else 1 if entry["kind"] and entry["valid"] else 2 if entry["kind"] else 3
    return order, 0 if entry["label_kept"] else 1, -entry["target"]


def _line(tests: Sequence[Mapping[str, Any]], pictures: _Pictures) -> Line:
    first = tests[0]
    return Line(
        seed=str(first["seed"]),
        label=str(first["label"]),
        original=pictures.of(first["seed_file"]),
        reconstruction=pictures.of(first["reconstruction_file"]),
        tests=tuple(_test(test, pictures) for test in tests[:_MOST_TESTS]),
        more=max(0, len(tests) - _MOST_TESTS),
    )


def _test(entry: Mapping[str, Any], pictures: _Pictures) -> Test:
    answer = "crash" if entry["kind"] == "crash" else f"“{short(str(entry['candidate']), 24)}”"
    if entry["reference"] is not None:
        answer = f"“{short(str(entry['reference']), 16)}” → {answer}"
    css = "confirmed" if entry["confirmed"] else "doubtful" if entry["kind"] else "passes"
    failed = ", ".join(name for name, passed in entry["checks"].items() if not passed)
    return Test(pictures.of(entry["file"]), answer, css, failed)


class _Pictures:
    """Files of the pack as a page holds them, as long as there is room."""

    def __init__(self, pack: Path) -> None:
        self._pack = pack
        self._room = _ROOM

    def of(self, name: str) -> Preview:
        form, mime = _FORMS.get(Path(name).suffix, ("none", ""))
        if form == "none":
            return Preview("none", text=name)
        try:
            data = (self._pack / name).read_bytes()
        except OSError:
            return Preview("none", text=f"{name} is not there")
        self._room -= len(data)
        if self._room < 0:
            return Preview("none", text=name)
        return Preview(form, uri=f"data:{mime};base64,{b64encode(data).decode()}")
