"""A parent that has imported everything and forks children that run the program.

Starting Python costs more than what most tests want to see. The parent runs as a process of
its own (``python warm.py MODULE ...``), reads one line of JSON a command and answers with one.
Children end as any process does: by their own exit code, or by a signal.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READING = ("dogmood.cli", "dogmood.reader", "dogmood.footage", "dogmood.cli.tracks_seen", "dogmood.picture",
           "dogmood.saliency", "onnxruntime", "pyarrow.parquet", "av", "PIL.PngImagePlugin")  # fmt: skip
SERVING = (*READING, "dogmood.web.server", "uvicorn.protocols.http.h11_impl", "uvicorn.lifespan.on")
TRAINING = (*READING, "dogmood.lab.fit", "dogmood.lab.export_run", "dogmood.lab.measure_run", "dogmood.lab.sweep",
            "dogmood.lab.board", "torch.utils.tensorboard", "tensorboard.summary.writer.record_writer")  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code, or minus the signal; and what it printed."""

    code: int
    out: str
    err: str


class Child:
    """A forked run of the program."""

    def __init__(self, warm: Warm, pid: int, out: Path) -> None:
        self.pid = pid
        self._warm, self._out = warm, out
        self.ended: Ended | None = None

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal; the child may have ended already, and is then still there to take it."""
        os.kill(self.pid, number)

    def printed(self) -> str:
        """Return what it has printed so far."""
        return self._out.read_text()

    def wait(self) -> Ended:
        """Wait for the end."""
        if self.ended is None:
            code = self._warm.ask({"wait": self.pid})
            self.ended = Ended(code, self._out.read_text(), self._out.with_suffix(".err").read_text())
        return self.ended


class Warm:
    """Starts the parent and asks it for children; a context manager.

    Args:
        folder: where children's output goes.
        modules: what is imported beforehand.
        prefix: words before the interpreter, such as of a program that takes rights away.
    """

    def __init__(self, folder: Path, modules: Sequence[str], prefix: Sequence[str] = ()) -> None:
        self._folder, self._count = folder, 0
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [*prefix, sys.executable, str(Path(__file__)), *modules],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate("")

    def start(
        self, *words: object, limit: int | None = None, out: Path | None = None, jump: float | None = None
    ) -> Child:
        """Start ``dogmood WORDS``.

        Args:
            words: the command line.
            limit: bytes that no file may grow beyond, as a full disk.
            out: where standard output goes, unless to a file of its own.
            jump: seconds by which the wall clock is off, every other time that it is asked.
        """
        self._count += 1
        own = self._folder / f"child-{self._count}"
        own.touch()
        told = {"words": [os.fspath(word) if isinstance(word, Path) else str(word) for word in words],
                "out": str(out or own), "err": str(own.with_suffix(".err")), "limit": limit, "jump": jump}  # fmt: skip
        return Child(self, self.ask(told), own)

    def run(self, *words: object, **more: Any) -> Ended:
        """Start and wait."""
        return self.start(*words, **more).wait()

    def ask(self, told: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(told), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


def _serve_commands() -> None:
    import importlib

    for name in sys.argv[1:]:
        importlib.import_module(name)
    print("ready", flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        if "wait" in told:
            _, status = os.waitpid(told["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            _run(told)
        print(pid, flush=True)


def _run(told: dict[str, Any]) -> None:
    from dogmood.cli import main

    for number, name in ((1, told["out"]), (2, told["err"])):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | (0 if name.startswith("/dev/") else os.O_TRUNC), 0o666)
        os.dup2(file, number)
        os.close(file)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if told["limit"] is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (told["limit"], told["limit"]))
    if told["jump"] is not None:
        _let_the_clock_jump(told["jump"])
    sys.argv = ["dogmood", *told["words"]]
    sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115  (the parent's is not ours)
    try:
        main()
        code = 0
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    except BaseException:
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    # Not as Python ends: libraries would wait for threads that stayed with the parent.
    os._exit(code)


def _let_the_clock_jump(seconds: float) -> None:
    import time

    true, asked = time.time, itertools.count()

    def jumping() -> float:
        return true() + seconds * (next(asked) % 2)

    time.time = jumping
    time.time_ns = lambda: int(jumping() * 1e9)


if __name__ == "__main__":
    _serve_commands()
