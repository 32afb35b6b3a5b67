from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx2
import pytest
from clients import Client

from dogmood import DogMood
from dogmood.web.app import create_app
from dogmood.web.limits import Busy, Work
from dogmood.web.readers import Readers
from dogmood.web.settings import Settings

LONG = 60.0
"""Seconds that no test takes."""


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, LONG))


async def until(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0)


def test_a_job_s_result_or_error_comes_back() -> None:
    async def main() -> None:
        work = Work(1, 0)
        with work.place() as place:
            assert await place.run(lambda: 7, LONG) == 7
        with pytest.raises(KeyError), work.place() as place:
            await place.run(lambda: {}["x"], LONG)
        assert work.taken == 0
        work.close()

    run(main())


def test_without_a_free_place_one_is_told_to_come_back() -> None:
    async def main() -> None:
        work = Work(1, 1)
        with work.place(), work.place():
            assert work.taken == 2
            with pytest.raises(Busy) as told, work.place():
                pass
            assert told.value.retry_after >= 1
        with work.place():
            pass
        work.close()

    run(main())


def test_only_so_many_jobs_run_at_once_and_the_rest_wait_in_order() -> None:
    async def main() -> None:
        work = Work(2, 3)
        go = Event()
        begun: list[int] = []

        def job(number: int) -> int:
            begun.append(number)
            go.wait(LONG)
            return number

        async def one(number: int) -> int:
            with work.place() as place:
                return await place.run(lambda: job(number), LONG)

        waiting = [asyncio.ensure_future(one(number)) for number in range(5)]
        await until(lambda: len(begun) == 2 and work.taken == 5)
        assert sorted(begun) == [0, 1]
        go.set()
        assert await asyncio.gather(*waiting) == [0, 1, 2, 3, 4]
        assert begun[2:] == [2, 3, 4]
        work.close()

    run(main())


def test_a_job_that_is_late_keeps_its_place_until_it_ends() -> None:
    async def main() -> None:
        work = Work(1, 0)
        go, begun = Event(), Event()

        def job() -> None:
            begun.set()
            go.wait(LONG)

        async def late() -> None:
            with work.place() as place:
                running = asyncio.ensure_future(place.run(job, LONG))
                await until(begun.is_set)
                running.cancel()
                await running

        with pytest.raises(asyncio.CancelledError):
            await late()
        assert work.taken == 1
        with pytest.raises(Busy), work.place():
            pass
        go.set()
        await until(lambda: work.taken == 0)
        work.close()

    run(main())


def test_a_job_that_has_not_begun_never_does_when_nobody_waits_for_it() -> None:
    async def main() -> None:
        work = Work(1, 1)
        go, begun = Event(), Event()
        ran: list[str] = []

        def first() -> None:
            begun.set()
            go.wait(LONG)

        async def one(job: Any, seconds: float) -> None:
            with work.place() as place:
                await place.run(job, seconds)

        running = asyncio.ensure_future(one(first, LONG))
        await until(begun.is_set)
        with pytest.raises(TimeoutError):
            await one(lambda: ran.append("second"), 0)
        assert work.taken == 1
        go.set()
        await running
        assert ran == []
        work.close()

    run(main())


def test_coming_back_takes_as_long_as_what_waits() -> None:
    async def main() -> None:
        times = iter(range(0, 1000, 4))
        work = Work(2, 6, clock=lambda: float(next(times)))
        for _ in range(20):  # each takes four seconds by this clock
            with work.place() as place:
                await place.run(lambda: None, LONG)
        for taken, seconds in ((0, 1), (1, 2), (4, 8), (8, 16)):
            work.taken = taken
            assert work.retry_after() == seconds
        work.close()

    run(main())


class Gate:
    """Holds readings back until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.reached = Event(), Event()
        self.read = 0
        real = DogMood.read_photo

        def held(*arguments: Any) -> Any:
            self.read += 1
            self.reached.set()
            self.open.wait(LONG)
            return real(*arguments)

        monkeypatch.setattr(DogMood, "read_photo", held)


def test_a_full_server_answers_429_and_when_to_come_back(
    client_of: Client, cottage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    client = client_of(workers=1, waiting=1)
    answers: list[int] = []

    def post() -> None:
        answers.append(client.post("/v1/read", content=cottage.read_bytes()).status_code)

    others = [Thread(target=post) for _ in range(2)]
    for thread in others:
        thread.start()
    assert gate.reached.wait(LONG)
    while client.get("/v1/health").json()["busy"] < 2:
        pass
    full = client.post("/v1/read", content=cottage.read_bytes())
    assert full.status_code == 429
    assert int(full.headers["retry-after"]) >= 1
    assert full.json()["detail"].startswith("Too many photos at once")
    gate.open.set()
    for thread in others:
        thread.join()
    assert answers == [200, 200]
    assert client.get("/v1/health").json()["busy"] == 0
    assert client.post("/v1/read", content=cottage.read_bytes()).status_code == 200


def test_a_reading_that_takes_too_long_is_503(
    client_of: Client, cottage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    answer = client_of(timeout=0.05).post("/v1/read", content=cottage.read_bytes())
    gate.open.set()
    assert answer.status_code == 503
    assert answer.json()["detail"] == "The photo could not be read within 0.05 s; send it again later."
    assert int(answer.headers["retry-after"]) >= 1


def test_a_photo_that_is_sent_too_slowly_is_408(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    # The rest of the body is given so long before the answer goes out.
    monkeypatch.setattr("dogmood.web.refusal._LONGEST_DRAIN", 0.05)

    async def main() -> None:
        app = create_app(Settings(timeout=0.05), readers)

        async def slow() -> Any:
            yield b"\xff\xd8\xff"
            await asyncio.Event().wait()

        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answer = await client.post("/v1/read", content=slow())
        assert answer.status_code == 408
        assert answer.json()["detail"].startswith("The photo was not sent within")

    run(main())


def test_a_request_that_is_given_up_is_not_read(
    readers: Readers, cottage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)

    async def main() -> None:
        app = create_app(Settings(workers=1, waiting=1), readers)
        work = app.state.desk.work

        async def post(gone: asyncio.Event) -> list[int]:
            """Send a photo as a client does that leaves when `gone` is set."""
            body = [{"type": "http.request", "body": cottage.read_bytes(), "more_body": False}]
            statuses: list[int] = []

            async def receive() -> Any:
                if body:
                    return body.pop()
                await gone.wait()
                return {"type": "http.disconnect"}

            async def send(message: Any) -> None:
                if message["type"] == "http.response.start":
                    statuses.append(message["status"])

            headers = [(b"host", b"127.0.0.1"), (b"content-type", b"image/jpeg")]
            scope = {"type": "http", "method": "POST", "path": "/v1/read", "query_string": b"", "headers": headers}
            await app({**scope, "http_version": "1.1", "scheme": "http", "root_path": ""}, receive, send)
            return statuses

        stays, leaves = asyncio.Event(), asyncio.Event()
        first = asyncio.ensure_future(post(stays))
        await until(gate.reached.is_set)
        second = asyncio.ensure_future(post(leaves))
        await until(lambda: work.taken == 2)
        leaves.set()
        await second
        assert work.taken == 1
        gate.open.set()
        assert await first == [200]
        work.close()

    run(main())
    assert gate.read == 1
