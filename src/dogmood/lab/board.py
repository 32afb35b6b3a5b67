"""A run's figures as TensorBoard reads them: a whole event file each time that training begins or goes on.

Events are written here, not by the writer that comes with torch: that one writes in a
thread, which dies with a traceback where a disk is full, and it names its files by the
wall clock, so that after the clock was set back TensorBoard reads them in the wrong order.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from dogmood.errors import UsageError
from dogmood.lab.run import EpochMetrics

SHOWN = ("rate", "train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "photos_per_second")


class Board:
    """Writes one event file; a context manager.

    Args:
        folder: where TensorBoard looks.
        rows: of the epochs that are finished.

    Raises:
        UsageError: the file cannot be written; so does `note`.
    """

    def __init__(self, folder: Path, rows: Sequence[EpochMetrics]) -> None:
        from tensorboard.compat.proto.event_pb2 import SessionLog

        self._path = folder / f"events.out.tfevents.{len(rows):010d}.dogmood"
        try:
            folder.mkdir(exist_ok=True)
            self._file = self._path.open("wb", buffering=0)
        except OSError as error:
            raise self._refusal(error) from None
        try:
            self._write(file_version="brain.Event:2", step=1)
            # Voids what earlier files hold from this step on: a kill may have cut them short.
            self._write(session_log=SessionLog(status=SessionLog.START), step=1)
            for row in rows:
                self.note(row)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Board:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._file.close()

    def note(self, row: EpochMetrics) -> None:
        """Write the figures of an epoch."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=name.replace("_", "/", 1), simple_value=getattr(row, name)) for name in SHOWN]
        self._write(summary=Summary(value=values), step=row.epoch)

    def _write(self, **facts: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        try:
            RecordWriter(self._file).write(Event(wall_time=time.time(), **facts).SerializeToString())
        except OSError as error:
            raise self._refusal(error) from None

    def _refusal(self, error: OSError) -> UsageError:
        return UsageError(f"{self._path} cannot be written: {error.strerror or error}.")
