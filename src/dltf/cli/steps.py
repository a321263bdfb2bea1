"""Progress of work that has steps, each of so many parts: a bar on a terminal, a line for each step elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


@contextmanager
def telling(first: str, *, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Yield what is to be told the step that is done now, how many parts of it are done, and of how many."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bars:
        task = bars.add_task(first, total=None)
        last = ""

        def told(what: str, done: int, total: int) -> None:
            nonlocal last
            bars.update(task, description=what, completed=done, total=total)
            if what != last and not quiet and not console.is_terminal:
                click.echo(what, err=True)
            last = what

        yield told
