"""Progress for people: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from dltf.hookspecs import hookimpl
from dltf.values import CampaignProgress, CampaignStarted

_LABELS = {"screen": "screening", "search": "searching", "shrink": "shrinking", "amplify": "amplifying"}
_REFINES = ("shrink", "amplify")
_LINE_EVERY_S = 5.0


class Progress:
    """An observer of a campaign, to register with the host for the length of its block."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bars: Bars | None = None
        self._task: TaskID | None = None
        self._phase = ""
        self._line_s = 0.0
        self._ended = False  # the last line of this phase was told

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._bars = Bars(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TextColumn("{task.fields[of]} · {task.fields[rate]} · {task.fields[left]}"),
                console=self._console,
            )
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    @hookimpl
    def dltf_campaign_started(self, started: CampaignStarted) -> None:
        verb = "resuming" if started.resumed else "running"
        self._line(f"{verb} {started.name}: {started.seeds} seeds, strategy {started.strategy}, in {started.folder}")

    @hookimpl
    def dltf_campaign_progressed(self, progress: CampaignProgress) -> None:
        rate = f"{progress.queries_per_s:,.0f} queries/s"
        left = f"about {_span(progress.left_s)} left" if progress.left_s is not None else "time left unknown"
        if progress.done == progress.total:
            left = "done"
        found = f"{progress.findings} findings"
        if self._bars is not None:
            of = "findings" if progress.phase in _REFINES else f"seeds · {found}"
            if progress.phase != self._phase:
                self._task = self._bars.add_task(_LABELS[progress.phase], of=of, rate="", left="", total=progress.total)
            assert self._task is not None
            self._bars.update(self._task, completed=progress.done, of=of, rate=rate, left=left)
        elif progress.phase != self._phase or self._due() or (progress.done == progress.total and not self._ended):
            self._line_s = time.monotonic()
            label = _LABELS[progress.phase]
            of = "findings" if progress.phase in _REFINES else f"seeds, {found}"
            self._line(f"{label} {progress.done}/{progress.total} {of}, {rate}, {left}")
        self._phase = progress.phase
        self._ended = progress.done == progress.total

    def _line(self, text: str) -> None:
        """Print text that holds a user's names as it is."""
        self._console.print(text, markup=False, emoji=False, highlight=False, soft_wrap=True)

    def _due(self) -> bool:
        return time.monotonic() - self._line_s > _LINE_EVERY_S


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
