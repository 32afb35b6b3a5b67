"""Who may ask, and what a browser may do with the answers.

A server on this machine is within reach of every page that the same browser shows.
Three things keep those pages out: a page may not read answers from another origin
(CORS stays off), may not send photos either (its ``Origin`` is not ours), and a name
that is made to point to this machine (DNS rebinding) is not a name we answer to.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dogmood.web.refusal import Refusal
from dogmood.web.settings import Settings, is_loopback

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Everything comes from here; photos and maps are ``blob:`` and ``data:``."""

HEADERS = {
    "content-security-policy": _CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
}
"""What every answer carries."""

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_API = "/v1/"
HEALTH_PATH = "/v1/health"
"""Open to all: monitors ask after it."""


class SecurityHeaders:
    """Adds the headers above to every answer (ASGI middleware)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                # Readings are about somebody's photos: no cache keeps them.  The page's
                # own files are checked anew each time, so that an update shows at once.
                headers["cache-control"] = "no-store" if scope["path"].startswith(_API) else "no-cache"
            await send(message)

        await self._app(scope, receive, sending)


class SameSite:
    """Refuses names that are not ours and pages that are not ours (ASGI middleware)."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._origins = frozenset(settings.origins)
        # Other machines know us by names that we do not; there the token guards.
        self._names = (
            {"localhost", "127.0.0.1", "::1", settings.host.strip("[]")} if is_loopback(settings.host) else None
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and (refusal := self._refusal(scope["method"], Headers(scope=scope))) is not None:
            return await refusal.response()(scope, receive, send)
        return await self._app(scope, receive, send)

    def _refusal(self, method: str, headers: Headers) -> Refusal | None:
        host = headers.get("host", "")
        if self._names is not None and _name_of(host) not in self._names:
            return Refusal(400, "This server answers to localhost and 127.0.0.1 only: use one of these in the address.")
        origin = headers.get("origin")
        if origin is None or method in _SAFE_METHODS or origin in self._origins:
            return None
        if urlsplit(origin).netloc.lower() != host.lower():
            return Refusal(403, "Another page may not send photos here: name its origin with --cors-origin to let it.")
        return None


class BearerToken:
    """Asks each request to the API for the token; health is open to all (ASGI middleware)."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and scope["path"].startswith(_API) and scope["path"] != HEALTH_PATH:
            brought = Headers(scope=scope).get("authorization", "").encode("latin-1", "replace")
            scheme, _, rest = brought.partition(b" ")
            brought = b"Bearer " + rest.strip() if scheme.lower() == b"bearer" else brought
            # In constant time: how long a refusal takes must not tell how much was right.
            if not hmac.compare_digest(brought, self._expected):
                refusal = Refusal(
                    401, "This server asks for a token: send it as 'Authorization: Bearer TOKEN'.",
                    {"www-authenticate": 'Bearer realm="dogmood"'},
                )  # fmt: skip
                return await refusal.response()(scope, receive, send)
        return await self._app(scope, receive, send)


def _name_of(host: str) -> str | None:
    """Return the name in a Host header, without port and brackets; None where it is none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
