"""What `/docs` and `/openapi.json` say of the API beyond what the code shows by itself."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from dogmood.reading import json_schema
from dogmood.web.maps import SCHEMA as SALIENCY
from dogmood.web.security import HEALTH_PATH

Answers = dict[int | str, dict[str, Any]]

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "type": "object",
    "required": ["photo"],
    "properties": {
        "photo": {"type": "string", "format": "binary", "description": "The photo; any field name will do."}
    },
}
PHOTO: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": _FORM}, "image/*": _BINARY, "application/octet-stream": _BINARY},
    }
}
"""The body of a request that sends a photo."""


def _problem(what: str, *headers: str) -> dict[str, Any]:
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": {"detail": what}}
    answer: dict[str, Any] = {"description": what, "content": {"application/json": content}}
    if headers:
        answer["headers"] = {name: {"schema": {"type": "integer"}, "description": "seconds"} for name in headers}
    return answer


_REFUSALS: Answers = {
    400: _problem("The form is damaged, or the Host is not this server's."),
    401: _problem("The token is missing or wrong."),
    403: _problem("The request comes from another page."),
    408: _problem("The photo was sent too slowly."),
    413: _problem("The photo has too many bytes or pixels."),
    415: _problem("It is not a picture."),
    422: _problem("The photo is damaged, or a parameter is wrong."),
    429: _problem("Too many photos at once.", "Retry-After"),
    503: _problem("Reading took too long.", "Retry-After"),
    507: _problem("The photo could not be kept."),
}


def _json(what: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": schema}}}


def _keys(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


_TEXT, _COUNT = {"type": "string"}, {"type": "integer"}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}

READ: Answers = {200: _json("What was read.", {"$ref": "#/components/schemas/Reading"}), **_REFUSALS}
PICTURE: Answers = {
    200: {"description": "The picture.", "content": {"image/png": _BINARY}},
    **{status: answer for status, answer in _REFUSALS.items() if status != 507},
}
_WRONG_HOST = _problem("The Host is not this server's.")
HEALTH: Answers = {
    200: _json("It is up.", _keys(status=_TEXT, version=_TEXT, busy=_COUNT, places=_COUNT)),
    400: _WRONG_HOST,
}
MODEL: Answers = {
    200: _json(
        "The model, and what the page needs to know.",
        _keys(
            name=_TEXT,
            version=_TEXT,
            sha256=_TEXT,
            emotions={**_TEXTS, "description": "Those it chooses from, with their colours."},
            models={"type": "array", "items": _TEXT, "description": "Names that `model` may take."},
            columns={**_TEXTS, "description": "The columns of CSV files, with their types."},
            limits=_keys(bytes=_COUNT, pixels=_COUNT),
            keeps={"type": "boolean", "description": "Whether photos are stored."},
            history={"type": "boolean", "description": "Whether readings are stored; `/v1/history` lists them."},
        ),
    ),
    400: _WRONG_HOST,
    401: _REFUSALS[401],
}
HISTORY: Answers = {
    200: _json(
        "Past readings, newest first.",
        _keys(
            readings={
                "type": "array",
                "items": _keys(
                    id=_COUNT,
                    stored={"type": "string", "format": "date-time"},
                    reading={"$ref": "#/components/schemas/Reading"},
                ),
            },
            next={"type": ["integer", "null"], "description": "What `before` takes for the next page; null: no more."},
        ),
    ),
    400: _WRONG_HOST,
    401: _REFUSALS[401],
    404: _problem("The server keeps no history."),
    422: _problem("A parameter is wrong."),
    503: _problem("The database cannot be read."),
}


def describe(app: FastAPI, token: bool) -> None:
    """Give an app the OpenAPI document of this API, made when it is first asked for."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            whole = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            parts = whole.setdefault("components", {})
            parts.setdefault("schemas", {}).update(Reading=reading_schema(), Problem=_PROBLEM)
            if token:
                parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
                whole["security"] = [{"token": []}]
                whole["paths"][HEALTH_PATH]["get"]["security"] = []
            app.openapi_schema = whole
        return app.openapi_schema

    # FastAPI's documented way.
    app.openapi = document  # type: ignore[method-assign]


def reading_schema() -> dict[str, Any]:
    """Return the command line's schema of a reading, with the key that `explain` adds."""
    schema = json_schema()
    del schema["$schema"]
    read = schema["oneOf"][0]
    read["properties"]["dogs"]["items"]["properties"]["saliency"] = SALIENCY
    return schema


_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "detail": {"type": "string", "description": "What is wrong and what to do, in one sentence."},
        "reading": {
            "$ref": "#/components/schemas/Reading",
            "description": "Where the photo itself is at fault: what the command line writes of it.",
        },
    },
}
