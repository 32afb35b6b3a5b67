"""Readings read back from the files that `outputs` and `results` write."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from dogmood.errors import UsageError
from dogmood.outputs import ending_of, json_items, parquet_batches
from dogmood.reading import COLUMNS, Row, rows_of


def rows_in(path: Path) -> Iterator[Row]:
    """Yield the rows of a file of readings, one after the other: see `COLUMNS`.

    What an earlier version did not write is None.  A last line that was cut off by a
    kill is left out.

    Raises:
        UsageError: there is no such file, or it holds something else.
    """
    ending = ending_of(path)
    if not path.is_file():
        raise UsageError(f"{path} does not exist.")
    read = {".json": _from_json, ".jsonl": _from_lines, ".csv": _from_csv, ".parquet": _from_parquet}[ending]
    try:
        yield from read(path)
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error):
        raise UsageError(
            f"{path} holds something else than readings; make them with `dogmood read PHOTOS --out {path.name}`."
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from None


def whole_lines(file: IO[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each reading of a file of JSON lines with the byte after it; leave out a torn last line.

    Raises:
        ValueError: a line is no JSON.
    """
    end = 0
    for line in file:
        if line.endswith(b"\n"):
            end += len(line)
            yield end, json.loads(line)


def whole_csv(file: IO[bytes]) -> Iterator[tuple[int, dict[str, str] | None]]:
    """Yield each reading of a CSV file, as one of its rows, with the byte after its last.

    The header comes first, as None.  A reading of several dogs is whole where all their
    rows are there; a torn end is left out.

    Raises:
        ValueError: a row is none of ours.
    """
    end, rows, columns = 0, 0, list(COLUMNS)
    for record in _csv_records(file):
        end += len(record)
        if end == len(record):
            yield end, None
            continue
        (row,) = csv.DictReader([record.decode("utf-8", "replace")], columns)
        rows += 1
        if rows >= int(row["dogs"] or 1):
            yield end, row
            rows = 0


def _csv_records(file: IO[bytes], ended: bool = True) -> Iterator[bytes]:
    """Yield whole records: a field in quotes may hold ends of lines.

    Args:
        file: open for reading.
        ended: leave out a last one without an end of line.
    """
    record = b""
    for line in file:
        record += line
        if record.count(b'"') % 2 == 0 and record.endswith(b"\n"):
            yield record
            record = b""
    if record.count(b'"') % 2 == 0 and record and not ended:
        yield record


def _from_json(path: Path) -> Iterator[Row]:
    for item in json_items(path):
        yield from rows_of(item)


def _from_lines(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield from rows_of(json.loads(line))


def _from_csv(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        table = csv.DictReader(record.decode("utf-8") for record in _csv_records(file, ended=False))
        for row in table:
            if None in row.values():  # cut off
                return
            yield _whole({name: _typed(value, COLUMNS.get(name, str)) for name, value in row.items()})


def _from_parquet(path: Path) -> Iterator[Row]:
    for batch in parquet_batches(path):
        yield from map(_whole, batch)


def _whole(row: Mapping[str, Any]) -> Row:
    if not {"source", "status", "emotion"} <= row.keys():
        raise KeyError("source")
    return {name: row.get(name) for name in COLUMNS}


def _typed(text: str, kind: type) -> str | int | float | bool | None:
    if text == "":
        return None
    if kind is bool:
        return {"True": True, "False": False}[text]
    value: str | int | float = kind(text)
    return value
