"""The app: routes, the page, and the guards before them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from dogmood import __version__
from dogmood.web import api, history, openapi
from dogmood.web.keep import Keep
from dogmood.web.limits import Work
from dogmood.web.readers import Readers
from dogmood.web.refusal import HearOut, Refusal
from dogmood.web.security import HEADERS, BearerToken, SameSite, SecurityHeaders
from dogmood.web.settings import Settings

PAGE = Path(__file__).with_name("page")

_SWAGGER = Path(fastapi_offline.__file__).with_name("static")
"""Swagger UI's own files, which that package carries: nothing is fetched from elsewhere."""

_SWAGGER_FILES = ("swagger-ui-bundle.js", "swagger-ui.css")


def create_app(settings: Settings | None = None, readers: Readers | None = None) -> FastAPI:
    """Return the app.

    Args:
        settings: defaults serve this machine alone.
        readers: made from the settings unless given.

    Raises:
        UsageError: the settings are unsafe or wrong, or the folder to keep or the history
            cannot be opened.
        ModelError: the model cannot be opened.
    """
    settings = settings or Settings()
    settings.check()
    keep = None if settings.keep is None else Keep(settings.keep)
    work = Work(settings.workers, settings.waiting)
    readers = readers or Readers(settings)
    # Last: what is opened must be closed again.
    kept = None if settings.history is None else history.History(settings.history)
    desk = api.Desk(settings, readers, work, keep, kept)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        work.close()
        if kept is not None:
            kept.close()

    app = FastAPI(
        title="dogmood",
        version=__version__,
        description="Reads the emotion a dog visibly shows. Not a diagnosis; never a promise that a dog is safe.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        middleware=_guards(settings),
        exception_handlers=_HANDLERS,
    )
    app.state.desk = desk
    app.include_router(api.routes(desk))
    app.include_router(history.routes(kept))
    openapi.describe(app, settings.token is not None)
    _add_pages(app)
    return app


def _guards(settings: Settings) -> list[Middleware]:
    """Return the guards, outermost first."""
    guards = [Middleware(SecurityHeaders), Middleware(HearOut), Middleware(SameSite, settings=settings)]
    if settings.origins:
        guards.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.origins,
                allow_methods=["GET", "POST"],
                allow_headers=["authorization", "content-type"],
                expose_headers=["retry-after"],
            )
        )
    if settings.token is not None:
        guards.append(Middleware(BearerToken, token=settings.token))
    return guards


def _add_pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def index() -> FileResponse:
        return FileResponse(PAGE / "index.html")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(PAGE / "docs.html")

    @app.get("/docs/{name}", include_in_schema=False)
    async def swagger(name: str) -> FileResponse:
        if name not in _SWAGGER_FILES:
            raise HTTPException(404)
        return FileResponse(_SWAGGER / name)

    app.mount("/page", StaticFiles(directory=PAGE), name="page")


async def _refused(_: Request, refusal: Any) -> Response:
    response: Response = refusal.response()
    return response


async def _wrong_parameter(_: Request, error: Any) -> Response:
    first = error.errors()[0]
    return Refusal(422, f"The parameter {first['loc'][-1]} is wrong: {first['msg']}.").response()


async def _other(_: Request, error: Any) -> Response:
    sentences = {
        404: "There is nothing here; /docs says what there is.",
        405: "This address takes another method; see /docs.",
    }
    return Refusal(error.status_code, sentences.get(error.status_code, str(error.detail)), error.headers).response()


async def _fault(_: Request, error: Exception) -> Response:
    # Faults are answered outside of all guards.
    headers = {**HEADERS, "cache-control": "no-store"}
    return Refusal(500, "The server has a fault; its terminal says more.", headers).response()


_HANDLERS: Any = {
    Refusal: _refused,
    RequestValidationError: _wrong_parameter,
    HTTPException: _other,
    Exception: _fault,
}
