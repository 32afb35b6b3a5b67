"""A real PostgreSQL of the tests' own, from the system's package, on a socket in a temporary folder.

It refuses to run as root; there it is run as the system's ``postgres`` or ``nobody``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

USER, PASSWORD = "rex", "gnawed b0nes/@%"
_NUMBERS = count(1)


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Attributes:
        folder: where its socket is.
    """

    folder: Path

    def address(self, name: str, password: str = "gnawed%20b0nes%2F%40%25") -> str:
        return f"postgresql://{USER}:{password}@/{name}?host={self.folder}"

    def new(self) -> str:
        """Make an empty database; return its address."""
        name = f"kennel{next(_NUMBERS)}"
        self.run(f"CREATE DATABASE {name}")
        return self.address(name)

    def run(self, command: str, name: str = "postgres") -> list[tuple[Any, ...]]:
        import psycopg

        place = {"user": USER, "password": PASSWORD, "host": str(self.folder), "dbname": name}
        with psycopg.connect(**place, autocommit=True) as connection:
            done = connection.execute(command)
            return done.fetchall() if done.description else []


def programs() -> Path | None:
    """Return the folder of the newest server's programs, or None where there is none."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda path: int(path.parts[-3])).parent
    elsewhere = shutil.which("initdb")
    return Path(elsewhere).resolve().parent if elsewhere else None


@contextmanager
def running() -> Iterator[Server]:
    """Run a server; skip the test where the package or the driver is not installed."""
    pytest.importorskip("psycopg", reason="needs the extra 'database': pip install '.[database]'")
    where = programs()
    if where is None:
        pytest.skip("PostgreSQL is not there: install the system's package postgresql")
    someone: dict[str, Any] = {}
    folder = Path(tempfile.mkdtemp(prefix="dogmood-pg-"))
    if os.geteuid() == 0:
        user = _unprivileged()
        someone = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        os.chown(folder, user.pw_uid, user.pw_gid)
    try:
        (folder / "secret").write_text(PASSWORD)
        (folder / "secret").chmod(0o644)
        make = ["initdb", "--pgdata", "data", "--username", USER, "--pwfile", "secret", "--auth", "scram-sha-256"]
        subprocess.run(
            [where / make[0], *make[1:], "--encoding", "UTF8", "--locale", "C", "--no-sync"],
            cwd=folder, check=True, capture_output=True, **someone,
        )  # fmt: skip
        settings = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off", "max_connections": 40}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(
                [where / "postgres", "-D", "data", *words], cwd=folder, stdout=log, stderr=log, **someone
            )
        try:
            _wait(Server(folder), server)
            yield Server(folder)
        finally:
            server.terminate()
            server.wait(60)
    finally:
        shutil.rmtree(folder)


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(600):
        try:
            server.run("SELECT 1")
        except psycopg.OperationalError:
            assert process.poll() is None, (server.folder / "log").read_text()
            time.sleep(0.1)
        else:
            return
    pytest.fail((server.folder / "log").read_text())


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    with running() as server:
        yield server
