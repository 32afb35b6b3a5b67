from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.emotions import EMOTIONS
from dogmood.reading import COLUMNS, DogReading, ModelInfo, Reading, json_schema
from dogmood.regions import REGIONS

MODEL = ModelInfo("base", "1.2.0", "0" * 64)
share = st.floats(0, 1)
box = st.tuples(*[st.floats(0, 5000)] * 4)
dogs = st.builds(
    DogReading,
    dog=st.integers(1, 9),
    box=box,
    head=st.none() | box,
    presence=share,
    emotion=st.sampled_from(EMOTIONS),
    probability=share,
    probabilities=st.fixed_dictionaries(dict.fromkeys(EMOTIONS, share)),
    sure=st.booleans(),
    possible=st.lists(st.sampled_from(EMOTIONS), min_size=1, unique=True).map(tuple),
    saliency=st.none(),
    looked_at=st.none()
    | st.dictionaries(st.sampled_from(EMOTIONS), st.dictionaries(st.sampled_from(REGIONS), share, min_size=1)),
)
readings = st.one_of(
    st.builds(
        Reading,
        source=st.text(),
        status=st.just("read"),
        width=st.integers(1, 9999),
        height=st.integers(1, 9999),
        model=st.just(MODEL),
        dogs=st.lists(dogs, min_size=1, max_size=3).map(tuple),
        reason=st.none(),
        mask=st.none(),
    ),
    st.builds(lambda source: Reading(source, "no_dog", 10, 20, MODEL), st.text()),
    st.builds(lambda source, reason: Reading(source, "unreadable", 0, 0, MODEL, reason=reason), st.text(), st.text()),
)

REX = Reading(
    "rex.jpg",
    "read",
    1280,
    960,
    MODEL,
    (
        DogReading(
            1,
            (212.04, 80.5, 903.0, 951.0),
            None,
            0.99812,
            "happiness",
            0.93124,
            {"anger": 0.004, "fear": 0.0116, "happiness": 0.93124, "sadness": 0.007, "relaxed": 0.0468},
            True,
            ("happiness",),
        ),
    ),
)


@given(readings)
def test_every_reading_follows_the_schema_and_survives_json(reading: Reading) -> None:
    written = json.loads(json.dumps(reading.to_dict()).encode())
    jsonschema.validate(written, json_schema())


@given(readings)
def test_rows_are_one_a_dog_with_the_same_columns(reading: Reading) -> None:
    rows = reading.to_rows()
    assert len(rows) == max(1, len(reading.dogs))
    for row in rows:
        assert list(row) == list(COLUMNS)
        assert all(value is None or isinstance(value, COLUMNS[name]) for name, value in row.items())


def test_the_json_of_a_known_reading() -> None:
    written = REX.to_dict()
    assert list(written) == ["source", "status", "width", "height", "model", "dogs"]
    (dog,) = written["dogs"]
    assert dog["box"] == [212.0, 80.5, 903.0, 951.0]
    assert dog["probability"] == dog["probabilities"]["happiness"] == 0.9312
    assert dog["set"] == ["happiness"]
    assert "reason" not in written


def test_probabilities_are_sorted_highest_first() -> None:
    assert [name for name, _ in REX.dogs[0].sorted_probabilities()] == [
        "happiness", "relaxed", "fear", "sadness", "anger",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "broken",
    [
        {"status": "asleep"},
        {"dogs": []},
        {"dogs": [{"dog": 1}]},
        {"model": {"name": "base"}},
        {"width": 0},
    ],
)
def test_the_schema_refuses_what_is_no_reading(broken: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(REX.to_dict() | broken, json_schema())


def test_file_names_of_any_bytes_can_be_written() -> None:
    reading = Reading("caf\udce9.jpg", "no_dog", 1, 1, MODEL)
    assert json.dumps(reading.to_dict(), ensure_ascii=False).encode("utf-8")


def test_where_it_looked_is_written_only_where_asked_for() -> None:
    assert "looked_at" not in REX.to_dict()["dogs"][0]
    assert REX.to_rows()[0]["looked_at_muzzle"] is None
    shares = {"happiness": {"muzzle": 0.48004, "backdrop": 0.51996}, "fear": {"body": 1.0}}
    told = replace(REX, dogs=(replace(REX.dogs[0], looked_at=shares),))
    written = told.to_dict()
    jsonschema.validate(written, json_schema())
    assert written["dogs"][0]["looked_at"]["happiness"] == {"muzzle": 0.48, "backdrop": 0.52}
    (row,) = told.to_rows()  # a row tells of the emotion that was read
    assert (row["looked_at_muzzle"], row["looked_at_body"]) == (0.48, None)
