"""The Dockerfile's words hold: what it copies is there, nobody is root in it, its commands work.

No image is built here: that takes Docker and a base from elsewhere.  Its style is
checked by hadolint in `make lint`.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
LINES = [line.split(maxsplit=1) for line in TEXT.splitlines() if line.strip()]
IGNORE = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]

pytest.importorskip("fastapi", reason="needs the page: pip install '.[web]'")


def instruction(word: str) -> list[str]:
    return [rest for first, rest in LINES if first == word]


def is_sent(path: str) -> bool:
    """Return whether .dockerignore lets a file through: the last line that fits decides."""
    sent = True
    for line in IGNORE:
        pattern = line.removeprefix("!").removeprefix("**/")
        if any(fnmatch(part, pattern) for part in (path, *path.split("/"), *map(str, Path(path).parents))):
            sent = line.startswith("!")
    return sent


def test_what_is_copied_is_there_and_not_ignored() -> None:
    copied = [rest.split()[:-1] for rest in instruction("COPY") if not rest.startswith("--from")]
    assert copied
    for source in (source for sources in copied for source in sources):
        files = [ROOT / source] if (ROOT / source).is_file() else [*(ROOT / source).rglob("*")]
        sent = [file for file in files if file.is_file() and is_sent(file.relative_to(ROOT).as_posix())]
        assert sent, f"nothing of {source} gets into the image"


@pytest.mark.parametrize("path", [".git/config", "build/photos/dalmatian.jpg", ".venv/bin/python", "tests/conftest.py"])
def test_what_is_not_needed_is_ignored(path: str) -> None:
    assert not is_sent(path)


def test_every_lock_file_that_it_names_is_there() -> None:
    (extras,) = re.findall(r'^EXTRAS="(.*)"$', "\n".join(instruction("ARG")), re.MULTILINE)
    for name in ("run", *extras.split(), "build"):
        assert (ROOT / f"requirements/{name}.lock").is_file()
    assert all("--require-hashes" in line for line in TEXT.splitlines() if "--requirement" in line)


def test_the_base_is_pinned_to_one_release() -> None:
    (base,) = re.findall(r"^BASE=(.*)$", "\n".join(instruction("ARG")), re.MULTILINE)
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", base)
    assert {rest.split()[0] for rest in instruction("FROM")} == {"${BASE}"}


def test_nobody_is_root_in_it() -> None:
    user, group = map(int, instruction("USER")[-1].split(":"))
    assert user >= 1000
    assert group >= 1000


def command(*words: str, **environment: str) -> subprocess.Popen[str]:
    (program,) = json.loads(instruction("ENTRYPOINT")[0])
    assert program == "dogmood"
    known = {name: value for name, value in os.environ.items() if name != "DOGMOOD_TOKEN"}
    return subprocess.Popen(
        [sys.executable, "-m", "dogmood", *words],
        env=known | environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def served(port: int) -> Iterator[int]:
    """The server that the image starts, on a free port."""
    words = [str(port) if word == "8000" else word for word in json.loads(instruction("CMD")[-1])]
    process = command(*words, DOGMOOD_TOKEN="some-long-secret")
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("dogmood is at http://")
        yield port
    finally:
        process.terminate()
        process.communicate()


def healthy(port: int) -> int:
    words = re.split(r"\sCMD\s", instruction("HEALTHCHECK")[0])[1].replace(":8000/", f":{port}/")
    return subprocess.run([sys.executable, *json.loads(words)[1:]], capture_output=True).returncode


def test_the_check_of_health_passes_while_it_serves(served: int) -> None:
    assert healthy(served) == 0


def test_the_check_of_health_fails_where_nothing_serves(port: int) -> None:
    assert healthy(port) != 0


def test_without_a_secret_it_says_what_to_do() -> None:
    process = command(*json.loads(instruction("CMD")[-1]))
    _, said = process.communicate()
    assert process.returncode == 2
    assert "--token" in said
    assert "Traceback" not in said
