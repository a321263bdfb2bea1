"""Progress of a training for people: a bar on a terminal, a line for each epoch elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from types import TracebackType

    from dltf_vae.course import Course


class TrainingProgress:
    """To be told of each course; shows nothing where it is quiet."""

    def __init__(self, epochs: int, *, quiet: bool = False, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, quiet=quiet)
        self._epochs = epochs
        self._begun: int | None = None
        self._bar: Progress | None = None

    def __enter__(self) -> TrainingProgress:
        if self._console.is_terminal and not self._console.quiet:
            columns = (
                TextColumn("epoch"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TextColumn("{task.fields[of]}"),
            )
            self._bar = Progress(*columns, console=self._console)
            self._bar.start()
            self._bar.add_task("", total=self._epochs, of="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, course: Course) -> None:
        done = len(course.epochs)
        if self._begun is None:
            self._begun = done
            self._line(f"training goes on after epoch {done}" if done else f"training for up to {self._epochs} epochs")
            return
        told = described(course, self._epochs)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, of=told)
        else:
            self._line(f"epoch {done}/{self._epochs}: {told}")

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, emoji=False, highlight=False, soft_wrap=True)


def described(course: Course, epochs: int) -> str:
    """Say in a line what the last epoch gave, which one is best, and how long the rest may take."""
    last, best = course.epochs[-1], course.best
    kept = "nothing to keep" if best is None else f"best {best.held_out.loss:.2f} in epoch {best.number}"
    left = (epochs - last.number) * last.seconds
    span = f"{left:.0f} s" if left < 90 else f"{left / 60:.0f} min"
    return (
        f"reconstruction {last.held_out.reconstruction:.2f} (trained on {last.train.reconstruction:.2f}) · "
        f"KL {last.held_out.kl:.2f} ({last.train.kl:.2f}) · {kept} · at most {span} left"
    )
