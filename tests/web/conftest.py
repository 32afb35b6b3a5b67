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
