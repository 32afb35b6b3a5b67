"""A file of readings that grows while they come, and that a stopped run can go on with.

JSON lines and CSV are appended to as they stand.  JSON and Parquet cannot be: their
readings go to a journal of JSON lines beside them, and the file itself is made from
it at the end, complete or absent.  Whatever a kill leaves is whole but for the last
line, which is cut off when the run goes on.

A video is many readings.  While one is read, a mark beside the file says up to which
byte its readings belong together and how reading goes on from there.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import IO, Any

from dogmood.atomic import atomic_write, clear_leftovers, lock
from dogmood.errors import UsageError
from dogmood.outputs import csv_header, csv_lines, ending_of, json_line, need_packages, open_form
from dogmood.reading import ModelInfo, Reading, written_source
from dogmood.results import Results
from dogmood.stored import rows_in, whole_csv, whole_lines

_APPENDED = (".jsonl", ".csv")
"""The forms that are written as they are read; the others have a journal."""

_SYNC_SECONDS = 2.0
"""How often what was written is forced to the disk: what a power cut can lose.  A
kill of the program loses nothing that was written."""

_TRIES = 5
"""How often a file is opened anew that another run took away in that moment."""


class ResultFile(Results):
    """An output file that grows reading by reading; made by `results.open_results`.

    Args:
        path: ends in ``.json``, ``.jsonl``, ``.csv`` or ``.parquet``.
        resume: go on with what an earlier run left; where there is nothing, begin.

    Attributes:
        path: the file that was asked for.
        log: the file that is written meanwhile: ``path`` itself, or the journal.

    Raises:
        UsageError: the ending is unknown, the file exists and shall not be gone on
            with, it holds something else, or it cannot be written.
    """

    def __init__(self, path: Path, resume: bool) -> None:
        ending = ending_of(path)
        need_packages(ending)
        super().__init__(str(path))
        self.path = path
        self.log = path if ending in _APPENDED else path.with_name(f"{path.name}.journal.jsonl")
        self._mark = path.with_name(f"{path.name}.mark.json")
        self._csv = ending == ".csv"
        self._failed_before: set[str] = set()  # in the file itself, where a journal stands for it
        self._place: tuple[str, int] | None = None
        self._made_by: tuple[str, str] | None = None
        self._synced = time.monotonic()
        if not resume:
            self._refuse_existing()
        # Not buffered: what could not be written must not be tried again later.
        self._file: FileIO = self._open_alone()
        self._created = self._file.seek(0, os.SEEK_END) == 0
        try:
            if not resume:
                self._refuse_existing()  # another run may have finished just now
            clear_leftovers(path.parent, path.name, self.log.name, self._mark.name)
            if self._created and (self.log == path or not _exists(path)):
                self._mark.unlink(missing_ok=True)
            self._look_back()
        except BaseException:
            self.close(failed=True)
            raise

    def check_model(self, model: ModelInfo) -> None:
        """Refuse to go on with a file that another model began.

        Raises:
            UsageError: another model's readings are in it.
        """
        if self._made_by not in (None, (model.name, model.version)):
            raise UsageError(
                f"{self.path} was begun with the model {' '.join(self._made_by or ())}, and this is "
                f"{model.name} {model.version}: take that one, or name another file."
            )

    def write(self, reading: Reading) -> None:
        """Add a reading."""
        text = csv_lines(reading) if self._csv else json_line(reading) + "\n"
        self._append(text.encode("utf-8", "replace"))
        self.new += 1
        if self._place is None and time.monotonic() - self._synced > _SYNC_SECONDS:
            self._sync()

    def keep_place(self, source: str, state: Any) -> None:
        """Say that all readings of a video so far are written, and how it goes on.

        Args:
            source: the video.
            state: whatever JSON can hold; None before the first frame.
        """
        begins = self._place is None
        self._videos[written_source(source)] = state
        self._place = written_source(source), self._file.tell()
        if begins or time.monotonic() - self._synced > _SYNC_SECONDS:
            self._save_place()

    def end_video(self, source: str) -> None:
        """Say that a video is done."""
        self._videos.pop(written_source(source), None)
        self._place = None
        self._save_place()

    def finish(self) -> None:
        """Make the file itself, where a journal stands for it."""
        self._sync()
        if self.log == self.path:
            return
        if self._file.seek(0, os.SEEK_END) == 0 and _exists(self.path):  # nothing is new
            self.log.unlink()
            return
        again = self._read_again()
        try:
            with open_form(self.path) as form, self._from_start() as lines:
                if self.path.exists():
                    form.copy(self.path, again)
                for line in lines:
                    form.add(json.loads(line))
        except UsageError as error:
            raise UsageError(f"{error} What was read is kept in {self.log}, --resume goes on with it.") from None
        self.log.unlink(missing_ok=True)

    def kept_in(self) -> str | None:
        """Return the file that holds what was read."""
        return str(self.log) if self.log.exists() else None

    def close(self, failed: bool = False) -> None:
        """Close the file; take one that we made away if nothing came of it."""
        empty = self._created and self.new == 0
        with suppress(OSError, UsageError):
            if not self._file.closed and self._place is not None:
                self._save_place()
            elif not self._file.closed:
                self._sync()
        with suppress(OSError):
            self._file.close()
        if failed and empty:
            with suppress(OSError):
                self.log.unlink()

    def _refuse_existing(self) -> None:
        for file in (self.path, self.log):
            # An empty one is what a run leaves that was killed as it began.
            if _holds_something(file) if file == self.log else _exists(file):
                raise UsageError(f"{file} exists already: add --resume to go on with it, or move it away first.")

    def _open_alone(self) -> FileIO:
        """Open the log; keep a second run away from it, where the system has locks."""
        for _ in range(_TRIES):
            try:
                file = self.log.open("a+b", buffering=0)
            except OSError as error:
                raise UsageError(f"{self.path} cannot be written: {error.strerror}.") from None
            if not lock(file.fileno()):
                file.close()
                raise UsageError(f"{self.path} is being written by another run; wait for it, or stop it.")
            # The run that had it before us may have ended, and taken it away.
            if self._in_place(file):
                return file
            file.close()
        raise UsageError(f"{self.path} is being written by other runs; wait for them, or name another file.")

    def _in_place(self, file: FileIO) -> bool:
        """Return whether a file is still the one that the log's name stands for."""
        try:
            return os.path.samestat(os.fstat(file.fileno()), self.log.stat())
        except OSError:
            return False

    def _from_start(self) -> IO[bytes]:
        """Return the log, open for reading."""
        self._file.seek(0)
        return os.fdopen(self._file.fileno(), "rb", closefd=False)

    def _append(self, content: bytes) -> None:
        end, left = self._file.seek(0, os.SEEK_END), memoryview(content)
        with self._told_if_full():
            try:
                while left:
                    left = left[self._file.write(left) :]
            except BaseException:
                # A reading is there as a whole or not at all, on a full disk as well.
                with suppress(OSError):
                    self._file.truncate(end)
                raise

    def _sync(self) -> None:
        with self._told_if_full():
            os.fsync(self._file.fileno())
        if not self._in_place(self._file):
            raise UsageError(f"{self.log} was moved or removed while readings were written to it; name another file.")
        self._synced = time.monotonic()

    @contextmanager
    def _told_if_full(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UsageError(
                f"{self.log} cannot be written: {error.strerror}; what it holds is kept, --resume goes on with it."
            ) from None

    def _save_place(self) -> None:
        self._sync()
        if not self._videos:
            with self._told_if_full():
                self._mark.unlink(missing_ok=True)
            return
        reading, size = self._place or (None, 0)
        with atomic_write(self._mark, text=True) as file:
            json.dump({"reading": reading, "size": size, "videos": self._videos}, file)

    def _look_back(self) -> None:
        """Take stock of what earlier runs left, and cut off what they left unfinished."""
        earlier: set[str] = set()
        if self.log != self.path and _exists(self.path):
            for row in rows_in(self.path):
                self._note(row, earlier)
            self._failed_before = self._failed.copy()
        limit = self._read_mark()
        self._refuse_foreign_start()
        end = self._look_through(limit)
        if (earlier - self._failed_before) & self._done:
            # The file was made from the journal, and the program killed before it
            # could take the journal away.
            end, self._done, self._failed = 0, set(), self._failed_before.copy()
        self._file.truncate(end)
        self._file.seek(end)
        if self._csv and end == 0:
            self._append(csv_header().encode())
        self._done = (self._done | earlier) - self._videos.keys()
        if limit is not None:
            # What is written from here on belongs to no video that was begun.
            self._save_place()

    def _refuse_foreign_start(self) -> None:
        # A file of one line without an end would else be cut off as torn.
        begins = csv_header().encode() if self._csv else b'{"source": "'
        with self._from_start() as file:
            start = file.read(len(begins))
        if not begins.startswith(start):
            raise UsageError(f"{self.log} holds something else than readings of this version; name another file.")

    def _read_mark(self) -> int | None:
        """Return the size up to which the log counts, where a video was being read."""
        try:
            mark = json.loads(self._mark.read_text("utf-8"))
            if self._created and mark["reading"] is not None:  # of a journal that somebody took away
                return None
            self._videos = dict(mark["videos"])
            return int(mark["size"]) if mark["reading"] is not None else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            raise UsageError(f"{self._mark} is damaged: remove it and {self.log}, and begin again.") from None

    def _look_through(self, limit: int | None) -> int:
        """Note every reading that is whole; return where the last one ends."""
        end = 0
        try:
            with self._from_start() as file:
                for end_of_row, row in (whole_csv if self._csv else whole_lines)(file):
                    if limit is not None and end_of_row > limit:
                        break
                    if row is not None:
                        self._note(row, self._done)
                    end = end_of_row
        except (ValueError, TypeError, KeyError):
            raise UsageError(f"{self.log} holds something else than readings of dogmood; name another file.") from None
        return end

    def _read_again(self) -> set[str]:
        """Return what the file says could not be read, and the journal holds anew."""
        if not self._failed_before:
            return set()
        with self._from_start() as lines:
            return self._failed_before & {json.loads(line)["source"] for line in lines}

    def _forget(self, sources: Set[str]) -> None:
        """Write the log anew without some readings; those in the file itself go when it is made."""
        if self._file.seek(0, os.SEEK_END) == 0:  # a journal that was just begun
            return
        with atomic_write(self.log.resolve()) as kept, self._from_start() as log, self.log.open("rb") as content:
            end = 0
            for end_of_row, row in (whole_csv if self._csv else whole_lines)(log):
                part, end = content.read(end_of_row - end), end_of_row
                if row is None or row["source"] not in sources:
                    kept.write(part)
        self._file.close()
        self._file = self._open_alone()

    def _note(self, written: Mapping[str, Any], sources: set[str]) -> None:
        source = written["source"]
        if written["status"] != "unreadable":
            self._failed.discard(source)
        elif source not in sources:
            self._failed.add(source)
        sources.add(source)
        if self._made_by is None:
            model = written["model"]
            if isinstance(model, dict):
                self._made_by = model["name"], model["version"]
            else:
                self._made_by = model, written["model_version"]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that no file can have: opening it says so
        return False


def _holds_something(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
