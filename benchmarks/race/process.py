"""The near end of a candidate's process (`worker.py` is the far one)."""

from __future__ import annotations

import json
import select
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("worker.py")
PATIENCE = 300
"""Seconds that loading or one question may take."""


class AbsentError(Exception):
    """A candidate cannot take part; the text says why."""


class Worker:
    """A process that has loaded a candidate and answers."""

    def __init__(self, python: str, setup: dict[str, Any], environment: dict[str, str]) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [python, str(WORKER), "stay", json.dumps(setup)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        try:
            self._answer()
        except AbsentError:
            self.close()
            raise

    def ask(self, deed: str, photos: list[str] | None = None) -> dict[str, Any]:
        """Ask for one thing and wait for it.

        Raises:
            AbsentError: the process has ended, or is silent.
        """
        assert self._process.stdin is not None
        try:
            print(json.dumps({"do": deed, "photos": photos or []}), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise AbsentError(self._reason()) from None
        return self._answer()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], PATIENCE)[0]:
            raise AbsentError(f"it was silent for {PATIENCE} seconds")
        line = self._process.stdout.readline()
        if not line:
            raise AbsentError(self._reason())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _reason(self) -> str:
        self._process.wait()
        self._log.seek(0)
        return last_line(self._log.read())


def run_once(python: str, verb: str, setup: dict[str, Any], environment: dict[str, str]) -> float:
    """Run a process that prepares or reads one photo; return its wall time in seconds.

    Raises:
        AbsentError: it failed.
    """
    start = time.perf_counter()
    try:
        done = subprocess.run(
            [python, str(WORKER), verb, json.dumps(setup)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise AbsentError(f"it took more than {PATIENCE} seconds") from None
    seconds = time.perf_counter() - start
    if done.returncode:
        raise AbsentError(last_line(done.stderr))
    return seconds


def last_line(log: str) -> str:
    """Return what a program said last, which for Python is the error."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else "it ended without a word"
