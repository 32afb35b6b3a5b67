"""How many connections there are, and how long each may keep the server waiting.

uvicorn's own clock starts with a connection's first answer.  Whoever connected and said
nothing would hold a socket for ever, and a thousand of them every file that the process
may open; no token is asked for before a request's head is there.
"""

from __future__ import annotations

import asyncio
import sys

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 256
"""Connections at once, where the process may open enough files."""

BACKLOG = 32
"""Connections that wait to be accepted: asyncio takes so many in one go, before it lets
anybody see to their number."""

_RESERVE = 64 + 4 * BACKLOG
"""Files left for all else: models, photos that are kept, a database; and for those
that are accepted but not counted yet, or let go but not closed yet."""

_FEWEST = 8


def most_connections() -> int:
    """Return how many connections this process can hold and still open files."""
    if sys.platform == "win32":
        return MOST
    import resource

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if files == resource.RLIM_INFINITY else max(_FEWEST, min(MOST, files - _RESERVE))


def bounded(seconds: float) -> type[Connection]:
    """Return the protocol that a server gives its connections.

    Args:
        seconds: how long a request's head may take, and an answer of which nothing is taken.
    """

    class Bounded(Connection):
        most, patience = most_connections(), seconds

    return Bounded


class Connection(H11Protocol):
    """A connection that is closed where the other end only keeps it open.

    It is looked at once in every `patience`.  What was waited for at the last look and
    still is, a whole head or somebody who takes in an answer, is not waited for longer;
    a byte now and then does not help.  How long an answer may take to be found, and a
    photo to be sent, is for the app to say.

    Attributes:
        most: how many there may be.
        patience: seconds between two looks.
    """

    most = MOST
    patience = 30.0
    _since = 0.0
    _resumed = 0
    _seen: tuple[object, ...] = ()
    _next_look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; with one too many, let the one go that has waited longest without a request."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._look()
        if len(self.connections) > self.most:
            # Not always the new one: those who say nothing must not keep out who has something to say.
            idle = [one for one in self.connections if isinstance(one, Connection) and one._is_idle()]
            min(idle, key=lambda one: one._since, default=self).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if self._next_look is not None:
            self._next_look.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._since = self.loop.time()
        super().on_response_complete()

    def resume_writing(self) -> None:
        """Go on with an answer: the other end has taken some of it."""
        self._resumed += 1
        super().resume_writing()

    def _is_idle(self) -> bool:
        """Return whether it is open, nothing is being answered, and all answers have been taken."""
        answered = self.cycle is None or self.cycle.response_complete
        return answered and self.transport.get_write_buffer_size() == 0 and not self.transport.is_closing()

    def _look(self) -> None:
        unread = self.transport.get_write_buffer_size()
        # Between two requests uvicorn's clock runs, until the next one's first byte stops it.
        headless = self._is_idle() and self.timeout_keep_alive_task is None
        seen = (self.cycle, headless, unread, self._resumed)
        if seen == self._seen and (headless or unread):
            # Not `close`, which would wait until the answer is taken.
            self.transport.abort()
            return
        self._seen = seen
        self._next_look = self.loop.call_later(self.patience, self._look)
