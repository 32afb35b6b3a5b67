"""Past readings, where the server was told to keep them: `--history ADDRESS`.  Photos are not stored."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from dogmood.emotions import EMOTIONS, emotion_of
from dogmood.errors import DogMoodError, UsageError
from dogmood.reading import Reading
from dogmood.web import openapi
from dogmood.web.refusal import Refusal

if TYPE_CHECKING:
    from dogmood.database.history import Entry, Filter

MOST = 200
"""Readings on one page of an answer."""

_PAGE = 50
_LONGEST = 200
_MOST_ID = 2**63 - 1

Since = Annotated[
    datetime | None, Query(description="Stored at this moment or later: a date or ISO 8601; UTC unless it says.")
]
Until = Annotated[datetime | None, Query(description="Stored before this moment, said likewise.")]
Shown = Annotated[
    str | None, Query(description="Of at least one dog the likeliest.", json_schema_extra={"enum": [*EMOTIONS]})
]
Source = Annotated[
    str | None, Query(max_length=_LONGEST, description="A part of the photo's name, in upper or lower case.")
]
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
Before = Annotated[int | None, Query(ge=1, le=_MOST_ID, description="The last answer's `next`: go on from there.")]

_log = logging.getLogger("uvicorn.error")


class History:
    """A database that readings go into and are looked up in.

    Args:
        address: ``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``.

    Raises:
        UsageError: the database cannot be used, or the extra is not installed.
    """

    def __init__(self, address: str) -> None:
        # Here, so that a server without history needs no extra.
        from dogmood.database.address import need_packages

        need_packages()
        from dogmood.database.database import Database

        self._database = Database(address)
        self._database.prepare()

    def store(self, reading: Reading) -> None:
        """Add a reading; of equal names each time another.

        Raises:
            UsageError: the database cannot be written.
        """
        from dogmood.database.records import add_reading

        with self._database.writing() as connection:
            add_reading(connection, reading.to_dict(), once=False)

    def latest(self, wanted: Filter, limit: int, before: int | None) -> list[Entry]:
        """Return the latest readings that fit, newest first (see `database.history.latest`)."""
        from dogmood.database.history import latest

        return latest(self._database, wanted, limit, before)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


def routes(kept: History | None) -> APIRouter:
    """Return the route of past readings; it says so where none are kept."""
    router = APIRouter(prefix="/v1")

    # Not async: the framework runs it in a thread, where it may wait for the database.
    @router.get("/history", tags=["history"], summary="List past readings", responses=openapi.HISTORY)
    def history(
        since: Since = None,
        until: Until = None,
        emotion: Shown = None,
        source: Source = None,
        limit: Limit = _PAGE,
        before: Before = None,
    ) -> JSONResponse:
        """The newest come first; `next` is null on the last page."""
        if kept is None:
            raise Refusal(404, "This server keeps no history; --history sqlite:///FILE starts one that does.")
        wanted = _filter(since, until, emotion, source)
        try:
            found = kept.latest(wanted, limit + 1, before)
        except UsageError as error:
            log(error)
            raise Refusal(503, "The history cannot be read now: the server's database is shut.") from None
        more = len(found) > limit
        return JSONResponse(
            {"readings": [_told(entry) for entry in found[:limit]], "next": found[limit - 1].id if more else None}
        )

    return router


def log(error: DogMoodError) -> None:
    """Tell whoever runs the server what those who ask need not know."""
    _log.error("%s", error)


def _filter(since: datetime | None, until: datetime | None, emotion: str | None, source: str | None) -> Filter:
    from dogmood.database.history import Filter

    try:
        return Filter(_in_utc(since), _in_utc(until), emotion_of(emotion) if emotion else None, source or None)
    except UsageError as error:
        raise Refusal(422, str(error)) from None
    except OverflowError:
        raise Refusal(422, "The parameters since and until lie between the years 1 and 9999.") from None


def _in_utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _told(entry: Entry) -> dict[str, Any]:
    stored = entry.stored.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"id": entry.id, "stored": stored, "reading": entry.written}
