"""Readings read back from the files and databases that `results` writes."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dogmood.database.address import has_scheme, need_packages, parse_address
from dogmood.emotions import EMOTIONS
from dogmood.errors import UsageError
from dogmood.files import is_file
from dogmood.outputs import ending_of, json_items, parquet_batches
from dogmood.reading import COLUMNS, Row, rows_of, written_source

_MOST = 1e12
"""No number of a reading is larger: thirty thousand years of video, in seconds."""

_TAKEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:\d\d)?", re.ASCII)
"""The time of a shot as it is written."""

RUN, SUCCESS = "_run.json", "_SUCCESS"
"""The files of a cluster's folder that say what its readings are made with, and that all are there."""

SHARD = re.compile(r"readings-(\d{6,})\.parquet", re.ASCII)
"""The name of a finished shard in such a folder."""

SENT = "sent"
"""A key that only rows have whose photo was sent to the page: their source is a name, and no path."""


@dataclass(frozen=True)
class Origin:
    """Where stored readings are.

    Attributes:
        shown: the path or address, as messages may show it: never with a password.
        name: the file's name, or the database's.
        folder: where photos and videos may be looked for.
        page: where a page made from the readings goes.
    """

    shown: str
    name: str
    folder: Path
    page: Path


def origin_of(where: str | Path) -> Origin:
    """Return what a page made from readings should know of where they are.

    Args:
        where: a file's path, that of a folder of shards, or a database's address.

    Raises:
        UsageError: it is an address that cannot be understood.
    """
    if not has_scheme(where):
        path = Path(where)
        if is_shards(path):  # of whose name, what stands behind a point is no ending
            path = path.resolve() if path.name in ("", "..") else path
            return Origin(str(path), path.name, path.parent, path.with_name(f"{path.name}.html"))
        return Origin(str(path), path.name, path.parent, path.with_suffix(".html"))
    address = parse_address(str(where))
    folder = Path() if address.file is None else address.file.parent
    return Origin(address.shown, address.name, folder, (folder / address.name).with_suffix(".html"))


def rows_in(where: str | Path) -> Iterator[Row]:
    """Yield the rows of stored readings, one after the other: see `COLUMNS`.

    What an earlier version did not write is None.  A last line that was cut off by a
    kill is left out.  Rows of photos that were sent to the page have `SENT` besides.

    Args:
        where: a file's path, that of a folder of shards, or a database's address.

    Raises:
        UsageError: there is nothing, or it holds something else.
    """
    if has_scheme(where):
        yield from _from_database(str(where))
        return
    path = Path(where)
    if is_shards(path):
        for shard in _shards_in(path):
            yield from rows_in(shard)
        return
    ending = ending_of(path)
    if not path.is_file():
        raise UsageError(f"{path} does not exist.")
    read = {".json": _from_json, ".jsonl": _from_lines, ".csv": _from_csv, ".parquet": _from_parquet}[ending]
    try:
        for row in read(path):
            yield _checked(row)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, csv.Error):
        raise UsageError(
            f"{path} holds something else than readings; make them with `dogmood read PHOTOS --out {path.name}`."
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from None


def is_shards(path: Path) -> bool:
    """Return whether a path is a folder that a cluster writes, or has written, readings to."""
    return is_file(path / RUN)


def is_finished(shards: Path) -> bool:
    """Return whether every shard of such a folder is there."""
    return is_file(shards / SUCCESS)


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


def _checked(row: Row) -> Row:
    """Return a row whose values are what `COLUMNS` says: whoever goes on with them may rely on it.

    Raises:
        ValueError: they are not.
    """
    checked: Row = {}
    for name, kind in COLUMNS.items():
        value = row[name]
        if value is not None and kind is float:
            if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < _MOST:
                raise ValueError(name)
        elif value is not None and (type(value) is not kind or (type(value) is int and abs(value) >= _MOST)):
            raise ValueError(name)
        checked[name] = written_source(value) if isinstance(value, str) else value
    if checked["source"] is None or checked["status"] not in ("read", "no_dog", "unreadable"):
        raise ValueError("status")
    if checked["time"] is not None and float(checked["time"]) < 0:
        raise ValueError("time")
    emotion, taken = checked["emotion"], checked["taken"]
    if taken is not None and not _TAKEN.fullmatch(str(taken)):
        raise ValueError("taken")
    if emotion is not None:
        if emotion not in EMOTIONS:
            raise ValueError("emotion")
        if checked["probability"] is None:
            checked["probability"] = checked[str(emotion)] or 0.0
    return checked


def _shards_in(folder: Path) -> list[Path]:
    """Return the finished shards, in their order: numbers beyond 999999 are longer."""
    try:
        names = [path.name for path in folder.iterdir() if SHARD.fullmatch(path.name)]
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror or error}.") from None
    return [folder / name for name in sorted(names, key=lambda name: (len(name), name))]


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
        # Spreadsheets put a mark before what they save.
        if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            file.seek(0)
        table = csv.DictReader(record.decode("utf-8") for record in _csv_records(file, ended=False))
        for row in table:
            if None in row.values():  # cut off
                return
            yield _whole({name: _typed(value, COLUMNS.get(name, str)) for name, value in row.items()})


def _from_parquet(path: Path) -> Iterator[Row]:
    for batch in parquet_batches(path):
        yield from map(_whole, batch)


def _from_database(address: str) -> Iterator[Row]:
    need_packages()
    from dogmood.database.database import Database
    from dogmood.database.history import all_entries

    database = Database(address)
    try:
        for entry in all_entries(database):
            more: Row = {SENT: True} if entry.sent else {}
            yield from (_checked(row) | more for row in rows_of(entry.written))
    except (KeyError, TypeError, ValueError, AttributeError):  # SQLite's columns take anything
        raise UsageError(
            f"{database.address.shown} holds something else than readings; name another database."
        ) from None
    finally:
        database.close()


def _whole(row: Mapping[str, Any]) -> Row:
    if not {"source", "status", "emotion"} <= row.keys():
        raise KeyError("source")
    return {name: row.get(name) for name in COLUMNS}


def _typed(text: str, kind: type) -> str | int | float | bool | None:
    if text == "":
        return None
    if kind is bool:
        return {"true": True, "false": False}[text.lower()]
    value: str | int | float = kind(text)
    return value
