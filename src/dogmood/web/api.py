"""The API: photos in, readings out.

Each photo goes the same way: a place in the queue, its bytes, a worker that reads it,
the answer.  Every way out but the last is a `Refusal`.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from PIL import Image

from dogmood import __version__
from dogmood.emotions import COLOURS, parse_emotions
from dogmood.errors import ModelError, PhotoError, PhotoTooLargeError, UsageError
from dogmood.photo import Photo, open_photo
from dogmood.picture import LONG_SIDE, annotated
from dogmood.reader import DogMood
from dogmood.reading import COLUMNS, Reading
from dogmood.web import openapi
from dogmood.web.history import History, log
from dogmood.web.keep import Keep
from dogmood.web.limits import Busy, Work
from dogmood.web.maps import reading_with_maps
from dogmood.web.readers import Readers
from dogmood.web.refusal import Refusal
from dogmood.web.settings import Settings
from dogmood.web.uploads import Upload, receive_upload

T = TypeVar("T")

Explain = Annotated[bool, Query(description="Also say where the network looked, for each emotion of each dog.")]
Emotions = Annotated[
    str | None,
    Query(description="Choose among these alone, separated by commas; probabilities are renormalised."),
]
Name = Annotated[str | None, Query(description="What the reading calls the photo; a form's file brings its own name.")]
Model = Annotated[str | None, Query(description="A model's name; `/v1/model` lists them.")]
Stored = Annotated[
    bool,
    Query(alias="keep", description="False leaves this photo out of the server's --keep folder and --history."),
]
Lenient = Annotated[
    bool,
    Query(
        description="Answer a photo that came whole but cannot be read (no picture, damaged, too many pixels) as the "
        "command line does, with a reading whose status is `unreadable`. A body with too many bytes is still 413, one "
        "whose Content-Type is another kind's still 415, a wrong parameter still 422."
    ),
]
Plain = Annotated[bool, Query(description="Return the upright photo alone, without boxes and maps.")]


@dataclass(frozen=True)
class Asked:
    """What every request that sends a photo may say."""

    name: str | None
    model: str | None
    emotions: str | None


@dataclass(frozen=True)
class Desk:
    """What the routes share."""

    settings: Settings
    readers: Readers
    work: Work
    keep: Keep | None
    history: History | None = None

    async def answer(self, request: Request, job: Callable[[Upload], T], asked: Asked) -> T:
        """Take in a request's photo and run a job on it in a worker.

        Raises:
            Refusal: 429 no place is free; 408 the photo comes too slowly; 503 the work
                takes too long, or the model's file is gone; and all that `receive_upload` and the job raise.
        """
        seconds = self.settings.timeout
        try:
            # Asked first: a wrong word should not cost an upload.
            self.readers.check(asked.model)
            if asked.emotions is not None:
                parse_emotions(asked.emotions)
            with self.work.place() as place:
                try:
                    async with asyncio.timeout(seconds):
                        upload = await receive_upload(request, self.settings.max_bytes, asked.name)
                except TimeoutError:
                    raise Refusal(408, f"The photo was not sent within {seconds:g} s; send it again.") from None
                try:
                    return await _unless_gone(request, place.run(lambda: job(upload), seconds))
                except TimeoutError:
                    raise Refusal(
                        503, f"The photo could not be read within {seconds:g} s; send it again later.",
                        {"retry-after": str(self.work.retry_after())},
                    ) from None  # fmt: skip
        except Busy as busy:
            wait = str(busy.retry_after)
            raise Refusal(
                429, f"Too many photos at once; send this one again in {wait} s.", {"retry-after": wait}
            ) from None
        except UsageError as error:
            raise Refusal(422, str(error)) from None
        except ModelError as error:
            log(error)
            if asked.model is None:
                raise Refusal(503, "The model cannot answer now; send the photo again later.") from None
            # Its file was moved or changed since the server began.
            raise Refusal(503, f"The model {asked.model} cannot be opened any more; ask for another.") from None

    def open(self, upload: Upload, reader: DogMood) -> Photo:
        """Unpack a photo.

        Raises:
            Refusal: 413 it has too many pixels; 415 it is no picture; 422 it is
                damaged.  Its key ``reading`` is what the command line writes of it.
        """
        try:
            if upload.data and upload.suffix is None:
                raise _NoPictureError(
                    f"{upload.name} is not a picture that can be read (JPEG, PNG, WebP, GIF, BMP, TIFF or HEIC)."
                )
            return open_photo(upload.data, upload.name, self.settings.max_pixels)
        except PhotoError as error:
            status = {PhotoTooLargeError: 413, _NoPictureError: 415}.get(type(error), 422)
            reading = reader.unreadable(upload.name, str(error))
            raise Refusal(status, str(error), more={"reading": reading.to_dict()}) from None

    def store(self, upload: Upload, reading: Reading) -> None:
        """Keep a photo and its reading, where the server keeps any; 507 if that fails."""
        if self.keep is not None:
            try:
                self.keep.store(upload, reading)
            except UsageError:
                raise Refusal(
                    507, "The photo was read but could not be kept: the server's folder is full or shut."
                ) from None
        if self.history is not None:
            try:
                self.history.store(reading)
            except UsageError as error:
                log(error)
                raise Refusal(
                    507, "The photo was read but its reading could not be kept: the server's database is full or shut."
                ) from None


class _NoPictureError(PhotoError):
    """Its first bytes are no picture's."""


