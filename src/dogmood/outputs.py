"""Readings written to files: JSON, JSON lines, CSV, Parquet.

Every file is complete or absent: readings go to a temporary file beside it, which
takes its name when the last one is written.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeAlias

from dogmood.atomic import atomic_write
from dogmood.errors import UsageError
from dogmood.folder import is_folder
from dogmood.reading import COLUMNS, Reading, Row

Write: TypeAlias = Callable[[Reading], None]

_PARQUET_ROWS = 4096
"""Rows held in memory before they are written as one row group."""


def json_line(reading: Reading) -> str:
    """Return a reading as one line of JSON, without the line's end."""
    return json.dumps(reading.to_dict(), ensure_ascii=False)


@contextmanager
def open_output(path: Path) -> Iterator[Write]:
    """Open a file for readings; its ending chooses the form.

    Yields:
        A function that adds a reading.

    Raises:
        UsageError: the ending is unknown, the folder cannot be written to, or a
            package that the form needs is not installed.
    """
    try:
        form, text = _FORMS[path.suffix.lower()]
    except KeyError:
        raise UsageError(f"{path} must end in {', '.join(_FORMS)}.") from None
    if is_folder(path):
        raise UsageError(f"{path} is a folder; name a file in it.")
    with atomic_write(path, text) as file, form(file) as write:
        yield write


@contextmanager
def _json(file: IO[str]) -> Iterator[Write]:
    written = 0

    def write(reading: Reading) -> None:
        nonlocal written
        file.write(("[\n" if written == 0 else ",\n") + json_line(reading))
        written += 1

    yield write
    file.write("[]\n" if written == 0 else "\n]\n")


@contextmanager
def _json_lines(file: IO[str]) -> Iterator[Write]:
    yield lambda reading: print(json_line(reading), file=file)


@contextmanager
def _csv(file: IO[str]) -> Iterator[Write]:
    table = csv.DictWriter(file, COLUMNS)
    table.writeheader()
    yield lambda reading: table.writerows(reading.to_rows())


@contextmanager
def _parquet(file: IO[bytes]) -> Iterator[Write]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UsageError("Parquet needs the extra 'tables': pip install 'dogmood[tables]'.") from None
    types = {str: pa.string(), int: pa.int32(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    rows: list[Row] = []
    with parquet.ParquetWriter(file, schema) as table:

        def flush() -> None:
            table.write_table(pa.Table.from_pylist(rows, schema))
            rows.clear()

        def write(reading: Reading) -> None:
            rows.extend(reading.to_rows())
            if len(rows) >= _PARQUET_ROWS:
                flush()

        yield write
        flush()


_FORMS: dict[str, tuple[Callable[[IO[Any]], Any], bool]] = {
    ".json": (_json, True),
    ".jsonl": (_json_lines, True),
    ".csv": (_csv, True),
    ".parquet": (_parquet, False),
}
