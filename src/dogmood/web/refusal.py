"""How a request is refused: a status, and one sentence in JSON.

Whoever sends a large photo that is refused should still hear why.  A client that is
cut off while it sends sees a broken connection instead of the answer, so what is
left of its body is taken in and thrown away first, within bounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_DRAINED = 200_000_000
"""Bytes of a refused body that are taken in before the connection is given up."""

_LONGEST_DRAIN = 5.0
"""Seconds of the same."""


class Refusal(Exception):  # noqa: N818  (an answer, not a fault of ours)
    """A request that is not done, and why.

    Args:
        status: the HTTP status.
        sentence: what is wrong and what to do.
        headers: further headers of the answer.
        more: further keys of its JSON.
    """

    def __init__(
        self,
        status: int,
        sentence: str,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence
        self.headers, self.more = dict(headers or {}), dict(more or {})

    def response(self) -> JSONResponse:
        """Return the answer."""
        return JSONResponse({"detail": self.sentence, **self.more}, self.status, self.headers)


class HearOut:
    """Takes in the rest of a body before an error is answered (ASGI middleware)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        taken_in = False

        async def noting() -> Message:
            nonlocal taken_in
            message = await receive()
            taken_in = taken_in or message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def drain() -> None:
            left = _MOST_DRAINED
            while not taken_in and left > 0:
                left -= len((await noting()).get("body", b""))

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                try:
                    async with asyncio.timeout(_LONGEST_DRAIN):
                        await drain()
                except TimeoutError:
                    pass  # too slow a sender: it is cut off
            await send(message)

        await self._app(scope, noting, sending)
