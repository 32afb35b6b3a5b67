"""What a server is told when it starts."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from dogmood.emotions import EMOTIONS
from dogmood.errors import UsageError

_LONGEST = 3600
"""Seconds that a request may be given."""


@dataclass(frozen=True)
class Settings:
    """All that the page and the API depend on.

    Attributes:
        model: the name of a shipped model, or the path of a ``.dogmood`` file.
        emotions: those to choose from unless a request says otherwise.
        ten_crop: average ten crops of each dog.
        host: the address that is listened on.
        token: what requests must bring as bearer token; None asks for none.
        origins: other pages' origins that may use the API (CORS); none unless given.
        keep: the folder that photos and readings are stored in; None stores nothing.
        history: the address of the database that readings are stored in; None stores nothing.
        workers: how many photos are read at once.
        waiting: how many more may wait; the next is told to come back.
        max_bytes: the largest photo, as sent.
        max_pixels: the largest photo, unpacked.
        timeout: seconds that sending a photo may take, and again reading it.
    """

    model: str = "base"
    emotions: str | tuple[str, ...] = EMOTIONS
    ten_crop: bool = False
    host: str = "127.0.0.1"
    token: str | None = None
    origins: tuple[str, ...] = ()
    keep: Path | None = None
    history: str | None = field(default=None, repr=False)
    workers: int = 2
    waiting: int = 16
    max_bytes: int = 25_000_000
    max_pixels: int = 100_000_000
    timeout: float = 30.0

    def __post_init__(self) -> None:
        """Write origins as browsers do."""
        object.__setattr__(self, "origins", tuple(map(_as_sent, self.origins)))

    def check(self) -> None:
        """Refuse what would be unsafe or could not work.

        Raises:
            UsageError: other machines could come in without a token, or a value is
                out of its range.
        """
        # A header carries nothing else, and loses blanks at its ends.
        if (token := self.token) is not None and not (
            token.isascii() and token.isprintable() and token and token == token.strip()
        ):
            raise UsageError("--token must be printable ASCII text, not empty and without a blank at its ends.")
        if not is_loopback(self.host) and self.token is None:
            raise UsageError(f"--host {self.host} lets other machines in: give them a secret to bring, with --token.")
        if not 0 < self.timeout <= _LONGEST:
            raise UsageError(f"--timeout must be above 0 and at most {_LONGEST} seconds.")
        if min(self.workers, self.max_bytes, self.max_pixels) < 1 or self.waiting < 0:
            raise UsageError("--workers, --max-mb and --max-megapixels must be at least 1, --queue at least 0.")
        for origin in self.origins:
            scheme, _, rest = origin.partition("://")
            if scheme not in ("http", "https") or not rest or "/" in rest:
                raise UsageError(f"--cors-origin {origin} must look like https://example.org, without a path.")


def _as_sent(origin: str) -> str:
    """Return an origin as browsers send it: in lower case, without the port that goes without saying."""
    origin = origin.lower()
    return origin.removesuffix(":443" if origin.startswith("https:") else ":80")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
