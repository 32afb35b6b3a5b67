from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from cli.test_read import run
from dogmood.web.server import listen, page_address
from dogmood.web.settings import Settings

SERVE = [sys.executable, "-m", "dogmood", "serve", "--port", "0", "--no-open"]


@contextmanager
def serving(*options: str, files: int | None = None, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a server in a process of its own, which may open so many files; yield it and the address it prints."""
    limited = [] if files is None else ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh"]
    process = subprocess.Popen(
        [*limited, *SERVE, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"dogmood is at (http://\S+)  \(Ctrl-C stops it\)\n", line)
        assert found, line + process.stderr.read() if process.stderr else line
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


def test_it_serves_reads_and_stops_cleanly(cottage: Path) -> None:
    with serving() as (process, address):
        assert address.startswith("http://127.0.0.1:")
        assert "<title>dogmood</title>" in httpx2.get(address).text
        assert httpx2.post(f"{address}v1/read", content=cottage.read_bytes(), timeout=60).json()["status"] == "no_dog"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "", "Stopped.\n")


def test_a_large_photo_that_is_refused_hears_why() -> None:
    with serving("--max-mb", "1") as (_, address):
        # A client that sends all before it listens, as urllib does: it would see a
        # broken connection if the server just hung up.
        client = HTTPConnection(urlsplit(address).netloc, timeout=60)
        client.request("POST", "/v1/read", b"\xff\xd8\xff" * 10_000_000, {"connection": "close"})
        answer = client.getresponse()
        assert answer.status == 413
        assert json.load(answer) == {"detail": "The photo is larger than 1 MB; make it smaller first."}


def test_a_client_that_waited_as_it_was_told_finds_its_connection_open() -> None:
    with serving("--timeout", "1") as (_, address):
        client = HTTPConnection(urlsplit(address).netloc, timeout=60)
        for pause in (0, 6):
            time.sleep(pause)
            client.request("GET", "/v1/health")
            assert client.getresponse().read().startswith(b'{"status":"ok"')


def test_the_token_may_stand_in_the_environment() -> None:
    with serving(DOGMOOD_TOKEN="woof-woof") as (_, address):
        page, _, token = address.partition("#token=")
        assert token == "woof-woof"
        assert httpx2.get(f"{page}v1/model").status_code == 401
        assert httpx2.get(f"{page}v1/model", headers={"authorization": "Bearer woof-woof"}).status_code == 200


def test_a_port_that_is_taken_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        code, out, err = run(capsys, "serve", "--no-open", "--port", port)
    assert (code, out) == (2, "")
    assert err == (
        f"Port {port} of 127.0.0.1 cannot be used (Address already in use): choose another with --port, 0 takes any.\n"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--host", "0.0.0.0"], "--host 0.0.0.0 lets other machines in"),
        (["--host", "no such host", "--token", "x"], "The address no such host is unknown"),
        (["--token", ""], "--token must be"),
        (["--token", "sec ret "], "without a blank at its ends"),
        (["--model", "grand"], "There is no model 'grand'"),
        (["--emotions", "anger"], "at least two emotions"),
        (["--timeout", "nan"], "--timeout must be"),
        (["--cors-origin", "*"], "--cors-origin * must look like"),
        (["--keep", "file/kept"], "cannot be made"),
    ],
)
def test_wrong_use_is_one_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    code, _, err = run(capsys, "serve", "--no-open", "--port", 0, *words)
    assert code == 2
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_without_the_extra_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['uvicorn'] = None; from dogmood.cli import main; main(['serve', '--no-open'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "This command needs uvicorn: pip install 'dogmood[web]'.\n"


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        (Settings(), "http://127.0.0.1:8000/"),
        (Settings(host="::1"), "http://[::1]:8000/"),
        (Settings(host="localhost", token="t0k"), "http://localhost:8000/#token=t0k"),
        (Settings(token="a b&c"), "http://127.0.0.1:8000/#token=a%20b%26c"),
    ],
)
def test_the_address_of_the_page(settings: Settings, address: str) -> None:
    assert page_address(settings, 8000) == address


class Probe(socket.socket):
    """A datagram socket of a machine with a network, as a test may not have one."""

    def connect(self, address: object) -> None:
        assert self.type is socket.SOCK_DGRAM

    def getsockname(self) -> tuple[str, int]:
        return ("fd00::7" if self.family == socket.AF_INET6 else "192.168.0.7", 40000)


class Offline(Probe):
    """The same without a network."""

    def connect(self, address: object) -> None:
        raise OSError(101, "Network is unreachable")


@pytest.mark.parametrize(
    ("host", "network", "shown"),
    [
        ("0.0.0.0", Probe, "192.168.0.7"),
        ("::", Probe, "[fd00::7]"),
        ("[::]", Probe, "[fd00::7]"),
        ("0.0.0.0", Offline, socket.gethostname()),
        ("::", Offline, socket.gethostname()),
    ],
)
def test_the_address_for_other_machines(
    host: str, network: type[socket.socket], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", network)
    assert page_address(Settings(host=host, token="t"), 8000) == f"http://{shown}:8000/#token=t"
