"""Readings read back from the files that `outputs` and `results` write."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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


def _from_json(path: Path) -> Iterator[Row]:
    for item in json_items(path):
        yield from rows_of(item)


def _from_lines(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield from rows_of(json.loads(line))


def _from_csv(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
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
