"""Readings written to files: JSON, JSON lines, CSV, Parquet.

Every file is complete or absent: readings go to a temporary file beside it, which
takes its name when the last one is written.  `results` keeps readings while a long
run goes on, and has the last word said here.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeAlias

from dogmood.atomic import atomic_write
from dogmood.errors import UsageError
from dogmood.files import is_folder
from dogmood.reading import COLUMNS, Reading, Row, rows_of

Write: TypeAlias = Callable[[Reading], None]
Written: TypeAlias = Mapping[str, Any]
"""A reading as JSON says it."""

_PARQUET_ROWS = 4096
"""Rows held in memory before they are written as one row group."""


def json_line(reading: Reading, encoding: str = "utf-8") -> str:
    """Return a reading as one line of JSON, without the line's end.

    Args:
        reading: the reading.
        encoding: of where the line goes; if it lacks a letter, all but ASCII is escaped as JSON does it.
    """
    line = _line(reading.to_dict())
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(reading.to_dict())
    return line


def csv_header() -> str:
    """Return the line that names a CSV file's columns."""
    return _csv_lines([dict(zip(COLUMNS, COLUMNS, strict=True))])


def csv_lines(reading: Reading) -> str:
    """Return a reading as the lines that it is in a CSV file."""
    return _csv_lines(reading.to_rows())


def ending_of(path: Path) -> str:
    """Return the ending that says in which form a file is written.

    Raises:
        UsageError: the ending is unknown, or the path is a folder.
    """
    ending = path.suffix.lower()
    if ending not in _FORMS:
        raise UsageError(f"{path} must end in {', '.join(_FORMS)}.")
    if is_folder(path):
        raise UsageError(f"{path} is a folder; name a file in it.")
    return ending


def need_packages(ending: str) -> None:
    """Refuse a form whose package is not installed.

    Raises:
        UsageError: the package is missing.
    """
    if ending == ".parquet":
        _pyarrow()


@contextmanager
def open_output(path: Path) -> Iterator[Write]:
    """Open a file for readings; its ending chooses the form.

    Yields:
        A function that adds a reading.

    Raises:
        UsageError: the ending is unknown, the folder cannot be written to, or a
            package that the form needs is not installed.
    """
    with open_form(path) as form:
        yield lambda reading: form.add(reading.to_dict())


@contextmanager
def open_form(path: Path) -> Iterator[Form]:
    """Do as `open_output`, for readings that stand as JSON says them.

    Raises:
        UsageError: as for `open_output`.
    """
    make, text = _FORMS[ending_of(path)]
    with atomic_write(path, text) as file:
        form = make(file)
        try:
            yield form
        except BaseException:
            with suppress(Exception):  # a full disk once more: the first error says so
                form.abandon()
            raise
        form.close()


class Form:
    """One form that readings are written in.

    Args:
        file: open for writing.
    """

    def __init__(self, file: IO[Any]) -> None:
        self.file = file

    def add(self, written: Written) -> None:
        """Write a reading."""
        raise NotImplementedError

    def copy(self, path: Path, without: Set[str]) -> None:
        """Write what another file of this form holds, but for the readings of some sources."""
        raise NotImplementedError

    def close(self) -> None:
        """Write what stands after the last reading."""

    def abandon(self) -> None:
        """Let go of a file that will be thrown away."""


class _Json(Form):
    _count = 0

    def add(self, written: Written) -> None:
        self.file.write(("[\n" if self._count == 0 else ",\n") + _line(written))
        self._count += 1

    def copy(self, path: Path, without: Set[str]) -> None:
        for written in json_items(path):
            if written["source"] not in without:
                self.add(written)

    def close(self) -> None:
        self.file.write("[]\n" if self._count == 0 else "\n]\n")


class _JsonLines(Form):
    def add(self, written: Written) -> None:
        print(_line(written), file=self.file)


class _Csv(Form):
    def __init__(self, file: IO[str]) -> None:
        super().__init__(file)
        file.write(csv_header())

    def add(self, written: Written) -> None:
        self.file.write(_csv_lines(rows_of(written)))


class _Parquet(Form):
    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self._pa, parquet = _pyarrow()
        types = {str: self._pa.string(), int: self._pa.int32(), float: self._pa.float64(), bool: self._pa.bool_()}
        self._schema = self._pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
        self._table = parquet.ParquetWriter(file, self._schema)
        self._rows: list[Row] = []

    def add(self, written: Written) -> None:
        self._rows.extend(rows_of(written))
        if len(self._rows) >= _PARQUET_ROWS:
            self._flush()

    def copy(self, path: Path, without: Set[str]) -> None:
        for batch in parquet_batches(path):
            rows = [row for row in batch if row["source"] not in without]
            # Rows of an earlier version may lack columns that were added since.
            self._table.write_table(self._pa.Table.from_pylist(rows, self._schema))

    def close(self) -> None:
        self._flush()
        self._table.close()

    def abandon(self) -> None:
        self._table.close()

    def _flush(self) -> None:
        self._table.write_table(self._pa.Table.from_pylist(self._rows, self._schema))
        self._rows.clear()


def parquet_bytes(readings: Iterable[Reading]) -> bytes:
    """Return the content of a Parquet file of readings.

    Raises:
        UsageError: the package is missing.
    """
    file = io.BytesIO()
    form = _Parquet(file)
    for reading in readings:
        form.add(reading.to_dict())
    form.close()
    return file.getvalue()


def json_items(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the readings of a JSON file as it is written here: one a line.

    Raises:
        UsageError: the file is not of that kind.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            text = line.strip().rstrip(",")
            if text in ("", "[", "]", "[]"):
                continue
            try:
                item = json.loads(text)
                if not isinstance(item, dict) or "source" not in item:
                    raise ValueError
            except ValueError:
                raise UsageError(f"{path} holds something else than readings of dogmood; name another file.") from None
            yield item


def parquet_batches(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of a Parquet file, some thousands at a time.

    Raises:
        UsageError: the file is no Parquet file, or the package is missing.
    """
    _, parquet = _pyarrow()
    try:
        with parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(_PARQUET_ROWS):
                yield batch.to_pylist()
    except (ValueError, OSError):  # pyarrow's own errors are kinds of these
        raise UsageError(f"{path} is no Parquet file that can be read; name another file.") from None


def _line(written: Written) -> str:
    return json.dumps(written, ensure_ascii=False)


def _csv_lines(rows: Sequence[Row] | Sequence[dict[str, str]]) -> str:
    text = io.StringIO()
    csv.DictWriter(text, COLUMNS).writerows(rows)
    return text.getvalue()


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UsageError("Parquet needs the extra 'tables': pip install 'dogmood[tables]'.") from None
    return pa, parquet


_FORMS: dict[str, tuple[Callable[[IO[Any]], Form], bool]] = {
    ".json": (_Json, True),
    ".jsonl": (_JsonLines, True),
    ".csv": (_Csv, True),
    ".parquet": (_Parquet, False),
}
