"""Readings kept safe while they come, so that a run that was stopped can go on.

Where they go, a file (`result_file`) or a database (`database.results`), is told apart
here and nowhere else: a run knows only `Results`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dogmood.database.address import has_scheme, need_packages
from dogmood.reading import ModelInfo, Reading, written_source


class Results(ABC):
    """What keeps the readings of a run; made by `open_results`.

    Args:
        name: what was asked for, as messages may show it: never with a password.

    Attributes:
        name: the same.
        new: how many readings were added.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.new = 0
        self._done: set[str] = set()
        self._failed: set[str] = set()
        """Those of the done of which nothing could be read."""
        self._videos: dict[str, Any] = {}

    def has(self, source: str) -> bool:
        """Return whether a photo or video is done."""
        return written_source(source) in self._done

    def video_state(self, source: str) -> Any:
        """Return how a video that was begun goes on (see `keep_place`), or None."""
        return self._videos.get(written_source(source))

    def retry(self, sources: Iterable[str]) -> None:
        """Let those photos and videos be read again of which nothing could be read.

        A file may have been half copied then, or a package missing.  What says of them
        why they could not be read goes; of others it stays.

        Raises:
            UsageError: it cannot be taken away.
        """
        again = self._failed & {written_source(source) for source in sources}
        if again:
            self._forget(again)
            self._failed -= again
            self._done -= again

    @abstractmethod
    def _forget(self, sources: Set[str]) -> None:
        """Take the readings of some of the failed away."""

    @abstractmethod
    def check_model(self, model: ModelInfo) -> None:
        """Refuse to go on with what another model began.

        Raises:
            UsageError: another model's readings are there.
        """

    @abstractmethod
    def write(self, reading: Reading) -> None:
        """Add a reading.

        Raises:
            UsageError: it cannot be written.
        """

    @abstractmethod
    def keep_place(self, source: str, state: Any) -> None:
        """Say that all readings of a video so far are written, and how it goes on.

        Args:
            source: the video.
            state: whatever JSON can hold; None before the first frame.
        """

    @abstractmethod
    def end_video(self, source: str) -> None:
        """Say that a video is done."""

    @abstractmethod
    def finish(self) -> None:
        """Complete what was asked for, after the last reading."""

    @abstractmethod
    def close(self, failed: bool = False) -> None:
        """Let go; what was written stays, and where nothing was, nothing is left behind."""

    @abstractmethod
    def kept_in(self) -> str | None:
        """Return where the readings of a stopped run are, or None where there are none."""


@contextmanager
def open_results(out: str | Path, resume: bool = False) -> Iterator[Results]:
    """Open an output for the readings of a run.

    Args:
        out: a file that ends in ``.json``, ``.jsonl``, ``.csv`` or ``.parquet``, or a
            database's address: ``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``.
        resume: go on with what an earlier run left; where there is nothing, begin.

    Raises:
        UsageError: the ending or address is none of these, there are readings already
            that shall not be gone on with, something else is there, or it cannot be
            written.
    """
    results = _opened(out, resume)
    try:
        yield results
        results.finish()
    except BaseException:
        results.close(failed=True)
        raise
    results.close()


def _opened(out: str | Path, resume: bool) -> Results:
    if has_scheme(out):
        need_packages()
        from dogmood.database.results import DatabaseResults

        return DatabaseResults(str(out), resume)
    from dogmood.result_file import ResultFile

    return ResultFile(Path(out), resume)
