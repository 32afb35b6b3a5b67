"""Running the app: an address, a browser, and a clean end."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable
from threading import Thread
from urllib.parse import quote

import uvicorn

from dogmood.errors import UsageError
from dogmood.web.app import create_app
from dogmood.web.connections import BACKLOG, bounded
from dogmood.web.settings import Settings

_GRACE = 5
"""Seconds that answers under way get when the server is stopped."""

_KEPT_OPEN = 75
"""Seconds that a silent connection is kept: longer than `Retry-After` tells a client to
wait, or its next photo would meet a connection that is being closed."""

_ELSEWHERE = {"0.0.0.0": (socket.AF_INET, "192.0.2.1"), "::": (socket.AF_INET6, "2001:db8::1")}
"""Addresses that mean all of this machine's, each with one that documentation alone uses
and that is therefore on another machine."""


def serve(settings: Settings, port: int, show: bool, say: Callable[[str], None]) -> None:
    """Serve the page and the API until the process is interrupted.

    Args:
        settings: what to serve.
        port: where to listen; 0 takes any free port.
        show: open the page in a browser.
        say: told where the page is.

    Raises:
        UsageError: the settings are wrong, or the address cannot be listened on.
        ModelError: the model cannot be opened.
    """
    settings.check()
    with listen(settings.host, port) as listening:
        app = create_app(settings)
        address = page_address(settings, listening.getsockname()[1])
        say(f"dogmood is at {address}  (Ctrl-C stops it)")
        if show:
            # In a thread: some browsers return only when they are closed.
            Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        config = uvicorn.Config(
            app,
            http=bounded(settings.timeout),
            backlog=BACKLOG,
            ws="none",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE,
            timeout_keep_alive=_KEPT_OPEN,
        )
        uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens: connections wait from now on until they are served.

    Raises:
        UsageError: the address is taken, unknown or not allowed.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError, OverflowError):
        raise UsageError(f"The address {host} is unknown; take 127.0.0.1 or another with --host.") from None
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"Port {port} of {host} cannot be used ({why}): choose another with --port, 0 takes any."
        ) from None
    return listening


def page_address(settings: Settings, port: int) -> str:
    """Return the address of the page; the token stands in its fragment, which is never sent."""
    host = settings.host
    if host.strip("[]") in _ELSEWHERE:
        host = _own_address(host.strip("[]")) or socket.gethostname()
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    token = "" if settings.token is None else f"#token={quote(settings.token, safe='')}"
    return f"http://{host}:{port}/{token}"


def _own_address(host: str) -> str | None:
    """Return the address by which other machines know this one; None where it has no network."""
    family, elsewhere = _ELSEWHERE[host]
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            # Of a datagram socket this only chooses the way: nothing is sent.
            probe.connect((elsewhere, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None
