"""What somebody sees of a run while it trains: a bar on a terminal, and TensorBoard."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dogmood.lab.run import EpochMetrics, Run

OnEpoch = Callable[[EpochMetrics], None]


@contextmanager
def watched(run: Run, done: int, best: float) -> Iterator[OnEpoch]:
    """Show a run; what is yielded wants to be told of every finished epoch.

    Args:
        run: the run.
        done: how many epochs are finished already.
        best: their best validation accuracy.
    """
    with _bar(run, done, best) as bar, _board(run, done) as board:

        def on_epoch(row: EpochMetrics) -> None:
            bar(row)
            board(row)

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


@contextmanager
def _board(run: Run, done: int) -> Iterator[OnEpoch]:
    from torch.utils.tensorboard import SummaryWriter

    # Epochs after the checkpoint are done anew: what an interrupted run noted of them goes.
    with SummaryWriter(str(run.folder / "tensorboard"), purge_step=done + 1) as writer:

        def note(row: EpochMetrics) -> None:
            for name in ("rate", "train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "photos_per_second"):
                writer.add_scalar(name.replace("_", "/", 1), getattr(row, name), row.epoch)

        yield note
