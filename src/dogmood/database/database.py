"""One database: opened, checked, written to in whole transactions; its faults in one sentence."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from dogmood.database.address import parse_address
from dogmood.database.tables import VERSION, schema, tables
from dogmood.errors import UsageError

_PATIENCE = 30
"""Seconds that a writer waits for another one (SQLite), or for a server's answer to the
first call (PostgreSQL)."""

_BRIEFLY = 500
"""Milliseconds that are waited for a mode that only makes writing quicker (SQLite)."""

_MAKING = 0x646F676D
"""The lock (PostgreSQL's advisory ones are numbers) under which tables are made."""


class Database:
    """A database of readings.

    Args:
        address: ``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``.

    Attributes:
        address: the same, taken apart.

    Raises:
        UsageError: it is no such address, or the extra is not installed.
    """

    def __init__(self, address: str) -> None:
        self.address = parse_address(address)
        self._ready = self._prepared = False
        sqlite = self.address.file is not None
        options: dict[str, Any] = {"timeout": _PATIENCE} if sqlite else {}
        if not sqlite and "connect_timeout" not in self.address.url.query:
            options["connect_timeout"] = _PATIENCE
        try:
            self._engine = create_engine(
                self.address.url, connect_args=options, hide_parameters=True, pool_pre_ping=not sqlite
            )
        except ModuleNotFoundError as error:
            raise UsageError(f"This database needs {error.name}: pip install 'dogmood[database]'.") from None
        if sqlite:
            _teach(self._engine)

    def is_there(self) -> bool:
        """Return whether there is a database: an SQLite file may be yet to be made."""
        try:
            return self.address.file is None or self.address.file.exists()
        except OSError:  # a name that no file can have: `check_folder` says so
            return False

    def check_folder(self) -> None:
        """Refuse a place where the file that is yet to be made cannot be.

        Raises:
            UsageError: the folder is absent or cannot be written to.
        """
        assert self.address.file is not None
        try:
            with suppress(FileNotFoundError):
                self.address.file.stat()
            with tempfile.TemporaryFile(dir=self.address.file.parent):
                pass
        except OSError as error:
            raise UsageError(f"{self.address.shown} cannot be written: {error.strerror}.") from None

    def prepare(self) -> None:
        """Make the tables where there are none, and see that they are ours.

        Raises:
            UsageError: the database cannot be written to, or its tables are another
                version's or program's.
        """
        with self._in_sentences("written"):
            with self._engine.execution_options(writes=True).begin() as connection:
                if self.address.file is None:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MAKING})
                if not self._has_tables(connection):
                    tables.create_all(connection)
                    connection.execute(insert(schema).values(schema_version=VERSION))
            # Not before: what is not ours is left as it is.
            if self.address.file is not None:
                _pragma(self._engine, f"busy_timeout={_BRIEFLY}", "journal_mode=WAL")
                self._engine.dispose()  # connections from now on know which mode it is
        self._ready = self._prepared = True

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that reads.

        Raises:
            UsageError: there is no database of ours, or it cannot be read.
        """
        if not self.is_there():
            raise UsageError(f"{self.address.shown} does not exist.")
        with self._in_sentences("read"), self._engine.connect() as connection:
            if not (self._ready or self._has_tables(connection)):
                raise UsageError(
                    f"{self.address.shown} holds no readings; make them with `dogmood read PHOTOS --out ADDRESS`."
                )
            self._ready = True
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes: all of it is kept at the end of the block, or nothing.

        Raises:
            UsageError: it cannot be written.
        """
        if not self._prepared:
            self.prepare()
        with self._in_sentences("written"), self._engine.execution_options(writes=True).begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of all connections; an SQLite file is one file again if nobody else has it open."""
        self._engine.dispose()
        if self.address.file is not None and self._prepared:
            # Not with patience: where another run is at work, it will do this.
            with suppress(SQLAlchemyError):
                _pragma(self._engine, "busy_timeout=0", "journal_mode=DELETE")
            self._engine.dispose()

    def _has_tables(self, connection: Connection) -> bool:
        """Return whether the tables are there.

        Raises:
            UsageError: they are another version's or another program's.
        """
        names = set(inspect(connection).get_table_names())
        if schema.name in names:
            version = connection.execute(select(schema.c.schema_version)).scalar()
            if version != VERSION:
                raise UsageError(
                    f"{self.address.shown} was made by another version of dogmood (its tables are of version "
                    f"{version}, this one's of version {VERSION}): take that one, or name another database."
                )
            return True
        if foreign := names & tables.tables.keys():
            raise UsageError(
                f"{self.address.shown} has a table {min(foreign)} of something else; name another database."
            )
        return False

    @contextmanager
    def _in_sentences(self, what: str) -> Iterator[None]:
        """Say in one sentence why the database cannot be read or written."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            why = self.address.told(str(getattr(error, "orig", None) or error.args[0]))
            raise UsageError(f"{self.address.shown} cannot be {what}: {why}.") from None


def _teach(engine: Engine) -> None:
    """Let SQLAlchemy begin SQLite's transactions, as its documentation advises, and SQLite the letters.

    Python's module begins them late and ends them early around some statements.  One
    that will write says so at once: two that read first and then both wish to write
    would stand in each other's way for ever.
    """

    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON")
        # SQLite's own knows the letters of ASCII alone.
        connection.create_function("lower", 1, _lower, deterministic=True)
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode == "wal":
            # A power cut may then lose the last readings, never tear one; a kill loses nothing.
            connection.execute("PRAGMA synchronous=NORMAL")

    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _pragma(engine: Engine, *settings: str) -> None:
    """Set what SQLite sets outside of transactions.

    ``journal_mode=WAL`` lets those who read and the one who writes not wait for one
    another.  Where it cannot be had, on a network drive or while another is at work,
    all is right without it, only slower.
    """
    raw = engine.raw_connection()
    try:
        for setting in settings:
            with suppress(sqlite3.OperationalError):
                raw.cursor().execute(f"PRAGMA {setting}")
    finally:
        raw.close()
