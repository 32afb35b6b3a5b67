"""The tables: which there are, and of which version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from dogmood.emotions import EMOTIONS

VERSION = 1
"""Of the tables below.  A database of another version is refused: raise this number
with every change that an older or newer dogmood would trip over."""

EDGES = ("x0", "y0", "x1", "y1")


class UtcTime(TypeDecorator[datetime]):
    """A moment; SQLite, which has no zones, holds it in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Write a moment that knows its zone."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return it in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_Id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the type is its own INTEGER."""

tables = MetaData()

schema = Table("dogmood", tables, Column("schema_version", Integer, primary_key=True, autoincrement=False))
"""One row: `VERSION` when the tables were made."""

models = Table(
    "models",
    tables,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    UniqueConstraint("name", "version", "sha256"),
)

readings = Table(
    "readings",
    tables,
    Column("id", _Id, primary_key=True),
    # What keeps a photo or a frame from being there twice; NULL for photos sent to the
    # page, where one name comes again and again.  A digest: paths are too long to index.
    Column("key", String(64), unique=True),
    Column("stored", UtcTime, nullable=False),
    Column("source", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", Text),
    Column("width", Integer),
    Column("height", Integer),
    Column("time", Double),
    Column("taken", Text),
    Column("model_id", Integer, ForeignKey("models.id"), nullable=False),
    Index("readings_stored", "stored"),
)
"""One row a photo, or a frame of a video; columns as the keys of a reading."""


def _edges(name: str, nullable: bool) -> list[Column[Any]]:
    return [Column(f"{name}_{edge}", Double, nullable=nullable) for edge in EDGES]


dogs = Table(
    "dogs",
    tables,
    Column("reading_id", _Id, ForeignKey("readings.id", ondelete="CASCADE"), primary_key=True),
    Column("dog", Integer, primary_key=True, autoincrement=False),
    Column("track", Integer),
    *_edges("box", nullable=False),
    *_edges("head", nullable=True),
    Column("presence", Double, nullable=False),
    Column("emotion", String(16), nullable=False),
    Column("probability", Double, nullable=False),
    *[Column(emotion, Double) for emotion in EMOTIONS],
    Column("sure", Boolean, nullable=False),
    Column("set", Text, nullable=False),
    Column("looked_at", JSON(none_as_null=True)),
    Index("dogs_emotion", "emotion"),
)
"""One row a dog; columns as in CSV.  An emotion that was not to choose from is NULL."""

videos = Table(
    "videos",
    tables,
    Column("key", String(64), primary_key=True),
    Column("source", Text, nullable=False),
    Column("state", JSON(none_as_null=True)),
)
"""Videos that were begun and not ended, and how reading goes on."""
