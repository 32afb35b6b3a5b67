"""A Ray cluster: reached, or started here, and left in the end."""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from dogmood import __version__
from dogmood.errors import DogMoodError, UsageError, plainly

_HOST_AND_PORT = re.compile(r"(?:ray://)?\[?([^/\]]+?)\]?:(\d{1,5})")

_PATIENCE = 10.0
"""Seconds that are waited for a cluster to answer the door; Ray itself would try for minutes."""

_FAREWELL = 10.0
"""Seconds that threads which work for Ray are waited for before it is left."""


class ClusterError(DogMoodError):
    """A cluster that cannot be reached, or on which the work cannot go on."""


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Connect to a Ray cluster, or start one here, and leave it in the end.

    What Ray itself would print meanwhile is kept from the terminal; its logs have it.

    Args:
        address: as ``ray.init`` takes it; ``local`` starts a cluster here.

    Yields:
        The module ``ray``.

    Raises:
        UsageError: Ray is not installed.
        ClusterError: the cluster cannot be reached.
    """
    # Ray reports on its use over the network unless told otherwise; nothing here does.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # What its lower half would print into the user's terminal; errors reach us as exceptions.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
    except ModuleNotFoundError:
        raise UsageError("Work on a cluster needs Ray: pip install 'dogmood[cluster]'.") from None
    ours = not ray.is_initialized()
    try:
        if ours:
            _knock(address)
            with _muffled():
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise ClusterError(f"The cluster at {address} cannot be reached: {plainly(error)}.") from None
    its_own = set(threading.enumerate())
    try:
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            yield ray
    finally:
        if ours:
            _wait_for(set(threading.enumerate()) - its_own)
            ray.shutdown()


def slots(ray: Any, cores: int) -> int:
    """Return how many workers of so many cores the cluster has room for now.

    Raises:
        ClusterError: for none.
    """
    machines = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
    room = sum(int(cpus // cores) for cpus in machines)
    if room == 0:
        raise ClusterError(f"No machine of the cluster has {cores} cores for a worker.")
    return room


def what_stopped(error: Exception) -> str:
    """Return what an error of Ray says, in one line without the full stop: Ray's own hold tracebacks."""
    text = str(error)
    if "No module named 'dogmood" in text:
        return f"the machines of the cluster lack dogmood {__version__}; install it on each of them"
    with suppress(AttributeError):
        text = str(error.cause) or text  # type: ignore[attr-defined]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(error).__name__


def _wait_for(threads: set[threading.Thread]) -> None:
    """Let threads end: one that asks Ray for anything once it is shut down ends the whole process, unheard."""
    end = time.monotonic() + _FAREWELL
    for thread in threads:
        while time.monotonic() < end:
            try:
                thread.join(max(0.0, end - time.monotonic()))
                break
            except RuntimeError:  # Ctrl-C came while it was being started: it is listed, and has not begun
                time.sleep(0.01)


def _knock(address: str) -> None:
    """See that somebody listens at an address.

    Raises:
        OSError: nobody does.
    """
    if where := _HOST_AND_PORT.fullmatch(address):
        socket.create_connection((where[1], int(where[2])), _PATIENCE).close()


@contextmanager
def _muffled() -> Iterator[None]:
    """Keep from the terminal what is written past Python to the error stream."""
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
