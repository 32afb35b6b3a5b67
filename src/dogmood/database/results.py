"""A run's readings in a database: see `dogmood.results`.

A photo is one transaction.  The frames of a video wait for the next moment at which
their place is kept, and are written with it in one transaction: what a kill leaves is
whole readings, and a place that fits them.

Two runs may share a database.  Each photo and frame has a key, so that what both read
is there once; both say of a video how it goes on, and either way is right, because the
frames before that place are there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from dogmood.database.database import Database
from dogmood.database.records import Written, add_reading, key_of, upsert
from dogmood.database.tables import models, readings, videos
from dogmood.errors import UsageError
from dogmood.reading import ModelInfo, Reading, written_source
from dogmood.results import Results

_SECONDS = 2.0
"""How long frames of a video wait to be written: what a kill can lose."""


class DatabaseResults(Results):
    """Readings that go to a database; made by `results.open_results`.

    Args:
        address: ``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``.
        resume: go on with what an earlier run left; where there is nothing, begin.

    Raises:
        UsageError: it is no such address; the database holds readings that shall not be
            gone on with, or something else; or it cannot be written.
    """

    def __init__(self, address: str, resume: bool) -> None:
        self._database = Database(address)
        super().__init__(self._database.address.shown)
        self._made_by: ModelInfo | None = None
        self._video: _Video | None = None
        try:
            # An SQLite file is made with the first reading, so that a run which fails
            # before leaves none; that it can be made is seen to now.
            if self._database.is_there():
                self._database.prepare()
                self._look_back()
            else:
                self._database.check_folder()
            if not resume and (self._done or self._videos):
                raise UsageError(
                    f"{self.name} holds readings already: add --resume to go on with them, or name another database."
                )
        except BaseException:
            self._database.close()
            raise

    def check_model(self, model: ModelInfo) -> None:
        """Refuse to go on with what another model began.

        Raises:
            UsageError: another model's readings are there.
        """
        before = self._made_by
        if before not in (None, model):
            raise UsageError(
                f"{self.name} was begun with the model {before.name} {before.version} ({before.sha256[:8]}), and this "
                f"is {model.name} {model.version} ({model.sha256[:8]}): take that one, or name another database."
            )

    def write(self, reading: Reading) -> None:
        """Add a reading; one of a photo or frame that is there already is left out."""
        self.new += 1
        if self._video is not None:
            self._video.waiting.append(reading.to_dict())
            return
        with self._told_to_resume() as connection:
            add_reading(connection, reading.to_dict(), once=True)

    def keep_place(self, source: str, state: Any) -> None:
        """Say that all readings of a video so far are written, and how it goes on."""
        source = written_source(source)
        begins = self._video is None
        if self._video is None:
            self._video = _Video(source)
        self._video.settle(state)
        if begins or time.monotonic() - self._video.written > _SECONDS:
            self._write_video(self._video)

    def end_video(self, source: str) -> None:
        """Say that a video is done."""
        video = self._video or _Video(written_source(source))
        with self._told_to_resume() as connection:
            _add_all(connection, [*video.settled, *video.waiting])
            connection.execute(delete(videos).where(videos.c.key == key_of(video.source)))
        self._videos.pop(video.source, None)
        self._video = None

    def finish(self) -> None:
        """All is written already."""

    def close(self, failed: bool = False) -> None:
        """Keep the place in a video that is left in the middle, and let go of the database."""
        # A first fault has been told already.
        with suppress(UsageError):
            if self._video is not None:
                self._write_video(self._video)
        self._database.close()

    def kept_in(self) -> str | None:
        """Return the address, where there are readings."""
        return self.name if self.new or self._done or self._videos else None

    def _write_video(self, video: _Video) -> None:
        place = {"source": video.source, "state": video.state}
        with self._told_to_resume() as connection:
            _add_all(connection, video.settled)
            new = upsert(connection, videos).values(key=key_of(video.source), **place)
            connection.execute(new.on_conflict_do_update(index_elements=[videos.c.key], set_=place))
        video.settled.clear()
        video.written = time.monotonic()

    def _forget(self, sources: Set[str]) -> None:
        with self._told_to_resume() as connection:
            this = readings.c.key == bindparam("gone")
            connection.execute(delete(readings).where(this), [{"gone": key_of(source)} for source in sources])

    def _look_back(self) -> None:
        """Take stock of what earlier runs left."""
        ours = readings.c.key.is_not(None)
        with self._database.reading() as connection:
            for source, state in connection.execute(select(videos.c.source, videos.c.state)):
                self._videos[source] = state
            readable = set()
            for source, status in connection.execute(
                select(readings.c.source, readings.c.status).where(ours).distinct()
            ):
                self._done.add(source)
                if status != "unreadable":
                    readable.add(source)
            self._done -= self._videos.keys()
            self._failed = self._done - readable
            first = select(models).join(readings).where(ours).order_by(readings.c.id).limit(1)
            if (row := connection.execute(first).mappings().first()) is not None:
                self._made_by = ModelInfo(row["name"], row["version"], row["sha256"])

    @contextmanager
    def _told_to_resume(self) -> Iterator[Connection]:
        try:
            with self._database.writing() as connection:
                yield connection
        except UsageError as error:
            raise UsageError(f"{str(error)[:-1]}; what it holds is kept, --resume goes on with it.") from None


class _Video:
    """A video that is being read.

    Attributes:
        source: the video, as it is written.
        state: how it goes on after the last settled reading.
        settled: readings up to that place that are yet to be written.
        waiting: readings after it.
        written: when it was written last, in seconds of `time.monotonic`.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.state: Any = None
        self.settled: list[Written] = []
        self.waiting: list[Written] = []
        self.written = 0.0

    def settle(self, state: Any) -> None:
        """Let the place be after all readings so far."""
        self.settled += self.waiting
        self.waiting.clear()
        self.state = state


def _add_all(connection: Connection, written: Sequence[Written]) -> None:
    for one in written:
        add_reading(connection, one, once=True)
