"""From a request to the bytes of one photo: bounded, in memory, and a picture by its own bytes.

What a file is called and what its sender says it is are not believed: the first bytes
decide.  Names never become paths; they only stand in the reading.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from dogmood.errors import printable
from dogmood.heif import is_heif
from dogmood.web.refusal import Refusal

NAMELESS = "photo"
"""What a photo sent without a name is called in its reading."""

_LONGEST_NAME = 200
_FRAMING = 65_536
"""Bytes that a multipart body may have beside the photo."""

_MOST_DIGITS = 18
"""Digits of a Content-Length that is believed."""

_PARAMETERS = {"name", "explain", "emotions", "model", "keep", "lenient", "plain"}
_RAW_TYPES = ("", "application/octet-stream", "application/x-www-form-urlencoded")
"""What bodies are called that are nothing but a photo; the last is what `curl
--data-binary` says of every file."""

_PICTURE = "a JPEG, PNG, WebP, GIF, BMP, TIFF or HEIC picture"


@dataclass(frozen=True)
class Upload:
    """A photo as it was sent.

    Attributes:
        data: its bytes.
        name: what its sender calls it, made harmless.
        suffix: the file ending that its bytes deserve, such as ``.jpg``; None where
            they are no picture.
    """

    data: bytes
    name: str
    suffix: str | None


async def receive_upload(request: Request, most_bytes: int, name: str | None = None) -> Upload:
    """Take in the photo of a request: its raw body, or the one file of a multipart form.

    Args:
        request: its body is not read yet.
        most_bytes: the largest photo.
        name: what a photo is called that brings no name.

    Raises:
        Refusal: 413 it is too large; 415 the body is of another kind; 400 or 422 the
            form is damaged or holds no photo, or several; 499 the sender has left.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        data, sent_name = await _from_form(request, most_bytes)
    elif kind in _RAW_TYPES or kind.startswith("image/"):
        data, sent_name = b"".join([part async for part in _bounded(request, most_bytes, most_bytes)]), None
    else:
        raise Refusal(
            415,
            f"A body of type {printable(kind[:80])} is not read: send {_PICTURE}, as it is or as multipart/form-data.",
        )
    if len(data) > most_bytes:
        raise _too_large(most_bytes)
    return Upload(data, harmless_name(sent_name or name), sniffed(data))


def sniffed(data: bytes) -> str | None:
    """Return the file ending of a picture that we read, told by its first bytes; else None."""
    if data.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return ".gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    if data[:4] in (b"II*\0", b"MM\0*"):
        return ".tiff"
    # Two letters alone are too little: a BMP's second header starts with its own size.
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124):
        return ".bmp"
    if is_heif(data):
        return ".heic"
    return None


def harmless_name(name: str | None) -> str:
    """Return the last part of a sent file name, without control characters, not too long."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    printable = "".join(letter for letter in last if letter.isprintable()).strip()
    return printable[:_LONGEST_NAME] or NAMELESS


class _InMemory(MultiPartParser):
    """Never writes to disk: nothing of a photo stays behind."""

    spool_max_size = max_file_size = 1 << 40
    """The second is what Starlette before 0.46 asks for."""


async def _from_form(request: Request, most_bytes: int) -> tuple[bytes, str | None]:
    stream = _bounded(request, most_bytes + _FRAMING, most_bytes)
    # Names are read as UTF-8, as browsers write them, whatever is said: Python knows charsets
    # that fail, or take for ever.  Of two the last counts.
    headers = Headers({"content-type": f"{request.headers['content-type']}; charset=utf-8"})
    try:
        form = await _InMemory(headers, stream, max_files=16, max_fields=16).parse()
    except MultiPartException as error:
        raise Refusal(400, f"The form is damaged: {error.message.rstrip('.')}.") from None
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    try:
        # Better than to overlook what somebody asked for.
        for field in sorted(_PARAMETERS & form.keys()):
            raise Refusal(422, f"Put {field} into the address, ?{field}=..., not into the form.")
        if len(files) != 1:
            raise Refusal(422, f"Send one photo a request, as a file in the form; this one has {len(files)}.")
        return await files[0].read(), files[0].filename
    finally:
        await form.close()


async def _bounded(request: Request, most: int, told: int) -> AsyncGenerator[bytes, None]:
    """Yield a body's parts; refuse it as soon as it is known to be too large."""
    declared = request.headers.get("content-length", "")
    # Longer numbers than Python cares to read are larger than any limit.
    if declared.isdecimal() and (len(declared) > _MOST_DIGITS or int(declared) > most):
        raise _too_large(told)
    taken = 0
    try:
        async for part in request.stream():
            taken += len(part)
            if taken > most:
                raise _too_large(told)
            yield part
    except ClientDisconnect:
        raise Refusal(499, "The request was closed before its photo had come.") from None


def _too_large(most_bytes: int) -> Refusal:
    return Refusal(413, f"The photo is larger than {most_bytes / 1e6:g} MB; make it smaller first.")
