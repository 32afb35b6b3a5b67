"""Readings looked up in a database: all of them in order, or the latest that fit a filter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, exists, select

from dogmood.database.database import Database
from dogmood.database.records import reading_of, storable
from dogmood.database.tables import dogs, models, readings

_BATCH = 500
"""Readings fetched at once."""


@dataclass(frozen=True)
class Filter:
    """Which readings are wanted; None wants all.

    Attributes:
        since: stored at this moment or later.
        until: stored before this moment.
        emotion: of at least one dog.
        source: a part of the source, in upper or lower case.
    """

    since: datetime | None = None
    until: datetime | None = None
    emotion: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Entry:
    """A stored reading.

    Attributes:
        id: its number; later readings have higher ones.
        stored: when it was stored, in UTC.
        written: the reading as JSON says it.
        sent: whether the photo was sent to the page: its source is then a name, not a path.
    """

    id: int
    stored: datetime
    written: dict[str, Any]
    sent: bool


def all_readings(database: Database) -> Iterator[dict[str, Any]]:
    """Yield all readings, as JSON says them, in the order in which they were stored.

    Raises:
        UsageError: there is no database of ours, or it cannot be read.
    """
    return (entry.written for entry in all_entries(database))


def all_entries(database: Database) -> Iterator[Entry]:
    """Yield all readings in the order in which they were stored.

    Raises:
        UsageError: there is no database of ours, or it cannot be read.
    """
    last = 0
    while True:
        with database.reading() as connection:
            entries = _entries(connection, _all().where(readings.c.id > last).order_by(readings.c.id).limit(_BATCH))
        yield from entries
        if len(entries) < _BATCH:
            return
        last = entries[-1].id


def latest(database: Database, wanted: Filter, limit: int, before: int | None = None) -> list[Entry]:
    """Return the latest readings that fit, newest first.

    Args:
        database: where they are.
        wanted: which ones.
        limit: how many at most.
        before: only those with lower numbers than this: the next page.

    Raises:
        UsageError: there is no database of ours, or it cannot be read.
    """
    query = _all().order_by(readings.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(readings.c.id < before)
    if wanted.since is not None:
        query = query.where(readings.c.stored >= wanted.since)
    if wanted.until is not None:
        query = query.where(readings.c.stored < wanted.until)
    if wanted.source is not None:
        query = query.where(readings.c.source.icontains(storable(wanted.source), autoescape=True))
    if wanted.emotion is not None:
        query = query.where(exists().where(dogs.c.reading_id == readings.c.id, dogs.c.emotion == wanted.emotion))
    with database.reading() as connection:
        return _entries(connection, query)


def _all() -> Select[Any]:
    return select(readings, models.c.name, models.c.version, models.c.sha256).join(models)


def _entries(connection: Connection, query: Select[Any]) -> list[Entry]:
    rows = connection.execute(query).mappings().all()
    of = _dogs_of(connection, [row["id"] for row in rows])
    return [Entry(row["id"], row["stored"], reading_of(row, of[row["id"]]), sent=row["key"] is None) for row in rows]


def _dogs_of(connection: Connection, numbers: Sequence[int]) -> dict[int, list[RowMapping]]:
    found: dict[int, list[RowMapping]] = defaultdict(list)
    if numbers:
        query = select(dogs).where(dogs.c.reading_id.in_(numbers)).order_by(dogs.c.reading_id, dogs.c.dog)
        for row in connection.execute(query).mappings():
            found[row["reading_id"]].append(row)
    return found
