"""One run at a time in a folder of shards.

In a folder of files a lock keeps a second run out, on other machines too where the file
system's locks reach them; a kill gives it back.

Object storage has no locks, and nothing that is made only where it is absent.  There each
run writes a claim, ``_at_work-XXXX.json``, and writes it anew every few seconds.  A run
that finds another's claim watches it: a claim that changes is of a run at work, and this
one is refused; one that does not is of a run that was killed, and is taken away.  Two
runs never both find themselves alone, since each looks after it has written; two that
start within a moment may both be refused.  What this cannot do: a run that was cut off
from the storage for longer than others watch may lose its claim.  It then stops at its
next shard.  Even so no file is torn: shards are written whole, whoever writes them.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dogmood.atomic import lock
from dogmood.cluster.connection import ClusterError
from dogmood.cluster.places import Folder
from dogmood.errors import UsageError

CLAIM = "_at_work-"
"""What names of claims begin with."""

_LOCK = ".lock"

BEAT = 10.0
"""Seconds after which a run writes its claim anew."""

PATIENCE = 4 * BEAT
"""Seconds that another's claim is watched for before it counts as left behind."""


@contextmanager
def alone_in(folder: Folder) -> Iterator[Callable[[], None]]:
    """Work in a folder of shards in which no other run is at work.

    Args:
        folder: made where it is absent.

    Yields:
        What is to be called now and then: it raises ClusterError where this run has
        lost its place to another.

    Raises:
        UsageError: another run is at work there, or the folder cannot be written to.
    """
    folder.make()
    if folder.path is None:
        with _claimed(folder) as check:
            yield check
        return
    handle = _locked(folder.path / _LOCK, folder)
    try:
        yield lambda: None
    finally:
        # Before it is let go, so that whoever gets it next sees that it is not the one in place.
        with suppress(OSError):
            (folder.path / _LOCK).unlink()
        os.close(handle)


def _locked(path: Path, folder: Folder) -> int:
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise UsageError(f"{folder.name} cannot be written to: {error.strerror or error}.") from None
        if not lock(handle):
            os.close(handle)
            raise _refusal(folder)
        # The run that had it before us may have ended, and taken it away.
        with suppress(OSError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        os.close(handle)


@contextmanager
def _claimed(folder: Folder) -> Iterator[Callable[[], None]]:
    claim = _Claim(folder)
    claim.write()
    beating = threading.Thread(target=claim.keep, daemon=True)
    beating.start()
    try:
        _wait_until_alone(folder, claim.name)
        yield claim.check
    finally:
        claim.ended.set()
        beating.join()
        folder.remove(claim.name)


class _Claim:
    """A run's claim to a folder in storage."""

    def __init__(self, folder: Folder) -> None:
        self.name = f"{CLAIM}{uuid.uuid4().hex[:16]}.json"
        self.ended = threading.Event()
        self._folder = folder
        self._beats = 0
        self._lost = False

    def write(self) -> None:
        state = {"machine": socket.gethostname(), "process": os.getpid(), "beats": self._beats}
        self._folder.write_through(self.name, json.dumps(state).encode("ascii"))
        self._beats += 1

    def keep(self) -> None:
        """Write the claim anew until the run ends, or finds that it was taken away."""
        while not self.ended.wait(BEAT) and not self._lost:
            with suppress(UsageError):  # out of reach for now; others watch for longer than a beat
                if self._folder.read(self.name) is None:
                    self._lost = True
                else:
                    self.write()

    def check(self) -> None:
        if self._lost:
            raise ClusterError(
                f"{self._folder.name} was out of reach for so long that another run has taken it over: "
                "see that none is at work, then go on with --resume."
            )


def _wait_until_alone(folder: Folder, own: str) -> None:
    def others() -> dict[str, bytes | None]:
        names = [name for name in folder.names() if name.startswith(CLAIM) and name != own]
        return {name: content for name in names if (content := folder.read(name)) is not None}

    first = others()
    end = time.monotonic() + PATIENCE
    now = first
    while now and time.monotonic() < end:
        time.sleep(min(BEAT, PATIENCE) / 10)
        now = others()
        if any(first.get(name) != content for name, content in now.items()):
            raise _refusal(folder)
    for name in now:
        folder.remove(name)


def _refusal(folder: Folder) -> UsageError:
    return UsageError(f"Another run is at work in {folder.name}: wait for it, or stop it.")
