"""Every command of the section of docs/HOWTO.md about databases, run as it stands there.

Its PostgreSQL is a server of the tests' own, on a socket; without one, the commands for
SQLite are run alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from clips import make_clip, moving_dogs, steady
from postgres import PASSWORD, Server, postgresql
from test_howto_serve import BLOCK, SECTIONS, folder, free_port, started

__all__ = ["folder", "postgresql"]

POSTGRESQL = "postgresql://rex@127.0.0.1:5432/kennel"
BLOCKS = BLOCK.findall(SECTIONS["Readings in a database"])


@pytest.fixture
def footage(folder: Path, bull_mastiff: Path) -> Path:
    (folder / "footage").mkdir()
    shutil.copy(folder / "bella.jpg", folder / "footage/yard-bella.jpg")
    make_clip(folder / "footage/rex.mp4", steady(1, 10), moving_dogs([bull_mastiff]))
    return folder


def done(kind: str, words: str) -> str:
    command = [sys.executable, "-c", words] if kind == "python" else ["bash", "-euo", "pipefail", "-c", words]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, f"{words}\n{ran.stdout}\n{ran.stderr}"
    assert "Traceback" not in ran.stderr
    return ran.stdout


def test_every_command_of_sqlite_works(footage: Path) -> None:
    blocks = [(kind, words) for kind, words in BLOCKS if POSTGRESQL not in words]
    said: list[str] = []
    with ExitStack() as servers:
        port = free_port()
        for kind, words in blocks:
            if words.startswith("dogmood serve"):
                servers.enter_context(started(words, port))
                continue
            said.append(done(kind, words.replace(":8000", f":{port}")))
    assert len(said) == len(blocks) - 1
    assert (footage / "readings.html").is_file()
    assert '"next":null' in said[1]
    assert said[-1].strip()  # rows of emotions


def test_every_command_of_postgresql_works(footage: Path, postgresql: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    address = postgresql.new().replace(":gnawed%20b0nes%2F%40%25", "")
    blocks = [words for _, words in BLOCKS if POSTGRESQL in words]
    assert blocks
    for words in blocks:
        done("sh", words.replace(POSTGRESQL, f"'{address}'"))
    name = address.partition("@/")[2].partition("?")[0]
    assert (footage / f"{name}.html").is_file()
    assert os.environ["PGPASSWORD"] not in (footage / f"{name}.html").read_text("utf-8")
