"""`dogmood serve --history`: what is stored, and what `/v1/history` answers."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from clients import Client
from fastapi.testclient import TestClient
from sqlalchemy import text, update

from dogmood import UsageError
from dogmood.database.database import Database
from dogmood.database.tables import readings
from dogmood.reading import Reading
from dogmood.results import open_results
from dogmood.stored import rows_in
from test_reading import REX
from test_results import BAD, CAT, FRAMES, PAIR

FEARFUL = replace(REX, source="Kennel/Bella 100%_.jpg", dogs=(replace(REX.dogs[0], emotion="fear"),))


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'history.db'}"


def fill(address: str, *kept: Reading) -> None:
    """Store readings, a day apart, the first on the first of May."""
    with open_results(address, resume=True) as results:
        for reading in kept:
            results.write(reading)
    with closing(Database(address)) as database, database.writing() as connection:
        for number in range(1, len(kept) + 1):
            day = datetime(2026, 5, number, 12, tzinfo=UTC)
            connection.execute(update(readings).where(readings.c.id == number).values(stored=day))


def sources(client: TestClient, **wanted: Any) -> list[str]:
    answer = client.get("/v1/history", params=wanted)
    assert answer.status_code == 200, answer.text
    return [entry["reading"]["source"] for entry in answer.json()["readings"]]


def test_readings_are_stored_and_photos_are_not(
    client_of: Client, bull_mastiff: Path, cottage: Path, tmp_path: Path, address: str
) -> None:
    client = client_of(history=address)
    assert client.get("/v1/model").json()["history"] is True
    rex = client.post("/v1/read?name=rex.jpg&explain=1", content=bull_mastiff.read_bytes()).json()
    for name in ("hut.jpg", "hut.jpg"):
        client.post("/v1/read", params={"name": name}, content=cottage.read_bytes())
    client.post("/v1/read?name=secret.jpg&keep=false", content=cottage.read_bytes())
    client.post("/v1/picture?name=drawn.jpg", content=cottage.read_bytes())
    client.post("/v1/read?name=text.jpg&lenient=true", content=b"woof")
    answer = client.get("/v1/history").json()
    assert [entry["reading"]["source"] for entry in answer["readings"]] == ["hut.jpg", "hut.jpg", "rex.jpg"]
    for dog in rex["dogs"]:
        del dog["saliency"]
    assert answer["readings"][-1]["reading"] == rex
    stored = datetime.fromisoformat(answer["readings"][-1]["stored"])
    assert abs(datetime.now(UTC) - stored) < timedelta(hours=1)
    # A photo is ten times what readings of it take.
    files = [path for path in tmp_path.iterdir() if path.name.startswith("history.db")]
    assert set(files) == set(tmp_path.iterdir())
    assert not any(bull_mastiff.read_bytes()[1000:1100] in path.read_bytes() for path in files)


def test_nothing_is_stored_unless_asked_for(client: TestClient, cottage: Path) -> None:
    assert client.get("/v1/model").json()["history"] is False
    answer = client.get("/v1/history")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "This server keeps no history; --history sqlite:///FILE starts one that does."}


def test_filters(client_of: Client, address: str) -> None:
    fill(address, replace(CAT, source="ÄNNE.jpg"), REX, FEARFUL, CAT, BAD)
    client = client_of(history=address)
    everything = ["bad.jpg", "cat.jpg", FEARFUL.source, "rex.jpg", "ÄNNE.jpg"]
    assert sources(client) == everything
    for wanted, found in [
        ({"emotion": "fear"}, [FEARFUL.source]),
        ({"emotion": "Scared"}, [FEARFUL.source]),
        ({"emotion": "sadness"}, []),
        ({"source": "REX"}, ["rex.jpg"]),
        ({"source": "änne"}, ["ÄNNE.jpg"]),
        ({"source": "ÄNNE"}, ["ÄNNE.jpg"]),
        ({"source": "100%_"}, [FEARFUL.source]),
        ({"source": "_"}, [FEARFUL.source]),
        ({"source": "'; DROP TABLE dogs; --"}, []),
        ({"source": "\0"}, []),
        ({"source": ""}, everything),
        ({"since": "2026-05-04"}, ["bad.jpg", "cat.jpg"]),
        ({"since": "2026-05-04T12:00:00Z"}, ["bad.jpg", "cat.jpg"]),
        ({"since": "2026-05-04T14:00:00+02:00"}, ["bad.jpg", "cat.jpg"]),
        ({"until": "2026-05-04T12:00:00Z"}, [FEARFUL.source, "rex.jpg", "ÄNNE.jpg"]),
        ({"since": "2026-05-03", "until": "2026-05-04", "emotion": "fear", "source": "bella"}, [FEARFUL.source]),
        ({"since": "2027-01-01", "until": "2026-01-01"}, []),
    ]:
        assert sources(client, **wanted) == found, wanted


@pytest.mark.parametrize("limit", [1, 2, 5, 200])
def test_pages_hold_each_reading_once_even_while_others_come(client_of: Client, address: str, limit: int) -> None:
    kept = [replace(CAT, source=f"{i}.jpg") for i in range(5)]
    fill(address, *kept)
    client = client_of(history=address)
    found, before = [], None
    for _ in range(10):
        answer = client.get("/v1/history", params={"limit": limit} | ({"before": before} if before else {})).json()
        found += [entry["reading"]["source"] for entry in answer["readings"]]
        assert len(answer["readings"]) <= limit
        before = answer["next"]
        if before is None:
            break
        with open_results(address, resume=True) as results:
            results.write(replace(CAT, source=f"later {len(found)}.jpg"))
    assert found == [reading.source for reading in reversed(kept)]


def test_what_the_command_line_stored_is_listed_as_it_is(client_of: Client, address: str) -> None:
    fill(address, PAIR, BAD, *FRAMES)
    client = client_of(history=address)
    answer = client.get("/v1/history").json()
    assert [entry["reading"] for entry in answer["readings"]] == [
        reading.to_dict() for reading in reversed([PAIR, BAD, *FRAMES])
    ]
    document = client.get("/openapi.json").json()
    described = document["paths"]["/v1/history"]["get"]["responses"]["200"]["content"]["application/json"]
    jsonschema.validate(answer, described["schema"] | {"components": document["components"]})


def test_what_the_page_stored_is_no_hindrance_to_the_command_line(
    client_of: Client, address: str, cottage: Path
) -> None:
    client = client_of(history=address)
    client.post("/v1/read?name=cat.jpg", content=cottage.read_bytes())
    with open_results(address) as results:
        assert not results.has("cat.jpg")
        results.write(CAT)
    assert [row["source"] for row in rows_in(address)] == ["cat.jpg", "cat.jpg"]
    assert sources(client) == ["cat.jpg", "cat.jpg"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"limit": 0},
        {"limit": 201},
        {"limit": "many"},
        {"before": 0},
        {"before": 2**63},
        {"emotion": "boredom"},
        {"since": "yesterday"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59-14:00"},
        {"source": "x" * 201},
    ],
)
def test_wrong_parameters_get_one_sentence(client_of: Client, address: str, wanted: dict[str, Any]) -> None:
    answer = client_of(history=address).get("/v1/history", params=wanted)
    assert answer.status_code == 422
    assert list(answer.json()) == ["detail"]
    assert len(answer.json()["detail"].splitlines()) == 1


def test_the_token_and_the_headers_guard_it(client_of: Client, address: str) -> None:
    fill(address, REX)
    client = client_of(history=address, token="woof-woof")
    refused = client.get("/v1/history")
    assert refused.status_code == 401
    assert "rex" not in refused.text
    answer = client.get("/v1/history", headers={"authorization": "Bearer woof-woof"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "access-control-allow-origin" not in answer.headers
    assert client.get("/v1/history", headers={"host": "evil.example"}).status_code == 400


def test_a_database_that_breaks_is_told_without_its_address(
    client_of: Client, address: str, cottage: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(history=address)
    with closing(Database(address)) as database, database.writing() as connection:
        connection.execute(text("DROP TABLE dogs"))
        connection.execute(text("DROP TABLE readings"))
    refused = client.get("/v1/history")
    assert (refused.status_code, refused.json()) == (
        503,
        {"detail": "The history cannot be read now: the server's database is shut."},
    )
    refused = client.post("/v1/read", content=cottage.read_bytes())
    assert refused.status_code == 507
    assert "its reading could not be kept" in refused.json()["detail"]
    assert str(tmp_path) not in refused.text
    assert "no such table" in caplog.text


@pytest.mark.parametrize(
    ("history", "sentence"),
    [
        ("readings.csv", "begins with sqlite:///"),
        ("mysql://rex:b0ne@kennel/dogs", "begins with sqlite:///"),
        ("sqlite:////nowhere/history.db", "unable to open database file"),
        ("postgresql://rex:b0ne@127.0.0.1:1/dogs", "^postgresql://rex@127.0.0.1:1/dogs cannot be written"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_at_the_start(client_of: Client, history: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as refused:
        client_of(history=history)
    assert "b0ne" not in str(refused.value)
