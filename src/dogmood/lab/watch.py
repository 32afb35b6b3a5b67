"""What somebody sees of a run while it trains: a bar on a terminal, and TensorBoard."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from dogmood.lab.board import Board
from dogmood.lab.run import EpochMetrics, Run

OnEpoch = Callable[[EpochMetrics], None]


@contextmanager
def watched(run: Run, rows: Sequence[EpochMetrics]) -> Iterator[OnEpoch]:
    """Show a run; what is yielded wants to be told of every finished epoch.

    Args:
        run: the run.
        rows: of the epochs that are finished already.
    """
    best = max((row.valid_accuracy for row in rows), default=0.0)
    with _bar(run, len(rows), best) as bar, Board(run.folder / "tensorboard", rows) as board:

        def on_epoch(row: EpochMetrics) -> None:
            bar(row)
            board.note(row)

        yield on_epoch


@contextmanager
def _bar(run: Run, done: int, best: float) -> Iterator[OnEpoch]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[state]}"),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(run.settings.network, total=run.settings.epochs, completed=done, state="")

        def show(row: EpochMetrics) -> None:
            nonlocal best
            best = max(best, row.valid_accuracy)
            state = f"valid {row.valid_accuracy:.3f}, best {best:.3f}, {row.photos_per_second:.0f} photos/s"
            progress.update(task, advance=1, state=state)

        yield show