def routes(desk: Desk) -> APIRouter:
    """Return the API's routes."""
    router = APIRouter(prefix="/v1")

    @router.post(
        "/read", tags=["photos"], summary="Read one photo", responses=openapi.READ, openapi_extra=openapi.PHOTO
    )
    async def read(
        request: Request,
        name: Name = None,
        explain: Explain = False,
        emotions: Emotions = None,
        model: Model = None,
        keep: Stored = True,
        lenient: Lenient = False,
    ) -> JSONResponse:
        """Send the photo as the body itself, or as the one file of a form."""

        def job(upload: Upload) -> dict[str, Any]:
            reader = desk.readers.reader(model, emotions)
            reading = reader.read_photo(desk.open(upload, reader), explain)
            if keep:
                desk.store(upload, reading)
            return reading_with_maps(reading)

        try:
            return JSONResponse(await desk.answer(request, job, Asked(name, model, emotions)))
        except Refusal as refusal:
            if lenient and "reading" in refusal.more:
                return JSONResponse(refusal.more["reading"])
            raise

    @router.post(
        "/picture", tags=["photos"], summary="Draw one photo", responses=openapi.PICTURE, openapi_extra=openapi.PHOTO
    )
    async def picture(
        request: Request, name: Name = None, emotions: Emotions = None, model: Model = None, plain: Plain = False
    ) -> Response:
        """Return a PNG with boxes, labels and where the network looked, as `dogmood read --explain` saves it."""

        def job(upload: Upload) -> bytes:
            reader = desk.readers.reader(model, emotions)
            photo = desk.open(upload, reader)
            file = io.BytesIO()
            (_plain(photo) if plain else annotated(photo, reader.read_photo(photo, True))).save(file, "PNG")
            return file.getvalue()

        return Response(await desk.answer(request, job, Asked(name, model, emotions)), media_type="image/png")

    @router.get("/health", tags=["server"], summary="Whether the server is up, and how busy", responses=openapi.HEALTH)
    async def health() -> dict[str, Any]:
        return {"status": "ok", "version": __version__, "busy": desk.work.taken, "places": desk.work.places}

    @router.get("/model", tags=["server"], summary="What the server reads with", responses=openapi.MODEL)
    async def model() -> dict[str, Any]:
        reader = desk.readers.default
        return {
            **vars(reader.model),
            "emotions": {emotion: COLOURS[emotion] for emotion in reader.emotions},
            "models": list(desk.readers.names()),
            "columns": {name: kind.__name__ for name, kind in COLUMNS.items()},
            "limits": {"bytes": desk.settings.max_bytes, "pixels": desk.settings.max_pixels},
            "keeps": desk.keep is not None,
            "history": desk.history is not None,
        }

    return router


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Wait for work, and drop it when nobody waits for its answer any more."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise Refusal(499, "The request was closed before its answer was ready.")
    finally:
        working.cancel()
        leaving.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _plain(photo: Photo) -> Image.Image:
    image = Image.fromarray(photo.pixels)
    image.thumbnail((LONG_SIDE, LONG_SIDE))
    return image
