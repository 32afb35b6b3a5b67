"""The address of a database, and what of it may be shown: never a password."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dogmood.errors import UsageError
from dogmood.files import is_folder

if TYPE_CHECKING:
    from sqlalchemy import URL

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_SECRETS = ("password", "sslpassword")


_SQLITE = (
    "The address of an SQLite database is sqlite:///FILE, with three slashes before a relative path and four "
    "before an absolute one, and without a question mark."
)


@dataclass(frozen=True)
class Address:
    """Where a database is.

    Attributes:
        url: as SQLAlchemy takes it; holds the password, where there is one.
        shown: the address as messages may show it, without password and parameters.
        name: the file's name, or the database's.
        file: SQLite's file, or None.
        secrets: what no message may hold.
    """

    url: URL = field(repr=False)
    shown: str
    name: str
    file: Path | None
    secrets: tuple[str, ...] = field(repr=False)

    def told(self, text: str) -> str:
        """Return a driver's words in one line and without secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return " ".join(text.split()).rstrip(".? ")


def has_scheme(out: str | Path) -> bool:
    """Return whether a text is an address (``scheme://...``) instead of a file's path."""
    return isinstance(out, str) and _ADDRESS.match(out) is not None


def is_database_address(out: str) -> bool:
    """Return whether a text is the address of a database, not of storage or of a file."""
    scheme = out.partition("://")[0].partition("+")[0]
    return has_scheme(out) and scheme.lower() in _DRIVERS


def parse_address(text: str) -> Address:
    """Read an address: ``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``.

    A password may stand in it (``USER:PASSWORD@HOST``, with %40 for an @); what libpq
    knows besides, such as ``PGPASSWORD`` and ``~/.pgpass``, keeps it out of sight.
    Messages of this function never quote the text: a password may stand anywhere in it.

    Raises:
        UsageError: it is no such address, or the extra is not installed.
    """
    need_packages()
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    scheme, _, rest = text.partition("://")
    driver = _DRIVERS.get(scheme.lower())
    if driver is None:
        raise UsageError("A database's address begins with sqlite:/// or postgresql://; name one of these, or a file.")
    try:
        url = make_url(f"{driver}://{rest}")
    except (ArgumentError, ValueError):  # a port that is no number
        raise UsageError(
            "The database's address cannot be understood: write postgresql://USER@HOST:PORT/NAME or sqlite:///FILE."
        ) from None
    if driver.startswith("sqlite") and "?" in rest:  # it would be taken for the end of the file's name
        raise UsageError(_SQLITE)
    return _sqlite(url) if driver.startswith("sqlite") else _postgresql(url)


def need_packages() -> None:
    """Refuse a database where the extra is not installed.

    Raises:
        UsageError: SQLAlchemy is missing.
    """
    try:
        import sqlalchemy  # noqa: F401
    except ImportError:
        raise UsageError("A database needs the extra 'database': pip install 'dogmood[database]'.") from None


def _sqlite(url: URL) -> Address:
    if url.host or url.username or not url.database or url.database == ":memory:":
        raise UsageError(_SQLITE)
    file = Path(url.database)
    if is_folder(file):
        raise UsageError(f"{file} is a folder; name a file in it.")
    return Address(url, f"sqlite:///{url.database}", file.name, file, ())


def _postgresql(url: URL) -> Address:
    if "@" in f"{url.host}{url.database}":  # the rest of a password that holds one
        raise UsageError("The database's address holds more than one @: write the one in a name or password as %40.")
    user = f"{url.username}@" if url.username else ""
    host = f"[{url.host}]" if url.host and ":" in url.host else url.host or ""
    port = f":{url.port}" if url.port else ""
    given = url.normalized_query
    secrets = [url.password, *(value for key in _SECRETS for value in given.get(key, ()))]
    return Address(
        url,
        f"postgresql://{user}{host}{port}/{url.database or ''}",
        Path(url.database or "").name or "postgresql",
        None,
        tuple(secret for secret in secrets if secret),
    )
