from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from clients import Client
from fastapi.testclient import TestClient

from dogmood.web.app import create_app
from dogmood.web.readers import Readers
from dogmood.web.settings import Settings


@pytest.fixture(scope="session")
def readers() -> Readers:
    return Readers(Settings())


@pytest.fixture
def client_of(readers: Readers) -> Iterator[Client]:
    """Make clients of servers with the settings given; the model is loaded once for all."""
    with ExitStack() as stack:

        def make(base_url: str = "http://127.0.0.1:8000", **settings: Any) -> TestClient:
            app = create_app(Settings(**settings), readers)
            return stack.enter_context(TestClient(app, base_url=base_url))

        yield make


@pytest.fixture
def client(client_of: Client) -> TestClient:
    return client_of()


@pytest.fixture(scope="module")
def address(readers: Readers) -> Iterator[str]:
    from browsing import serving

    with serving(readers) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from browsing import chromium_with

    with chromium_with() as browser:
        yield browser


@pytest.fixture
def opened(chromium: Any, address: str) -> Iterator[Any]:
    """Open pages; each is checked and closed at the end."""
    from browsing import Watched, expect

    watched: list[Watched] = []

    def make(where: str = address, ready: bool = True, **context: Any) -> Any:
        watched.append(Watched(chromium, where, **context))
        if ready:
            expect(watched[-1].page.locator("body.ready")).to_have_count(1)
        return watched[-1].page

    yield make
    for one in watched:
        one.check()
        one.context.close()
