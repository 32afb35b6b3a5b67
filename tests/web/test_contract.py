"""The API keeps to its own OpenAPI document, whatever it is sent."""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.types import ASGIApp, Receive, Scope, Send

from dogmood.web.app import create_app
from dogmood.web.readers import Readers
from dogmood.web.settings import Settings
from mutations import damaged
from pictures import corners, encoded

OURS = {"host": "127.0.0.1:8000"}
LONG = 20 if "DOGMOOD_LONG" in os.environ else 1
OPERATIONS = ["POST /v1/read", "POST /v1/picture", "GET /v1/health", "GET /v1/model", "GET /v1/history"]
WRONG = OPERATIONS[:2]
"""Those that take anything which may be wrong."""


BODIES = st.sampled_from([encoded(corners(), form) for form in ("PNG", "JPEG", "WEBP", "GIF")]).flatmap(
    lambda picture: st.just(picture) | damaged(picture) | st.binary(max_size=200)
)
for kind in ("image/*", "application/octet-stream"):
    schemathesis.openapi.media_type(kind, BODIES)


def started(app: FastAPI) -> ASGIApp:
    """Keep an app up between requests: each of schemathesis's would start and end it."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            return await app(scope, receive, send)
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return await send({"type": "lifespan.shutdown.complete"})

    return serve


@pytest.fixture(scope="module")
def contract() -> Any:
    fast = Settings(model="fast")
    app = create_app(fast, Readers(fast))
    yield schemathesis.openapi.from_asgi("/openapi.json", started(app), headers=OURS)
    app.state.desk.work.close()


def test_every_operation_is_tested(contract: Any) -> None:
    found = [operation.ok() for operation in contract.get_all_operations()]
    assert sorted(f"{one.method.upper()} {one.path}" for one in found) == sorted(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_follows_the_document_is_answered_as_documented(contract: Any, operation: str) -> None:
    check(contract, operation, GenerationMode.POSITIVE)


@pytest.mark.parametrize("operation", WRONG)
def test_what_does_not_is_refused_as_documented(contract: Any, operation: str) -> None:
    check(contract, operation, GenerationMode.NEGATIVE)


def check(contract: Any, operation: str, mode: GenerationMode) -> None:
    method, path = operation.split()

    @settings(max_examples=100 * LONG, suppress_health_check=list(HealthCheck), phases=[Phase.generate], database=None)
    @given(contract[path][method].as_strategy(generation_mode=mode))
    def whatever_is_sent(case: Any) -> None:
        # Whether bytes are a picture, no schema can say.
        case.call_and_validate(headers=OURS, excluded_checks=[positive_data_acceptance])

    whatever_is_sent()
