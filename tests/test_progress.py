"""Progress for people: a bar on a terminal, few plain lines elsewhere."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from calling import call, small_demo
from rich.console import Console

from dltf.cli.progress import Progress
from dltf.plugin import CampaignProgress, CampaignStarted

STARTED = CampaignStarted("night [b]:bug:[/c]", 200, "dflare", False, "runs/night-001")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x9b]")


class Clock:
    """Time that passes when it is told to, and what was printed when."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.file = io.StringIO()
        self.printed: list[tuple[float, str]] = []

    def monotonic(self) -> float:
        return self.now_s

    def note(self) -> None:
        lines = self.file.getvalue().splitlines()
        self.printed += [(self.now_s, line) for line in lines[len(self.printed) :]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("dltf.cli.progress.time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def moments(total: int = 200, each_s: float = 0.2, seconds: float = 60.0) -> Iterator[CampaignProgress]:
    """Tell what a campaign tells: a few moments a second, and the last one of each phase twice."""
    steps = round(seconds / each_s)
    for phase in ("screen", "search"):
        for step in range(steps + 1):
            done = total * step // steps
            left_s = (steps - step) * each_s if done else None
            yield CampaignProgress(phase, done, total, done // 2, 1234.5, left_s)
        yield CampaignProgress(phase, total, total, total // 2, 1234.5, 0.0)


def test_elsewhere_lines_are_few_and_plain(clock: Clock) -> None:
    with Progress(Console(file=clock.file)) as progress:
        progress.dltf_campaign_started(STARTED)
        clock.note()
        for moment in moments():
            progress.dltf_campaign_progressed(moment)
            clock.note()
            clock.now_s += 0.2
    assert not CONTROL.search(clock.file.getvalue())
    assert clock.printed[0][1] == "running night [b]:bug:[/c]: 200 seeds, strategy dflare, in runs/night-001"
    for label in ("screening", "searching"):
        told = [(at_s, line) for at_s, line in clock.printed if line.startswith(label)]
        assert told[0][1] == f"{label} 0/200 seeds, 0 findings, 1,234 queries/s, time left unknown"
        assert told[-1][1] == f"{label} 200/200 seeds, 100 findings, 1,234 queries/s, done"
        assert 10 <= len(told) <= 14, "one each five seconds, the first and the last"
        gaps = [later - earlier for (earlier, _), (later, _) in pairwise(told[:-1])]
        assert min(gaps) >= 5.0
        assert all("left" in line for _, line in told[1:-1])


def test_elsewhere_a_line_is_never_broken_in_two(clock: Clock) -> None:
    with Progress(Console(file=clock.file, width=30)) as progress:
        progress.dltf_campaign_started(STARTED)
        for moment in moments(seconds=1.0):
            progress.dltf_campaign_progressed(moment)
    assert len(clock.file.getvalue().splitlines()) == 5


@pytest.mark.parametrize(
    ("left_s", "told"),
    [
        *((None, "time left unknown"), (0.4, "about 0 s left"), (89.0, "about 89 s left"), (90.0, "about 2 min left")),
        *((600.0, "about 10 min left"), (5399.0, "about 90 min left"), (7200.0, "about 2.0 h left")),
        (400_000.0, "about 111.1 h left"),
    ],
)
def test_the_time_left_is_told_in_units_of_its_size(left_s: float | None, told: str, clock: Clock) -> None:
    with Progress(Console(file=clock.file)) as progress:
        progress.dltf_campaign_progressed(CampaignProgress("screen", 1, 200, 0, 10.0, left_s))
    assert clock.file.getvalue().rstrip().endswith(told)


def test_on_a_terminal_a_bar_shows_seeds_findings_queries_and_time_left() -> None:
    file = io.StringIO()
    with Progress(Console(file=file, force_terminal=True, width=120)) as progress:
        progress.dltf_campaign_started(STARTED)
        progress.dltf_campaign_progressed(CampaignProgress("screen", 200, 200, 3, 9876.0, 0.0))
        progress.dltf_campaign_progressed(CampaignProgress("search", 50, 197, 41, 1234.5, 75.0))
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())
    assert "running night [b]:bug:[/c]: 200 seeds, strategy dflare, in runs/night-001" in plain
    screening, searching = plain.splitlines()[-2:]
    assert re.search(r"screening .*200/200 seeds · 3 findings · 9,876 queries/s · done", screening)
    assert re.search(r"searching .*\b50/197 seeds · 41 findings · 1,234 queries/s · about 75 s left", searching)
    assert "\x1b[" in file.getvalue()


def test_on_a_terminal_the_cursor_comes_back_when_a_run_is_interrupted() -> None:
    file = io.StringIO()

    def interrupted() -> None:
        with Progress(Console(file=file, force_terminal=True, width=120)) as progress:
            progress.dltf_campaign_progressed(CampaignProgress("search", 50, 197, 41, 1234.5, 75.0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert file.getvalue().rindex("\x1b[?25h") > file.getvalue().rindex("\x1b[?25l")


def test_a_run_that_is_not_watched_prints_plain_lines_each_phase_done_once(tmp_path: Path) -> None:
    small_demo(tmp_path)
    told = call("run", "profile.toml", cwd=tmp_path)
    assert not CONTROL.search(told.err)
    assert not CONTROL.search(told.out)
    for label in ("screening", "searching"):
        assert len(re.findall(rf"^{label} (\d+)/\1 seeds, .*, done$", told.err, re.MULTILINE)) == 1


def test_a_run_on_a_real_terminal_shows_the_bar(tmp_path: Path) -> None:
    small_demo(tmp_path)
    ours, theirs = os.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "120"}
    command = [sys.executable, "-m", "dltf.cli", "run", "profile.toml"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=theirs, stdout=subprocess.PIPE) as process:
        os.close(theirs)
        shown = b"".join(iter(lambda: _read(ours), b"")).decode()
        os.close(ours)
        assert process.stdout is not None
        out = process.stdout.read().decode()
    assert process.returncode == 0
    assert re.search(
        r"searching .*seeds · \d+ findings · [\d,]+ queries/s · done", re.sub(r"\x1b\[[0-9;?]*\w", "", shown)
    )
    assert not CONTROL.search(out), "what goes to a file has no colours"


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # EIO: the other side is closed
        return b""
