"""What the fixture `client_of` is: a maker of clients of servers with the settings given."""

from __future__ import annotations

from collections.abc import Callable

from fastapi.testclient import TestClient

Client = Callable[..., TestClient]
