"""A reading as rows of the tables, and back: exactly what `Reading.to_dict` says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, RowMapping, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from dogmood.database.tables import EDGES, dogs, models, readings
from dogmood.emotions import EMOTIONS

Written: TypeAlias = Mapping[str, Any]
"""A reading as JSON says it."""

_SAME = ("source", "status", "reason", "width", "height", "time", "taken")
_SAME_OF_DOGS = ("dog", "track", "presence", "emotion", "probability", "sure", "looked_at")


def key_of(source: str, time: float | None = None) -> str:
    """Return what stands for a photo, or for a frame of a video, in the database.

    Args:
        source: as it is written.
        time: likewise; None for a photo or a whole video.
    """
    return hashlib.sha256(f"{source}\0{'' if time is None else time}".encode()).hexdigest()


def add_reading(connection: Connection, written: Written, once: bool) -> bool:
    """Add a reading with its dogs; commit or roll back outside.

    Args:
        connection: in a transaction.
        written: the reading as JSON says it.
        once: leave it out where its photo or frame is there already.

    Returns:
        Whether it was added.
    """
    values = {name: storable(written.get(name)) for name in _SAME}
    values["key"] = key_of(written["source"], written.get("time")) if once else None
    values |= {"stored": datetime.now(UTC), "model_id": _model_id(connection, written["model"])}
    new = upsert(connection, readings).values(values).on_conflict_do_nothing().returning(readings.c.id)
    number = connection.execute(new).scalar()
    if number is None:
        return False
    if written["dogs"]:
        connection.execute(insert(dogs), [{"reading_id": number, **_dog_values(dog)} for dog in written["dogs"]])
    return True


def upsert(connection: Connection, table: Any) -> Any:
    """Return an INSERT that can say what to do ``ON CONFLICT``; each dialect has its own."""
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)


def reading_of(row: RowMapping, dog_rows: Sequence[RowMapping]) -> dict[str, Any]:
    """Return a reading as JSON says it.

    Args:
        row: of `readings`, with ``name``, ``version`` and ``sha256`` of its model.
        dog_rows: its rows of `dogs`, in order.
    """
    written: dict[str, Any] = {"source": row["source"], "status": row["status"]}
    written |= {name: row[name] for name in ("time", "taken") if row[name] is not None}
    if row["status"] == "unreadable":
        written["reason"] = row["reason"]
    else:
        written |= {"width": row["width"], "height": row["height"]}
    written["model"] = {name: row[name] for name in ("name", "version", "sha256")}
    written["dogs"] = [_dog_of(dog) for dog in dog_rows]
    return written


def _model_id(connection: Connection, model: Mapping[str, str]) -> int:
    this = [models.c[name] == model[name] for name in ("name", "version", "sha256")]
    known = select(models.c.id).where(*this)
    number = connection.execute(known).scalar()
    if number is None:
        connection.execute(upsert(connection, models).values(**model).on_conflict_do_nothing())
        number = connection.execute(known).scalar_one()
    return int(number)


def _dog_values(dog: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: dog.get(name) for name in _SAME_OF_DOGS},
        **{emotion: dog["probabilities"].get(emotion) for emotion in EMOTIONS},
        **_edges("box", dog["box"]),
        **_edges("head", dog["head"] or [None] * 4),
        "set": " ".join(dog["set"]),
    }


def _dog_of(row: RowMapping) -> dict[str, Any]:
    dog: dict[str, Any] = {"dog": row["dog"]}
    if row["track"] is not None:
        dog["track"] = row["track"]
    dog["box"] = [row[f"box_{edge}"] for edge in EDGES]
    dog["head"] = None if row["head_x0"] is None else [row[f"head_{edge}"] for edge in EDGES]
    dog |= {name: row[name] for name in ("presence", "emotion", "probability")}
    dog["probabilities"] = {emotion: row[emotion] for emotion in EMOTIONS if row[emotion] is not None}
    dog |= {"sure": row["sure"], "set": row["set"].split()}
    if row["looked_at"] is not None:
        dog["looked_at"] = row["looked_at"]
    return dog


def _edges(name: str, box: Sequence[float | None]) -> dict[str, float | None]:
    return {f"{name}_{edge}": value for edge, value in zip(EDGES, box, strict=True)}


def storable(value: Any) -> Any:
    """Return a value with what no database holds replaced."""
    # No text of PostgreSQL holds a zero; no file's name does either.
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
