"""Connections that only keep the server waiting; see also `tests/cli/test_serve.py`."""

from __future__ import annotations

import socket
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cli.test_serve import serving

UNFINISHED = b"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
PATIENT = 60
"""Seconds in which a server that has one second of patience closes a connection."""


def connected(address: str, said: bytes = b"") -> socket.socket:
    where = urlsplit(address)
    connection = socket.create_connection((where.hostname or "", where.port or 0), PATIENT)
    connection.sendall(said)
    return connection


def is_closed(connection: socket.socket) -> bool:
    """Wait until the other end closes it; False where it says something or goes on waiting."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def health(address: str) -> int:
    client = HTTPConnection(urlsplit(address).netloc, timeout=PATIENT)
    client.request("GET", "/v1/health", headers={"connection": "close"})
    return client.getresponse().status


def test_who_says_nothing_whole_is_not_waited_for() -> None:
    with serving("--timeout", "1") as (_, address):
        assert is_closed(connected(address))
        assert is_closed(connected(address, UNFINISHED))
        # Nor before a second request.
        again = connected(address, UNFINISHED + b"\r\n")
        answer = b""
        while not answer.endswith(b"}"):
            answer += again.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200")
        again.sendall(UNFINISHED)
        assert is_closed(again)


def test_a_byte_now_and_then_does_not_help() -> None:
    with serving("--timeout", "1") as (_, address):
        slow = connected(address, UNFINISHED)
        slow.settimeout(0.2)
        for _ in range(5 * PATIENT):
            try:
                slow.sendall(b"X")
                if slow.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            pytest.fail("it is still waited for")


def test_many_who_say_nothing_keep_nobody_out() -> None:
    with serving(files=256) as (process, address):
        silent = [connected(address, UNFINISHED if number % 2 else b"") for number in range(400)]
        assert health(address) == 200
        # Those that have waited longest went first.
        assert all(is_closed(connection) for connection in silent[:300])
        process.kill()
        assert process.communicate()[1] == ""
        for connection in silent:
            connection.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux says what files a process has open")
def test_who_takes_no_answers_is_not_waited_for() -> None:
    with serving("--timeout", "1") as (process, address):
        files = Path(f"/proc/{process.pid}/fd")
        assert health(address) == 200
        lazy = connected(address, b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 20)
        lazy.recv(1)
        ours = f":{lazy.getsockname()[1]:04X}"
        assert ours in open_sockets(files)
        while ours in open_sockets(files):
            assert process.poll() is None


def open_sockets(files: Path) -> str:
    """Return the lines of /proc/net/tcp of the sockets that a process has open."""
    held = set()
    for file in files.iterdir():
        try:
            held.add(str(file.readlink()).removeprefix("socket:[").rstrip("]"))
        except OSError:  # closed meanwhile
            continue
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return "\n".join(line for line in lines if line.split()[9] in held)
