from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dogmood.database.database import Database
from dogmood.database.history import Filter, latest
from dogmood.database.records import add_reading
from dogmood.emotions import EMOTIONS
from dogmood.reading import ModelInfo, Reading, written_source
from test_reading import REX, dogs, readings

share = st.floats(0, 1)
chosen = st.sets(st.sampled_from(EMOTIONS), min_size=2).map(lambda some: [e for e in EMOTIONS if e in some])
some_dogs = st.builds(
    lambda dog, track, probabilities: replace(dog, track=track, probabilities=probabilities),
    dogs,
    st.none() | st.integers(1, 10_000),
    chosen.flatmap(lambda names: st.fixed_dictionaries(dict.fromkeys(names, share))),
)
model_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def harmless(reading: Reading) -> Reading:
    """No database holds a zero in a text; a test of its own says what becomes of it."""
    reason = None if reading.reason is None else reading.reason.replace("\0", "0")
    return replace(reading, source=reading.source.replace("\0", "0"), reason=reason)


any_reading = st.builds(
    lambda reading, several, time, taken, model: replace(
        harmless(reading),
        dogs=tuple(replace(dog, dog=i) for i, dog in enumerate(several, start=1)) if reading.dogs else (),
        time=time,
        taken=taken,
        model=model,
    ),
    readings,
    st.lists(some_dogs, min_size=1, max_size=3),
    st.none() | st.floats(0, 1e6),
    st.none() | st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds")),
    st.builds(ModelInfo, model_texts, model_texts, st.text("0123456789abcdef", min_size=64, max_size=64)),
)


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    with closing(Database(address)) as database:
        yield database


def read_back(database: Database, reading: Reading) -> dict[str, object]:
    with database.writing() as connection:
        assert add_reading(connection, reading.to_dict(), once=False)
    (entry,) = latest(database, Filter(), 1)
    return entry.written


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reading=any_reading)
def test_what_is_written_is_read_back_to_the_last_digit(database: Database, reading: Reading) -> None:
    assert read_back(database, reading) == reading.to_dict()


def test_as_text_it_is_the_same_too(database: Database) -> None:
    seen = replace(
        REX.dogs[0], head=(301.0, 92.0, 640.0, 455.0), track=3, looked_at={"fear": {"muzzle": 0.1, "ears": 0.9}}
    )
    reading = replace(
        REX, dogs=(seen, replace(seen, dog=2, looked_at={}, track=None)), time=1.2, taken="2026-05-01T10:00:00"
    )
    assert json.dumps(read_back(database, reading)) == json.dumps(reading.to_dict())


def test_what_no_database_holds_is_replaced(database: Database) -> None:
    reading = Reading("a\0b\udce9.jpg", "unreadable", 0, 0, REX.model, reason="no\0ne")
    assert read_back(database, reading) == {
        "source": written_source("a\N{REPLACEMENT CHARACTER}b\udce9.jpg"),
        "status": "unreadable",
        "reason": "no\N{REPLACEMENT CHARACTER}ne",
        "model": vars(REX.model),
        "dogs": [],
    }


def test_the_longest_paths_are_held(database: Database) -> None:
    reading = replace(REX, source="/".join(f"{i:x}" * 40 for i in range(4000))[:40_000])
    with database.writing() as connection:
        assert add_reading(connection, reading.to_dict(), once=True)
        assert not add_reading(connection, reading.to_dict(), once=True)
    (entry,) = latest(database, Filter(), 2)
    assert entry.written == reading.to_dict()


def test_a_transaction_that_fails_leaves_nothing(database: Database, tmp_path: Path) -> None:
    def fail() -> None:
        with database.writing() as connection:
            add_reading(connection, REX.to_dict(), once=True)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert latest(database, Filter(), 1) == []
