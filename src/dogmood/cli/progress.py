"""A bar with rate and remaining time, where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dogmood.errors import printable

if TYPE_CHECKING:
    from rich.progress import Progress, Task
    from rich.text import Text


class Bar:
    """Shows how far a run is; shows nothing without a ``progress``."""

    def __init__(self, progress: Progress | None, total: int, done: int) -> None:
        self._progress = progress
        if progress is not None:
            self._all = progress.add_task("Reading", total=total, completed=done, unit="a second")
            self._video = progress.add_task("video", visible=False, unit="seconds a second")

    def advance(self, count: int = 1) -> None:
        """One photo or video more is done, or several."""
        if self._progress is not None:
            self._progress.advance(self._all, count)
            self._progress.update(self._video, visible=False)

    def show_video(self, name: str, time: float, duration: float | None) -> None:
        """Show the second of a video that is being read."""
        if self._progress is not None:
            name = printable(name)
            if self._progress.tasks[1].description != name:
                self._progress.reset(self._video, description=name, total=duration)
            self._progress.update(self._video, completed=time, total=duration, visible=True)


@contextmanager
def bar(total: int, done: int, shown: bool) -> Iterator[Bar]:
    """Show a bar on the error stream while the block runs.

    Args:
        total: photos and videos altogether.
        done: of them, how many earlier runs have read.
        shown: whether somebody watches.
    """
    if not shown:
        yield Bar(None, total, done)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:.1f} {task.fields['unit']}")

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Bar(progress, total, done)


def watched() -> bool:
    """Return whether the error stream is a terminal."""
    return sys.stderr.isatty()
