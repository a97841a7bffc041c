"""The progress bar of long commands."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from orchestrator.cli.output import errors

Told = Callable[[str, float], None]  # what is being done, and the share of it all that is done
_PATIENCE = 1.0  # seconds before a bar appears


@contextmanager
def progress_bar() -> Iterator[Told]:
    """A function of (what is being done, share done) that shows both on the error stream, where that is a terminal and
    the work takes longer than a second. A share smaller than the last begins another count."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=errors, transient=True)
    task = bar.add_task("", total=1.0)
    begun = time.monotonic()

    def told(what: str, share: float) -> None:
        if share < bar.tasks[0].completed:
            bar.reset(task)
        bar.update(task, description=what, completed=share)
        if errors.is_terminal and not bar.live.is_started and time.monotonic() - begun > _PATIENCE:
            bar.start()

    try:
        yield told
    finally:
        if bar.live.is_started:
            bar.stop()
