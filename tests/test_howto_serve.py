"""Every command of the sections of docs/HOWTO.md that serve, run as it stands there.

Blocks marked ``sh`` and ``python`` run in order, in a folder that holds photos of two
dogs, rex.jpg and bella.jpg.  A block that starts the server runs beside those that
follow it in its section, on a free port instead of 8000.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TEXT = (ROOT / "docs/HOWTO.md").read_text("utf-8")
SECTIONS = dict(part.partition("\n")[::2] for part in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:])


@pytest.fixture
def folder(tmp_path: Path, imagenet: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(imagenet / "imagenet_00_243.jpg", tmp_path / "rex.jpg")
    shutil.copy(imagenet / "imagenet_16_251.jpg", tmp_path / "bella.jpg")
    # `dogmood` is this one, whatever else is installed.
    (tmp_path / ".bin").mkdir()
    program = tmp_path / ".bin/dogmood"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dogmood "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / '.bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(command: str, port: int) -> Iterator[None]:
    """Run a server until the block ends; it is up when it has said where it is."""
    words = f"exec {command.strip()} --no-open --port {port}"
    process = subprocess.Popen(["bash", "-c", words], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("dogmood is at http://")
        yield
    finally:
        process.terminate()
        process.communicate()


@pytest.mark.parametrize("section", ["A dog owner, without a terminal", "A programmer"])
def test_every_command_works(section: str, folder: Path) -> None:
    blocks = BLOCK.findall(SECTIONS[section])
    assert blocks, "a section without a command helps nobody"
    with ExitStack() as servers:
        port = free_port()
        for kind, text in blocks:
            if text.startswith("dogmood serve"):
                port = free_port()
                servers.enter_context(started(text, port))
                continue
            text = text.replace(":8000", f":{port}")
            command = [sys.executable, "-c", text] if kind == "python" else ["bash", "-euo", "pipefail", "-c", text]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
            assert "Traceback" not in done.stderr
